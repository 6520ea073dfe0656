"""What a database must be before a service works with it: asked of each new connection, and by readiness.

A database that is none of that is no bug of ours and none of the client's: requests get 503, `/readyz` and the log say
in one sentence what an operator has to do.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, LiteralString

from psycopg import AsyncConnection, AsyncRawCursor, OperationalError
from psycopg.errors import FeatureNotSupported, InsufficientPrivilege, UndefinedTable
from psycopg.rows import class_row
from sqlalchemy import Update

from common.database.connection import Connection
from common.database.history import CLAIM_HISTORY, IS_SAME_HISTORY, UNLIMITED, tell_new_history
from common.database.statements import DIALECT
from common.logging import log
from common.problems import Unavailable

POSTGRES_MIN: Final = 18
"""Oldest major version of PostgreSQL: the first with full case folding (`casefold`, `pg_unicode_fast`)."""

STATEMENT_MAX_SECONDS: Final = 5
"""How long PostgreSQL may work on one statement of a service: as long as a request may take."""

CODE: Final = "database-not-ready"
"""Code of the problem document for requests that met such a database."""

COMPATIBLE_FROM: Final = "oldest revision whose release works with this schema: {}"
"""Comment on the table `alembic_version`: it tells a release that is older than the schema whether it may go on."""

_COMPATIBLE_FROM: Final = re.compile(re.escape(COMPATIBLE_FROM).replace(r"\{\}", r"(\w+)"))

SERVER: Final[LiteralString] = """
SELECT current_setting('server_version_num')::int / 10000 AS major_version,
       current_setting('server_encoding') AS encoding,
       current_setting('transaction_isolation') AS isolation,
       pg_is_in_recovery() AS is_standby,
       current_setting('transaction_read_only')::bool AS is_read_only,
       extract(epoch FROM current_setting('statement_timeout')::interval)::float8 AS statement_seconds,
       session_user::text AS role,
       format('ALTER ROLE %I IN DATABASE %I SET statement_timeout = ''5s''', session_user, current_database()) AS remedy
"""
"""What the server and the session are, in one round trip; all of it may be read by every role."""

SCHEMA: Final[LiteralString] = """,
       ARRAY(SELECT version_num::text FROM alembic_version) AS revisions,
       obj_description('alembic_version'::regclass, 'pg_class') AS comment,
       ARRAY(
           SELECT name FROM unnest($1::text[]) AS name
           CROSS JOIN unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS verb
           WHERE NOT coalesce(has_table_privilege(to_regclass(name), verb), false)
           GROUP BY name
       ) AS forbidden_tables
