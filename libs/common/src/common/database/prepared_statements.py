"""Whether statements are prepared on a connection.

A prepared statement is parsed and planned once, and belongs to one session of the server. A pooler
in transaction mode gives each transaction another session: unless it follows prepared statements,
one is missing there (SQLSTATE 26000), or exists already (42P05).

`auto` asks each new connection, so a pooler that is replaced is noticed with its connections. What
changes while a connection is open is left to `Connection.run_statement`, which repeats a statement
without preparing it.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Literal, LiteralString, TypeAlias

from psycopg import AsyncConnection, AsyncRawCursor, Error, OperationalError
from psycopg._preparing import Prepare, PrepareManager
from psycopg._queries import PostgresQuery

PreparedStatements: TypeAlias = Literal["auto", "on", "off"]
"""The setting `DATABASE_PREPARED_STATEMENTS`."""

NAME_PREFIX: Final = "platform_"
"""Beginning of the names of prepared statements."""

PROBE: Final[LiteralString] = r"""
SELECT pg_backend_pid() = $1 AS is_direct,
       EXISTS (
           SELECT FROM pg_prepared_statements
           WHERE statement = current_query() AND starts_with(name, $2)
       ) AS keeps_name
"""
"""A statement that looks for itself among the prepared statements of its session.

A pooler that follows prepared statements must rename them, because two clients may use one name.
A pooler invents the process id that a client gets when it connects, and $1 is that one.
"""


@dataclass(frozen=True)
class Finding:
    """Whether a connection prepares statements, and why."""

    prepares: bool
    sentence: str


DIRECT: Final = Finding(prepares=True, sentence="Statements are prepared: no pooler is in between.")

FOLLOWED: Final = Finding(
    prepares=True, sentence="Statements are prepared: the pooler in between follows them."
)

NOT_FOLLOWED: Final = Finding(
    prepares=False,
    sentence="Statements are not prepared, and cost more CPU: the pooler in between does not "
    "follow them. PgBouncer does from 1.21 on, with max_prepared_statements; if it gives each "
    "client a session of its own, set DATABASE_PREPARED_STATEMENTS=on.",
)


class StatementCache(PrepareManager):
    """The driver's cache of prepared statements, with names that contain a hash of the text.

    The driver only numbers them: if a pooler mixed up two sessions, the name would run whatever
    statement another client had given that number.
    """

    def get(
        self,
        query: PostgresQuery,
        prepare: bool | None = None,  # noqa: FBT001 - the driver's signature
    ) -> tuple[Prepare, bytes]:
        """Return whether the query is prepared, or should be, and the name."""
        decision, name = super().get(query, prepare)
        if decision is Prepare.SHOULD:
            text_and_types = query.query + repr(query.types).encode()
            digest = blake2b(text_and_types, digest_size=16).hexdigest()
            # Numbered as well: an evicted statement may come back before the old one is closed.
            name = f"{NAME_PREFIX}{digest}{name.decode()}".encode()
        return decision, name


async def find_pooler(connection: AsyncConnection[tuple[object, ...]]) -> Finding:
    """Find out, outside of any transaction, whether statements can be prepared on a new connection.

    Raises:
        psycopg.OperationalError: The connection is lost.
    """
    cursor = AsyncRawCursor(connection)
    try:
        await cursor.execute(PROBE, [connection.info.backend_pid, NAME_PREFIX], prepare=True)
    except OperationalError:
        raise
    except Error:  # prepared in one session and executed in another
        return NOT_FOLLOWED
    [(is_direct, keeps_name)] = await cursor.fetchall()
    if not keeps_name:
        return FOLLOWED
    if is_direct:
        return DIRECT
    return NOT_FOLLOWED
