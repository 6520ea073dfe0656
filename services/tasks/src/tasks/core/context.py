"""The first argument of functions that write; others take `common.context.RequestContext`."""

from asyncio import Semaphore
from dataclasses import dataclass
from datetime import timedelta

from common.context import RequestContext


@dataclass(frozen=True, slots=True)
class WriteRequestContext(RequestContext):
    """The context of a request that writes. It must hold a write slot while it runs statements."""

    write_slots: Semaphore

    def write_slot(self) -> Semaphore:
        """Return an async context manager that holds one of the user's write slots."""
        return self.write_slots


@dataclass(frozen=True, slots=True)
class ChangeLimits:
    """Limits that a change of tasks needs, because it may make or delete other tasks.

    Attributes:
        tasks_max: How many tasks the user may have.
        retention: How long tombstones are kept.
    """

    tasks_max: int
    retention: timedelta
