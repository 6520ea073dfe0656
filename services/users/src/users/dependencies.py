"""FastAPI dependencies that the endpoints declare."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from common.authentication import CurrentUser
from common.context import RequestContext
from common.database import LimitedDatabase
from common.media_types import (
    JSON_TYPE,
    MERGE_PATCH_TYPE,
    NDJSON_TYPE,
    require_media_type,
    require_unencoded,
)
from common.problems import BodyTooLarge
from common.request_state import RequestState
from common.uploads import IMPORT_LIMITS
from common.validation import JsonBody, NoParameters, QueryParams
from users import clients
from users.schemas import UserChange


async def _request_context(request: Request, user: CurrentUser) -> RequestContext:
    state = request.app.state
    database = LimitedDatabase(state.engine, state.limiter.for_user(user.id))
    return RequestContext(database, user)


async def _tasks_client(request: Request, user: CurrentUser) -> clients.TasksClient:
    request_id = RequestState.of(request.scope).request_id
    return clients.TasksClient(request.app.state.tasks, user, request_id)


Context = Annotated[RequestContext, Depends(_request_context)]
"""The user's share of the database connections, and the user."""

TasksClient = Annotated[clients.TasksClient, Depends(_tasks_client)]


async def _task_lines(tasks: TasksClient) -> AsyncIterator[AsyncIterator[bytes]]:
    async with tasks.export() as lines:
        yield lines


TaskLines = Annotated[AsyncIterator[bytes], Depends(_task_lines)]
"""The export of the tasks service, open while the response is sent."""


async def _require_import_headers(request: Request, _: CurrentUser) -> None:
    """Reject a body that is announced too long or of another type, before it is read."""
    if int(request.headers.get("content-length", 0)) > IMPORT_LIMITS.bytes_max:
        raise BodyTooLarge
    require_unencoded(request)
    require_media_type(request, [NDJSON_TYPE])


ImportHeaders = Annotated[None, Depends(_require_import_headers)]

NoQueryParams = Annotated[NoParameters, Depends(QueryParams(NoParameters))]
"""Accepts no query parameters."""

ChangeBody = Annotated[
    UserChange, Depends(JsonBody(UserChange, media_types=(JSON_TYPE, MERGE_PATCH_TYPE)))
]
