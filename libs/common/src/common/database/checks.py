"""Check that a database fits the release.

This is done for each new connection, for readiness, and when a statement fails as if it was made
for another schema. If the database does not fit, requests get 503. `/readyz` and the log say in one
sentence what an operator has to do.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from psycopg import AsyncConnection, AsyncRawCursor, OperationalError
from psycopg.errors import FeatureNotSupported, InsufficientPrivilege, UndefinedTable
from psycopg.rows import class_row

from common.database.connection import Connection, connection_lost
from common.database.history import CLAIM_HISTORY, IS_SAME_HISTORY, UNLIMITED, tell_new_history
from common.database.prepared_statements import Finding
from common.database.release import (
    SCHEMA,
    SERVER,
    Facts,
    Release,
    find_missing_limit,
    find_schema_fault,
    find_server_fault,
)
from common.database.unreachable import explain_failure
from common.logging import log
from common.problems import Unavailable

NOT_READY_CODE: Final = "database-not-ready"
"""Problem code of requests while the database does not fit the release."""


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
            raise Unavailable(NOT_READY_CODE, detail, reason=problem)
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
        self._log_change("connection", "warning", explain_failure(error))

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
