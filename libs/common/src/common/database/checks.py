"""Check that a database fits the release.

This is done for each new connection, for readiness, and when a statement fails as if it was made
for another schema. If the database does not fit, requests get 503. `/readyz` and the log say in one
sentence what an operator has to do.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, LiteralString

from psycopg import AsyncConnection, AsyncRawCursor, OperationalError
from psycopg.errors import FeatureNotSupported, InsufficientPrivilege, UndefinedTable
from psycopg.rows import class_row
from sqlalchemy import Update

from common.database.connection import Connection
from common.database.history import CLAIM_HISTORY, IS_SAME_HISTORY, UNLIMITED, tell_new_history
from common.database.preparation import Finding
from common.database.statements import DIALECT
from common.database.unreachable import explain_failure
from common.logging import log
from common.problems import Unavailable

POSTGRES_MIN: Final = 18
"""Oldest supported major version of PostgreSQL.

It is the first with full case folding (`casefold`, `pg_unicode_fast`).
"""

STATEMENT_MAX_SECONDS: Final = 5
"""Statement timeout of a service: as long as a request may take."""

CODE: Final = "database-not-ready"
"""Problem code of requests while the database does not fit the release."""

REFUSED_PARAMETER: Final = "unsupported startup parameter"
"""What PgBouncer says about `options` in a URL. Source: PgBouncer, src/client.c."""

COMPATIBLE_FROM: Final = "oldest revision whose release works with this schema: {}"
"""Format of the comment on the table `alembic_version`.

A release that is older than the schema reads there whether it works with it.
"""

_COMPATIBLE_FROM: Final = re.compile(re.escape(COMPATIBLE_FROM).replace(r"\{\}", r"(\w+)"))

SERVER: Final[LiteralString] = """
SELECT current_setting('server_version_num')::int / 10000 AS major_version,
       current_setting('server_encoding') AS encoding,
       current_setting('transaction_isolation') AS isolation,
       pg_is_in_recovery() AS is_standby,
       current_setting('transaction_read_only')::bool AS is_read_only,
       extract(epoch FROM current_setting('statement_timeout')::interval)::float8
           AS statement_seconds,
       session_user::text AS role,
       format(
           'ALTER ROLE %I IN DATABASE %I SET statement_timeout = ''5s''',
           session_user, current_database()
       ) AS remedy
"""
"""Read the properties of server and session in one round trip; every role may do so."""

SCHEMA: Final[LiteralString] = """,
       ARRAY(SELECT version_num::text FROM alembic_version) AS revisions,
       obj_description('alembic_version'::regclass, 'pg_class') AS comment,
       ARRAY(
           SELECT name FROM unnest($1::text[]) AS name
           CROSS JOIN unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS privilege
           WHERE NOT coalesce(has_table_privilege(to_regclass(name), privilege), false)
           GROUP BY name
       ) AS forbidden_tables
"""
"""Further columns of `SERVER` about the schema.

