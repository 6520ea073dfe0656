"""Settings of the tasks service, read from the environment."""

from pydantic import Field, HttpUrl

from common.database.prepared_statements import PreparedStatements
from common.database.url import DatabaseUrl
from common.identity import PublicKeys
from common.settings import Settings


class TasksSettings(Settings):
    """Settings that only the tasks service has."""

    tasks_database_url: DatabaseUrl
    """The database of the service; on Neon, the pooled host."""

    tasks_database_url_unpooled: DatabaseUrl | None = None
    """The same database without a pooler, for migrations. Default: `TASKS_DATABASE_URL`."""

    database_prepared_statements: PreparedStatements = "auto"
    """Whether statements are prepared; `auto`: unless a pooler does not follow them."""

    passport_public_keys: PublicKeys
    """Public keys that verify the gateway's passports, base64url, separated by commas."""

    users_url: HttpUrl
    """Internal URL of the users service."""

    tasks_per_user_max: int = Field(default=10_000, gt=0)
    """Tasks that one user may have."""

    tombstones_kept_days: int = Field(default=90, gt=0, le=36_500)
    """Days that a device may stay offline and still receive the deletions of that time."""
