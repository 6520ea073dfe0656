"""Writes of one user wait for each other here, because at the database each of them would hold a connection."""

from asyncio import Lock, Semaphore
from collections.abc import AsyncIterator
from typing import Annotated, Final
from uuid import UUID
from weakref import WeakValueDictionary

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from common.database import Session
from common.identity import identify

WRITES_AT_ONCE: Final = 2
"""Writes of one user that one process sends to the database; one waits there, so that none is lost between two."""


class Turns:
    """Lets each user's writes pass in the order in which they came, two at a time; of all imports one at a time."""

    def __init__(self) -> None:
        self.of_imports = Lock()
        self._queues: WeakValueDictionary[UUID, Semaphore] = WeakValueDictionary()

    def of(self, user_id: UUID) -> Semaphore:
        """Return the queue of a user; it lasts as long as somebody stands in it."""
        return self._queues.setdefault(user_id, Semaphore(WRITES_AT_ONCE))


async def _session_in_turn(request: Request) -> AsyncIterator[Session]:
    user = await identify(request)
    async with request.app.state.turns.of(user.id):
        yield request.app.state.engine


WriteSession = Annotated[Session, Depends(_session_in_turn, scope="function")]
"""The request's session for a write, as soon as it is its user's turn."""


async def _engine_in_turn(request: Request) -> AsyncIterator[AsyncEngine]:
    await identify(request)
    async with request.app.state.turns.of_imports:
        yield request.app.state.engine


ImportEngine = Annotated[AsyncEngine, Depends(_engine_in_turn, scope="function")]
"""The engine for an import, as soon as no other one holds a connection for as long as its client sends."""