PostgreSQL rejects them (`UndefinedTable`) in a database that was never migrated.
"""


@dataclass(frozen=True)
class Release:
    """What this release of a service requires of its database."""

    service: str
    """Name of the service and of its migrations."""

    revisions: tuple[str, ...]
    """All revisions that the release knows, oldest first. The last one is its own schema."""

    compatible_from: str
    """The oldest revision whose release works with the schema of the last revision."""

    tables: tuple[str, ...]
    """Names of the tables that the service reads and writes."""

    raise_versions: Update | None = None
    """Statement that begins a new history after a restore; None if rows have no versions."""

    @property
    def raise_versions_text(self) -> bytes:
        """SQL of `raise_versions`; empty if there is none."""
        if self.raise_versions is None:
            return b""
        compiled = self.raise_versions.compile(
            dialect=DIALECT, compile_kwargs={"literal_binds": True}
        )
        return compiled.string.encode()


@dataclass(frozen=True)
class Facts:
    """Properties of a database; `revisions` is empty if it was never migrated."""

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
    """Return, as one sentence, why no release works with the server or session, or None."""
    if facts.major_version < POSTGRES_MIN:
        return f"PostgreSQL {facts.major_version} is too old: {POSTGRES_MIN} or newer is needed."
    if facts.encoding != "UTF8":
        return (
            f"Its encoding is {facts.encoding}: make one with "
            "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0."
        )
    if facts.is_standby:
        return "The server is a standby, which cannot be written to: name the primary in the URL."
    if facts.is_read_only:
        return (
            "It is read-only: ALTER DATABASE or ALTER ROLE … RESET default_transaction_read_only."
        )
    if facts.isolation != "read committed":
        return (
            f"Its transactions are {facts.isolation}: "
            "ALTER DATABASE … RESET default_transaction_isolation."
        )
    return None


def find_schema_fault(facts: Facts, release: Release) -> str | None:
    """Return, as one sentence, why this release does not work with the schema, or None.

    Revisions that the release does not know are newer ones. The release works with them unless the
    comment on `alembic_version` says otherwise.
    """
    newest_revision = release.revisions[-1]
    if not facts.revisions:
        return f"It was never migrated: {_how_to_migrate(release)}."
    unknown_revisions = set(facts.revisions) - set(release.revisions)
    if unknown_revisions:
        return find_incompatibility(facts.comment, release)
    if newest_revision not in facts.revisions:
        return (
            f"Its revision {facts.revisions[0]} is older than {newest_revision}: "
            f"{_how_to_migrate(release)}."
        )
    if facts.forbidden_tables:
        tables = ", ".join(facts.forbidden_tables)
        return f"The role {facts.role} may not read and write {tables}: GRANT it the rights."
    return None


def find_incompatibility(comment: str | None, release: Release) -> str | None:
    """Return, as one sentence, why the release is too old for a newer schema, or None.

    Args:
        comment: The comment on the table `alembic_version`.
        release: The release that is older than the schema.
    """
    match = _COMPATIBLE_FROM.fullmatch(comment or "")
    if not match or match[1] in release.revisions:
        return None
    return (
        f"Its schema is too new for this release, which ends at {release.revisions[-1]}: "
        "start a newer one."
    )


def find_missing_limit(facts: Facts) -> str | None:
    """Return, as one sentence, how to set a missing statement timeout, or None if it is set."""
    if 0 < facts.statement_seconds <= STATEMENT_MAX_SECONDS:
        return None
    return (
        f"Nothing ends statements of the role {facts.role} after {STATEMENT_MAX_SECONDS} seconds, "
        f"so abandoned ones go on: {facts.remedy}; and connect anew."
    )


class DatabaseChecks:
    """Checks whether a database fits the release, and logs each change of the result once."""

    def __init__(self, release: Release) -> None:
        self._release = release
        self._logged_sentences = dict[str, str | None]()
        self._new_history_task: asyncio.Task[None] | None = None
        self.open: Callable[[], Awaitable[Connection]] | None = None
        """Opens a further connection; set when the first one is opened."""

    async def require_usable(self, connection: AsyncConnection[tuple[object, ...]]) -> None:
        """Check a connection that is outside of any transaction, in one or two round trips.

        Raises:
            Unavailable: The database does not fit the release; `reason` says why.
            psycopg.OperationalError: The connection is lost. No statement of a request was lost
                with it.
        """
        try:
            facts = await self._read_facts(connection)
        except InsufficientPrivilege:
            problem = "The role may not read the table alembic_version: GRANT it the right."
        except OperationalError as error:
            raise connection_lost(error, connection) from error
        else:
            problem = find_server_fault(facts) or find_schema_fault(facts, self._release)
            if not problem:
                self._log_change("limit", "warning", find_missing_limit(facts))
        self.say_unusable(problem)
        if problem:
            detail = "The database is not prepared for this release."
            raise Unavailable(CODE, detail, reason=problem)
        if self._release.raise_versions is None:
            return
        if not await self._is_same_history(connection):
            await self._begin_new_history()

    @property
    def is_unusable(self) -> bool:
        """Whether the last check failed; connections that were opened before are unusable, too."""
        return self._logged_sentences.get("usability") is not None

    def say_unusable(self, reason: str | None) -> None:
        """Log why the database is unusable, if the reason is a new one; None if it is usable."""
        self._log_change("usability", "error", reason)

    def say_unreachable(self, error: BaseException) -> None:
        """Log that a connection could not be opened, if the error is a new one."""
        sentence = explain_failure(error)
        if REFUSED_PARAMETER in sentence:
            sentence = (
                "A pooler in front of it refuses the parameter options of the URL: "
                "leave it out, and use ALTER ROLE … SET instead."
            )
        self._log_change("connection", "warning", sentence)

    def say_prepared(self, finding: Finding) -> None:
        """Log whether statements are prepared, and why, if that is news."""
        level = "info"
        if not finding.prepares:
            level = "warning"
        self._log_change("preparation", level, finding.sentence)

    def say_reached(self) -> None:
        """Note that a connection was opened, so that the next failure is logged again."""
        self._log_change("connection", "warning", None)

    async def close(self) -> None:
        """Cancel the start of a new history; the next process that connects repeats it."""
        if self._new_history_task:
            self._new_history_task.cancel()
            await asyncio.wait([self._new_history_task])

    async def _is_same_history(self, connection: AsyncConnection[tuple[object, ...]]) -> bool:
        cursor = AsyncRawCursor(connection)
        try:
            await cursor.execute(IS_SAME_HISTORY, prepare=False)
            [row] = await cursor.fetchall()
        except OperationalError as error:
            raise connection_lost(error, connection) from error
        except (InsufficientPrivilege, FeatureNotSupported):
            sentence = (
                "It does not tell whether it was restored: "
                "after that, run python -m tasks.restored yourself."
            )
            self._log_change("history", "warning", sentence)
            return True
        return bool(row[0])

    async def _begin_new_history(self) -> None:
        """Begin a new history once for all connections that wait for it.

        The task continues when the request that started it is cancelled.
        """
        if self._new_history_task is None or self._new_history_task.done():
            self._new_history_task = asyncio.create_task(self._raise_versions())
        await asyncio.shield(self._new_history_task)

    async def _raise_versions(self) -> None:
        """Raise all versions before the new history is served; one of several processes does it."""
        if self.open is None:
            return
        connection = await self.open()
        try:
            async with connection.transaction():
                cursor = AsyncRawCursor(connection)
                await cursor.execute(UNLIMITED)
                await cursor.execute(CLAIM_HISTORY)
                claimed_rows = await cursor.fetchall()
                if not claimed_rows:
                    return
                await cursor.execute(self._release.raise_versions_text)
                if cursor.rowcount:
                    sentence = tell_new_history(cursor.rowcount)
                    log("warning", f"The database of {self._release.service}: {sentence}")
        finally:
            await connection.close()

    async def _read_facts(self, connection: AsyncConnection[tuple[object, ...]]) -> Facts:
        cursor = AsyncRawCursor(connection, row_factory=class_row(Facts))
        try:
            await cursor.execute(SERVER + SCHEMA, [list(self._release.tables)], prepare=False)
        except UndefinedTable:
            await cursor.execute(SERVER, prepare=False)
        [facts] = await cursor.fetchall()
        return facts

    def _log_change(self, topic: str, level: str, sentence: str | None) -> None:
        """Log a sentence unless it is the last one of its topic; None ends what was logged."""
        if sentence and sentence != self._logged_sentences.get(topic):
            log(level, f"The database of {self._release.service}: {sentence}")
        self._logged_sentences[topic] = sentence


def connection_lost(
    error: OperationalError, connection: AsyncConnection[tuple[object, ...]]
) -> OperationalError:
    """Return the error with `pgconn`: no statement of the request was sent, so it is repeated."""
    return OperationalError(*error.args, pgconn=connection.pgconn)


def _how_to_migrate(release: Release) -> str:
    return (
        f"run make migrate, or in containers docker compose run --rm {release.service}-migrations"
    )
