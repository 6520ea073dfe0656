"""The first argument of every service function: the database and the authenticated user."""

from asyncio import Semaphore
from dataclasses import dataclass

from common.database import Database
from common.identity import User


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The database on which a request runs its statements, and the authenticated user."""

    database: Database
    user: User


@dataclass(frozen=True, slots=True)
class WriteRequestContext(RequestContext):
    """The context of a request that writes. It must hold a write slot while it runs statements."""

    write_slots: Semaphore

    def write_slot(self) -> Semaphore:
        """Return an async context manager that holds one of the user's write slots."""
        return self.write_slots
