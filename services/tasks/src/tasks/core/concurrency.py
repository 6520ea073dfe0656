"""How much of one process a user may use at the same time."""

from typing import Final

from common.concurrency import CONNECTIONS_PER_USER_MAX, StreamSlots, UserLimiter

WRITES_AT_ONCE: Final = 2
"""Writes of one user that one process sends to the database at the same time.

The second one waits there for the owner's lock, so that the database is not idle between two
writes.
"""

READS_AT_ONCE: Final = CONNECTIONS_PER_USER_MAX
"""Statements that read for one user at the same time, beside the writes.

The time in which a client receives the rows does not count.
"""

DELIVERIES_AT_ONCE: Final = 10
"""Task lists that one process sends to one user at the same time.

Each takes memory in the process and in network buffers.
"""


class ConcurrencyLimits:
    """Limits concurrent requests per user, first in, first out."""

    def __init__(self) -> None:
        self.writes = UserLimiter(WRITES_AT_ONCE)
        self.reads = UserLimiter(READS_AT_ONCE)
        self.deliveries = UserLimiter(DELIVERIES_AT_ONCE)
        self.streams = StreamSlots()
