"""What an operator can change about the tasks service."""

from pydantic import Field, HttpUrl

from common.database.url import DatabaseUrl
from common.identity import PublicKeys
from common.settings import Settings


class TasksSettings(Settings):
    """The tasks service's own settings."""

    tasks_database_url: DatabaseUrl
    """Where tasks are kept; on Neon the pooled host."""

    tasks_database_url_unpooled: DatabaseUrl | None = None
    """The same database without a pooler between, for migrations; default: `TASKS_DATABASE_URL`."""

    passport_public_keys: PublicKeys
    """Public keys of the gateway's passports, base64url, separated by commas."""

    users_url: HttpUrl
    """Internal address of the users service."""

    tasks_per_user_max: int = Field(default=10_000, gt=0)
    """Tasks that one user may have."""

    tombstones_kept_days: int = Field(default=90, gt=0, le=36_500)
    """How long a device may stay offline, in days, and still learn what was deleted meanwhile."""
