"""How imports share one process and its connections: none of them holds anything while it waits for its client.

Of the ten connections imports use four at most: two for staging, two for merging. One user has two imports at a time,
of which one is merged.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from heapq import heappop, heappush
from itertools import count
from typing import Final
from uuid import UUID

from common.concurrency import UserLimiter
from common.uploads import UPLOADS_PER_USER_MAX

STAGING_AT_ONCE: Final = 2
"""Imports that read or stage a batch of lines at the same time: what bounds the memory that lines take."""

MERGING_AT_ONCE: Final = 2
"""Imports that are merged at the same time; they belong to different users."""

SMALL_MAX_BYTES: Final = 1_048_576
"""As long as an import has sent no more than this, it goes before all that have."""

Rank = tuple[bool, int]
"""Whether an import is large, and its number: small ones first, then the oldest, so that of many large ones at once as
many as possible come to their end in time."""


class PriorityLimiter:
    """Lets so many pass at the same time; who waits passes in the order of their ranks."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: list[tuple[Rank, int, asyncio.Future[None]]] = []
        self._numbers = count()

    @asynccontextmanager
    async def slot(self, rank: Rank) -> AsyncGenerator[None]:
        """Wait for a turn, and have it for the time of the block."""
        await self._wait(rank)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, rank: Rank) -> None:
        if self._free:
            self._free -= 1
            return
        given = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (rank, next(self._numbers), given))
        try:
            await given
        except asyncio.CancelledError:
            if not given.cancelled():  # it was given at the same moment
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            _, _, given = heappop(self._waiting)
            if not given.done():
                given.set_result(None)
                return
        self._free += 1


class ImportLimits:
    """Limits of one process for its imports."""

    def __init__(self) -> None:
        self.uploads = UserLimiter(UPLOADS_PER_USER_MAX)
        self.staging = PriorityLimiter(STAGING_AT_ONCE)
        self._merging = asyncio.Semaphore(MERGING_AT_ONCE)
        self._merging_of = UserLimiter(1)
        self._numbers = count()

    def number(self) -> int:
        """Return a number that is higher than those of all imports before."""
        return next(self._numbers)

    @asynccontextmanager
    async def merging(self, user_id: UUID, writes: asyncio.Semaphore) -> AsyncGenerator[None]:
        """Wait until nothing else of this user is merged, for one of their `writes`, and for a turn among all users."""
        async with self._merging_of.slots_of(user_id), writes, self._merging:
            yield
