"""What an operator can change about the users service."""

from pydantic import HttpUrl

from common.database.prepared_statements import PreparedStatements
from common.database.url import DatabaseUrl
from common.identity import PublicKeys
from common.settings import Settings


class UsersSettings(Settings):
    """The users service's own settings."""

    users_database_url: DatabaseUrl
    """The database; on Neon the pooled host."""

    users_database_url_unpooled: DatabaseUrl | None = None
    """The same database without a pooler, for migrations; default: `USERS_DATABASE_URL`."""

    database_prepared_statements: PreparedStatements = "auto"
    """Whether statements are prepared; `auto`: unless a pooler does not follow them."""

    passport_public_keys: PublicKeys
    """Public keys of the gateway's passports, base64url, separated by commas."""

    tasks_url: HttpUrl
    """Internal URL of the tasks service."""
