"""What every service function takes first."""

from dataclasses import dataclass

from common.database import Database
from common.identity import User


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The database that the statements of one request run on, and the authenticated user."""

    database: Database
    user: User
