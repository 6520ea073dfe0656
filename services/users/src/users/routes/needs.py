"""What routes need of the running service."""

from typing import Annotated

from fastapi import Depends, Request

from common.database import LimitedEngine, Session
from common.identity import CurrentUser


async def _session(request: Request, user: CurrentUser) -> Session:
    state = request.app.state
    return LimitedEngine(state.engine, state.limiter.slots_of(user.id))


DbSession = Annotated[Session, Depends(_session)]
"""What the statements of a request are run on: the user's share of the connections."""
