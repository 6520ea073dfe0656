"""What every service function takes first: the database, and the user on whose behalf it is asked."""

from asyncio import Semaphore
from dataclasses import dataclass

from common.database import Database
from common.identity import User


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The database that the statements of one request run on, and the authenticated user."""

    database: Database
    user: User


@dataclass(frozen=True, slots=True)
class WriteRequestContext(RequestContext):
    """The context of a request that writes: it must hold a write slot while it runs statements."""

    write_slots: Semaphore

    def write_slot(self) -> Semaphore:
        """Return an async context manager that waits for one of the user's write slots, and holds it for its block."""
        return self.write_slots