"""
"""Further columns: what migrations have made. It cannot be parsed where there never was one."""


@dataclass(frozen=True)
class Release:
    """What this release of a service needs its database to be."""

    service: str
    """Name of the service, which is that of its migrations as well."""

    revisions: tuple[str, ...]
    """All revisions that the release knows, the oldest first; it was written for the last one."""

    compatible_from: str
    """The oldest revision whose release works with the schema that the last one makes."""

    tables: tuple[str, ...]
    """What it reads and writes."""

    raise_versions: Update | None = None
    """Begins another history where rows have versions; None where they have none, and a backup is like any other."""

    @property
    def raise_versions_text(self) -> bytes:
        """The same as SQL."""
        if self.raise_versions is None:
            return b""
        compiled = self.raise_versions.compile(
            dialect=DIALECT, compile_kwargs={"literal_binds": True}
        )
        return compiled.string.encode()


@dataclass(frozen=True)
class Facts:
    """What a database says of itself; no revisions where it was never migrated."""

    major_version: int
    encoding: str
    isolation: str
    is_standby: bool
    is_read_only: bool
    statement_seconds: float
    role: str
    remedy: str
    revisions: tuple[str, ...] | list[str] = ()
    comment: str | None = None
    forbidden_tables: tuple[str, ...] | list[str] = ()


def find_server_fault(facts: Facts) -> str | None:
    """Say in one sentence why no release could work with this server or session; None if any could."""
    if facts.major_version < POSTGRES_MIN:
        return f"PostgreSQL {facts.major_version} is too old: {POSTGRES_MIN} or newer is needed."
    if facts.encoding != "UTF8":
        return f"Its encoding is {facts.encoding}: make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0."
    if facts.is_standby:
        return "The server is a standby, which cannot be written to: name the primary in the URL."
    if facts.is_read_only:
        return (
            "It is read-only: ALTER DATABASE or ALTER ROLE … RESET default_transaction_read_only."
        )
    if facts.isolation != "read committed":
        return f"Its transactions are {facts.isolation}: ALTER DATABASE … RESET default_transaction_isolation."
    return None


def find_schema_fault(facts: Facts, release: Release) -> str | None:
    """Say in one sentence why this release cannot work with the schema; None if it can.

    A revision that the release does not know is a newer one: migrations only expand, unless they say otherwise.
    """
    newest = release.revisions[-1]
    if not facts.revisions:
        return f"It was never migrated: {_how_to_migrate(release)}."
    unknown = set(facts.revisions) - set(release.revisions)
    if unknown:
        return find_incompatibility(facts.comment, release)
    if newest not in facts.revisions:
        return (
            f"Its revision {facts.revisions[0]} is older than {newest}: {_how_to_migrate(release)}."
        )
    if facts.forbidden_tables:
        return f"The role {facts.role} may not read and write {', '.join(facts.forbidden_tables)}: GRANT it the rights."
    return None


def find_incompatibility(comment: str | None, release: Release) -> str | None:
    """Say in one sentence why a release is too old for a schema which is newer; None if it is not."""
    found = _COMPATIBLE_FROM.fullmatch(comment or "")
    if not found or found[1] in release.revisions:
        return None
    return f"Its schema is too new for this release, which ends at {release.revisions[-1]}: start a newer one."


def find_missing_limit(facts: Facts) -> str | None:
    """Say in one sentence how to end statements that run for longer than a request; None if that is done."""
    if 0 < facts.statement_seconds <= STATEMENT_MAX_SECONDS:
        return None
    return (
        f"Nothing ends statements of the role {facts.role} after {STATEMENT_MAX_SECONDS} seconds, so abandoned ones go "
        f"on: {facts.remedy}; and connect anew."
    )


def one_line(error: BaseException) -> str:
    """Return what libpq says about a connection that could not be opened; it quotes no password."""
    return " ".join(str(error).split())


class DatabaseChecks:
    """Asks whether a database can be worked with, and says in the log when the answer is another one than before."""

    def __init__(self, release: Release) -> None:
        self._release = release
        self._said = dict[str, str | None]()
        self._renewal: asyncio.Task[None] | None = None
        self.open: Callable[[], Awaitable[Connection]] | None = None
        """Opens one more connection, once the first one was opened."""

    async def require_usable(self, connection: AsyncConnection[tuple[object, ...]]) -> None:
        """Ask a connection that is outside of any transaction; one round trip where all is well.

        Raises:
            Unavailable: The release cannot work with the database; `reason` says why.
            psycopg.OperationalError: The connection is lost. It was no request's statement that was lost with it.
        """
        try:
            facts = await self._ask(connection)
        except InsufficientPrivilege:
            fault = "The role may not read the table alembic_version: GRANT it the right."
        except OperationalError as error:
            raise OperationalError(*error.args, pgconn=connection.pgconn) from error
        else:
            fault = find_server_fault(facts) or find_schema_fault(facts, self._release)
            if not fault:
                self._say("limit", "warning", find_missing_limit(facts))
        self.say_unusable(fault)
        if fault:
            raise Unavailable(CODE, "The database is not prepared for this release.", reason=fault)
        if self._release.raise_versions is not None and not await self._is_same_history(connection):
            await self._begin_new_history()

    @property
    def is_unusable(self) -> bool:
        """Whether the last connection that was asked was of no use: so are those that were opened before."""
        return self._said.get("fault") is not None

    def say_unusable(self, why: str | None) -> None:
        """Write one line when there is another reason than before."""
        self._say("fault", "error", why)

    def say_unreachable(self, error: BaseException) -> None:
        """Write one line about a connection that could not be opened."""
        self._say("connection", "warning", f"It does not answer: {one_line(error)}")

    def say_reached(self) -> None:
        """Let the next one that cannot be opened be said again."""
        self._say("connection", "warning", None)

    async def close(self) -> None:
        """Leave another history that has not quite begun to whoever comes next."""
        if self._renewal:
            self._renewal.cancel()
            await asyncio.wait([self._renewal])

    async def _is_same_history(self, connection: AsyncConnection[tuple[object, ...]]) -> bool:
        cursor = AsyncRawCursor(connection)
        try:
            [found] = await (await cursor.execute(IS_SAME_HISTORY)).fetchall()
        except OperationalError as error:
            raise OperationalError(*error.args, pgconn=connection.pgconn) from error
        except (InsufficientPrivilege, FeatureNotSupported):
            sentence = "It does not tell whether it was restored: after that, run python -m tasks.restored yourself."
            self._say("history", "warning", sentence)
            return True
        return bool(found[0])

    async def _begin_new_history(self) -> None:
        """Have it done once for all who ask meanwhile, and to its end, however soon a request gives up."""
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renew())
        await asyncio.shield(self._renewal)

    async def _renew(self) -> None:
        """Raise all versions before anything is answered from another history; of several processes, one does."""
        if self.open is None:
            return
        connection = await self.open()
        try:
            async with connection.transaction():
                cursor = AsyncRawCursor(connection)
                await cursor.execute(UNLIMITED)
                claimed = await (await cursor.execute(CLAIM_HISTORY)).fetchall()
                if claimed:
                    await cursor.execute(self._release.raise_versions_text)
                if claimed and cursor.rowcount:
                    log(
                        "warning",
                        f"The database of {self._release.service}: {tell_new_history(cursor.rowcount)}",
                    )
        finally:
            await connection.close()

    async def _ask(self, connection: AsyncConnection[tuple[object, ...]]) -> Facts:
        cursor = AsyncRawCursor(connection, row_factory=class_row(Facts))
        try:
            await cursor.execute(SERVER + SCHEMA, [list(self._release.tables)])
        except UndefinedTable:
            await cursor.execute(SERVER)
        return (await cursor.fetchall())[0]

    def _say(self, kind: str, level: str, sentence: str | None) -> None:
        if sentence and sentence != self._said.get(kind):
            log(level, f"The database of {self._release.service}: {sentence}")
        self._said[kind] = sentence


class Connector:
    """Opens connections, and hands out those that the checks have found usable."""

    def __init__(self, checks: DatabaseChecks | None) -> None:
        self._checks = checks

    async def connect(self, *args: Any, **options: Any) -> Connection:  # noqa: ANN401 - whatever the driver takes
        """Open one.

        Raises:
            psycopg.OperationalError: It cannot be opened; nothing was sent that could not be repeated.
            Unavailable: The database cannot be worked with.
        """
        if self._checks is None:
            return await Connection.connect(*args, **options)
        self._checks.open = partial(Connection.connect, *args, **options)
        try:
            connection = await Connection.connect(*args, **options)
        except OperationalError as error:
            self._checks.say_unreachable(error)
            raise
        try:
            await connection.set_autocommit(True)
            await self._checks.require_usable(connection)
        except BaseException:
            await connection.close()
            raise
        self._checks.say_reached()
        return connection


def _how_to_migrate(release: Release) -> str:
    return (
        f"run make migrate, or in containers docker compose run --rm {release.service}-migrations"
    )
