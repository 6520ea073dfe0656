"""Limits on what one user may use of a process at the same time."""

from asyncio import Semaphore
from dataclasses import dataclass
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

CONNECTIONS_PER_USER_MAX: Final = 2
"""Database connections that one process uses for one user, of the ten in its pool."""

STREAMS_MAX: Final = 5
"""Database connections of one process that may wait for slow clients, of the ten in its pool."""


class UserLimiter:
    """Gives each user a number of slots, first in, first out."""

    def __init__(self, slots: int = CONNECTIONS_PER_USER_MAX) -> None:
        self._slots = slots
        self._users: WeakValueDictionary[UUID, Semaphore] = WeakValueDictionary()

    def for_user(self, user_id: UUID) -> Semaphore:
        """Return the user's slots. They are freed when no task holds or awaits one."""
        slots = self._users.get(user_id)
        if slots is None:
            slots = Semaphore(self._slots)
            self._users[user_id] = slots
        return slots


class StreamSlots:
    """Counts the database connections of this process that wait for slow clients."""

    def __init__(self, slots: int = STREAMS_MAX) -> None:
        self._free = slots

    def try_acquire(self) -> bool:
        """Take a slot if there is a free one, and tell whether it was taken."""
        if self._free == 0:
            return False
        self._free -= 1
        return True

    def release(self) -> None:
        """Return a slot."""
        self._free += 1


@dataclass(frozen=True, slots=True)
class DeliverySlots:
    """Slots that a long response takes: one of the user's, and perhaps a stream's."""

    slots: Semaphore
    streams: StreamSlots
