"""How much of what all share one user may take at once."""

from asyncio import Semaphore
from dataclasses import dataclass
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

CONNECTIONS_PER_USER_MAX: Final = 2
"""Connections of one user that one process uses at once, of the ten in its pool."""


STREAMS_MAX: Final = 5
"""Connections of one process that may wait for their clients at the same time, of the ten in its pool."""


class UserLimiter:
    """Gives each user so many slots, in the order in which they are asked for."""

    def __init__(self, slots: int = CONNECTIONS_PER_USER_MAX) -> None:
        self._slots = slots
        self._users: WeakValueDictionary[UUID, Semaphore] = WeakValueDictionary()

    def for_user(self, user_id: UUID) -> Semaphore:
        """Return the slots of a user; they last as long as somebody has one or waits for one."""
        slots = self._users.get(user_id)
        if slots is None:
            slots = Semaphore(self._slots)
            self._users[user_id] = slots
        return slots


class StreamSlots:
    """Counts the connections of this process that wait for their clients."""

    def __init__(self, most: int = STREAMS_MAX) -> None:
        self._free = most

    def try_acquire(self) -> bool:
        """Take a slot, if there is one; nobody waits for it."""
        if not self._free:
            return False
        self._free -= 1
        return True

    def release(self) -> None:
        """Give a slot back."""
        self._free += 1


@dataclass(frozen=True, slots=True)
class DeliverySlots:
    """What it takes to send a long answer: one of the user's slots, and perhaps a connection that waits."""

    slots: Semaphore
    streams: StreamSlots
