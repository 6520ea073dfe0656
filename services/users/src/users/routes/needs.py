"""What routes need of the running service."""

from typing import Annotated

from fastapi import Depends, Request

from common.database import Database, LimitedDatabase
from common.identity import CurrentUser


async def _session(request: Request, user: CurrentUser) -> Database:
    state = request.app.state
    return LimitedDatabase(state.engine, state.limiter.slots_of(user.id))


DbSession = Annotated[Database, Depends(_session)]
"""What the statements of a request are run on: the user's share of the connections."""
