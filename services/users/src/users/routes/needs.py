"""What routes need of the running service."""

from typing import Annotated

from fastapi import Depends, Request

from common.authentication import CurrentUser
from common.database import Database, LimitedDatabase


async def _session(request: Request, user: CurrentUser) -> Database:
    state = request.app.state
    return LimitedDatabase(state.engine, state.limiter.for_user(user.id))


DbSession = Annotated[Database, Depends(_session)]
"""What the statements of a request are run on: the user's share of the connections."""
