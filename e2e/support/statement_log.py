"""What reaches a PostgreSQL server, as its own log shows it."""

from dataclasses import dataclass
from typing import Final, LiteralString

import psycopg

from devkit.platform.postgres import Postgres

LOG_EVERYTHING: Final[tuple[LiteralString, ...]] = (
    "ALTER SYSTEM SET log_statement = 'all'",
    "ALTER SYSTEM SET log_connections = 'authorization'",
    "ALTER SYSTEM SET log_line_prefix = '%b of %d: '",
    "SELECT pg_reload_conf()",
)
"""Sessions that are open already log their statements as well."""

LOG_AS_BEFORE: Final[tuple[LiteralString, ...]] = (
    "ALTER SYSTEM RESET log_statement",
    "ALTER SYSTEM RESET log_connections",
    "ALTER SYSTEM RESET log_line_prefix",
    "SELECT pg_reload_conf()",
)


@dataclass(frozen=True)
class StatementLog:
    """The log of a server that writes down each statement and each new session."""

    postgres: Postgres

    async def start(self) -> None:
        """Begin to log everything."""
        await self._configure(LOG_EVERYTHING)

    async def stop(self) -> None:
        """Log as before."""
        await self._configure(LOG_AS_BEFORE)

    def lines_about(self, database: str) -> list[str]:
        """Return what clients of a database have sent."""
        prefix = f"client backend of {database}: "
        return [line for line in self.postgres.process.log_lines() if line.startswith(prefix)]

    async def _configure(self, statements: tuple[LiteralString, ...]) -> None:
        async with await psycopg.AsyncConnection.connect(
            self.postgres.url(), autocommit=True
        ) as connection:
            for statement in statements:
                await connection.execute(statement)
