"""FastAPI dependencies of the endpoints. Each takes the request alone; see `RequestOnlyRoute`."""

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request

from common.authentication import authenticate
from common.concurrency import DeliverySlots
from common.context import RequestContext
from common.database import LimitedDatabase
from common.request_state import RequestState
from common.validation import NoParameters, QueryParams
from tasks.clients import UsersClient
from tasks.core import context, creation
from tasks.core.concurrency import ConcurrencyLimits
from tasks.core.context import WriteRequestContext


async def _read_context(request: Request) -> RequestContext:
    user = await authenticate(request)
    limits: ConcurrencyLimits = request.app.state.concurrency
    read_slots = limits.reads.for_user(user.id)
    database = LimitedDatabase(request.app.state.engine, read_slots)
    return RequestContext(database, user)


async def _write_context(request: Request) -> WriteRequestContext:
    user = await authenticate(request)
    limits: ConcurrencyLimits = request.app.state.concurrency
    write_slots = limits.writes.for_user(user.id)
    return WriteRequestContext(request.app.state.engine, user, write_slots)


async def _delivery(request: Request) -> DeliverySlots:
    user = await authenticate(request)
    limits: ConcurrencyLimits = request.app.state.concurrency
    return DeliverySlots(limits.deliveries.for_user(user.id), limits.streams)


async def _creation_limits(request: Request) -> creation.CreationLimits:
    state = request.app.state
    users = UsersClient(state.users, RequestState.of(request.scope).request_id)
    return creation.CreationLimits(users, state.settings.tasks_per_user_max)


async def _change_limits(request: Request) -> context.ChangeLimits:
    settings = request.app.state.settings
    retention = timedelta(days=settings.tombstones_kept_days)
    return context.ChangeLimits(settings.tasks_per_user_max, retention)


async def _retention_days(request: Request) -> int:
    return request.app.state.settings.tombstones_kept_days


ReadContext = Annotated[RequestContext, Depends(_read_context)]
"""The context of a request that reads. Its statements share the user's read slots."""

WriteContext = Annotated[WriteRequestContext, Depends(_write_context)]
"""The context of a request that writes: `async with context.write_slot(): ...`."""

ListDelivery = Annotated[DeliverySlots, Depends(_delivery)]
"""The slots that the delivery of a task list takes."""

CreationLimits = Annotated[creation.CreationLimits, Depends(_creation_limits)]
"""Limits and clients that the create endpoints need."""

ChangeLimits = Annotated[context.ChangeLimits, Depends(_change_limits)]
"""Limits that a change of tasks needs, because it may make or delete other tasks."""

RetentionDays = Annotated[int, Depends(_retention_days)]
"""How long tombstones are kept, in days."""

NoQueryParams = Annotated[NoParameters, Depends(QueryParams(NoParameters))]
"""Accepts no query parameters."""
