"""What routes need of the running service."""

from typing import Annotated

from fastapi import Depends, Request

from common.reading import NoParameters, Query
from tasks.peers import UsersService
from tasks.service import creation


async def _admission(request: Request) -> creation.Admission:
    state = request.app.state
    peer = UsersService(state.users, request.scope["request_id"])
    return creation.Admission(peer, state.settings.tasks_per_user_max)


async def _kept_days(request: Request) -> int:
    return request.app.state.settings.tombstones_kept_days


Admission = Annotated[creation.Admission, Depends(_admission)]
"""What it takes to let something new in."""

KeptDays = Annotated[int, Depends(_kept_days)]
"""How long tombstones are kept, in days."""

NoQuery = Annotated[NoParameters, Depends(Query(NoParameters))]
"""A query string that holds nothing."""
