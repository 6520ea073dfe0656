"""What routes need of the running service."""

from typing import Annotated

from fastapi import Depends, Request

from common.database import Session


async def _session(request: Request) -> Session:
    return request.app.state.engine


DbSession = Annotated[Session, Depends(_session)]
"""What the statements of a request are run on."""
