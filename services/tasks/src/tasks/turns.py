"""Whose statements are run, and on what; reads of one user wait for each other here, and so do writes.

At the database each of them would hold a connection.
"""

from asyncio import Semaphore
from typing import Annotated, Final, NamedTuple

from fastapi import Depends, Request

from common.concurrency import CONNECTIONS_PER_USER_MAX, Delivery, StreamSlots, UserLimiter
from common.database import LimitedEngine, Session
from common.identity import User, identify
from tasks.import_turns import ImportTurns

WRITES_AT_ONCE: Final = 2
"""Writes of one user that one process sends to the database; one waits there, so that none is lost between two."""

READS_AT_ONCE: Final = CONNECTIONS_PER_USER_MAX
"""Reads of one user, beside the writes: each waits while a connection is used, not while its client receives."""

DELIVERIES_AT_ONCE: Final = 10
"""Lists of one user that one process sends at once: each takes memory, here and in the network's buffers."""


class Turns:
    """Lets each user's writes pass in their order, their reads in theirs, and imports in ways of their own."""

    def __init__(self) -> None:
        self.imports = ImportTurns()
        self.writes = UserLimiter(WRITES_AT_ONCE)
        self.reads = UserLimiter(READS_AT_ONCE)
        self.deliveries = UserLimiter(DELIVERIES_AT_ONCE)
        self.streams = StreamSlots()


class Reading(NamedTuple):
    """What every rule begins with: what its statements are run on, and whose data they see."""

    session: Session
    user: User


class Writing:
    """What rules that write begin with, as soon as it is their user's turn."""

    def __init__(self, queue: Semaphore, caller: Reading) -> None:
        self._queue, self._caller = queue, caller

    async def __aenter__(self) -> Reading:
        await self._queue.acquire()
        return self._caller

    async def __aexit__(self, *_: object) -> None:
        self._queue.release()


async def _caller(request: Request) -> Reading:
    user = await identify(request)
    state = request.app.state
    return Reading(LimitedEngine(state.engine, state.turns.reads.slots_of(user.id)), user)


async def _turn(request: Request) -> Writing:
    user = await identify(request)
    state = request.app.state
    return Writing(state.turns.writes.slots_of(user.id), Reading(state.engine, user))


async def _delivery(request: Request) -> Delivery:
    user = await identify(request)
    turns: Turns = request.app.state.turns
    return Delivery(turns.deliveries.slots_of(user.id), turns.streams)


ListDelivery = Annotated[Delivery, Depends(_delivery)]
"""What a list takes while it is sent."""

Caller = Annotated[Reading, Depends(_caller)]
"""The caller of a request that reads."""

Turn = Annotated[Writing, Depends(_turn)]
"""A place in the queue of the caller's writes: `async with` waits for its turn."""
