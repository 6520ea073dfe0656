"""Limits of one process for its imports.

No import holds a connection while it waits for its client. Imports use at most four of the ten
connections: two stage lines, two merge. Each user has at most two imports at a time, and at most
one of them is merged at a time.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from heapq import heappop, heappush
from itertools import count
from typing import Final, NamedTuple
from uuid import UUID

from common.concurrency import UserLimiter
from common.uploads import UPLOADS_PER_USER_MAX

STAGING_AT_ONCE: Final = 2
"""Imports that parse and stage a batch of lines at the same time. Bounds the memory for records."""

MERGING_AT_ONCE: Final = 2
"""Imports that are merged at the same time; they belong to different users."""

SMALL_IMPORT_MAX_BYTES: Final = 1_048_576
"""An import that has sent more than this is large: all small ones go before it."""


class ImportPriority(NamedTuple):
    """The lowest goes first: small imports, then older ones.

    Of many large imports at once, as many as possible then end in time.
    """

    is_large: bool
    number: int


class PriorityLimiter:
    """Limits how many run at the same time; those that wait run in the order of priority."""

    def __init__(self, slots: int) -> None:
        self._free_slots = slots
        self._waiting: list[tuple[ImportPriority, int, asyncio.Future[None]]] = []
        self._arrival_numbers = count()

    @asynccontextmanager
    async def slot(self, priority: ImportPriority) -> AsyncGenerator[None]:
        """Wait for a slot, and hold it during the block."""
        await self._acquire(priority)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, priority: ImportPriority) -> None:
        if self._free_slots:
            self._free_slots -= 1
            return
        acquired = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (priority, next(self._arrival_numbers), acquired))
        try:
            await acquired
        except asyncio.CancelledError:
            if not acquired.cancelled():  # the slot was assigned at the same moment
                self._release()
            raise

    def _release(self) -> None:
        while self._waiting:
            _, _, acquired = heappop(self._waiting)
            if not acquired.done():
                acquired.set_result(None)
                return
        self._free_slots += 1


class ImportLimits:
    """Limits of one process for its imports."""

    def __init__(self) -> None:
        self.uploads = UserLimiter(UPLOADS_PER_USER_MAX)
        self.staging = PriorityLimiter(STAGING_AT_ONCE)
        self._merges = asyncio.Semaphore(MERGING_AT_ONCE)
        self._merges_per_user = UserLimiter(1)
        self._import_numbers = count()

    def next_import_number(self) -> int:
        """Return a number that is higher than those of all imports before."""
        return next(self._import_numbers)

    @asynccontextmanager
    async def merge_slot(
        self, user_id: UUID, write_slot: asyncio.Semaphore
    ) -> AsyncGenerator[None]:
        """Wait for the user's other merge, a write slot of the user, and a merge slot."""
        async with self._merges_per_user.for_user(user_id), write_slot, self._merges:
            yield
