"""A database connection that reads rows in chunks and stops abandoned statements."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

from psycopg import (
    AsyncConnection,
    AsyncRawCursor,
    Error,
    InternalError,
    OperationalError,
    generators,
    pq,
    waiting,
)
from psycopg.abc import RV, PQGen
from psycopg.errors import (
    DuplicatePreparedStatement,
    FeatureNotSupported,
    InsufficientPrivilege,
    InvalidColumnReference,
    InvalidSqlStatementName,
    NotNullViolation,
    UndefinedColumn,
    UndefinedFunction,
    UndefinedTable,
)
from psycopg.pq.abc import PGconn, PGresult
from psycopg.rows import DictRow, dict_row, tuple_row

from common.database.prepared_statements import StatementCache
from common.logging import log

FINISH_SECONDS: Final = 0.05
"""How long an abandoned statement may still run.

Most statements end within this time, so that their connection can be used again.
"""

CANCEL_SECONDS: Final = 1.0
"""How long the request to cancel a statement may take."""

SCHEMA_ERRORS: Final = (
    InsufficientPrivilege,
    InvalidColumnReference,
    NotNullViolation,
    UndefinedColumn,
    UndefinedFunction,
    UndefinedTable,
)
"""Errors of statements that were made for another schema, for example before a migration."""

UNUSABLE_IF_PREPARED: Final = (
    InvalidSqlStatementName,  # a pooler has lost the prepared statement, or somebody its session
    DuplicatePreparedStatement,  # a pooler has brought another session
    FeatureNotSupported,  # a migration has changed the type of a column that it returns
)
"""Errors of statements that would succeed if they were not prepared."""

Result = TypeVar("Result")


class Connection(AsyncConnection[tuple[object, ...]]):
    """A connection whose statements can be abandoned: a cancelled task ends at once.

    The driver itself would send a cancel request, and wait up to 10 s for a server that is gone.
    """

    check: Callable[[], Awaitable[None]] | None = None
    """Raises if the database does not fit the release; None if nothing is checked."""

    def __init__(self, pgconn: PGconn) -> None:
        super().__init__(pgconn, row_factory=tuple_row)
        self.prepared = StatementCache()
        self._prepared = self.prepared

    async def wait(
        self,
        gen: PQGen[RV],
        interval: float = 0.1,
        timeout: float | None = None,  # noqa: ASYNC109 - the driver's signature
    ) -> RV:
        """Wait for the server; return at once when cancelled."""
        return await waiting.wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)

    @property
    def is_idle(self) -> bool:
        """Whether the last statement has ended."""
        return self.pgconn.transaction_status == pq.TransactionStatus.IDLE

    async def check_again(self) -> None:
        """Check the database after one of `SCHEMA_ERRORS`: it may have been migrated meanwhile.

        Raises:
            Unavailable: The database does not fit the release any more.
        """
        if self.check is None:
            return
        if not self.is_idle:
            await self.rollback()
        await self.check()

    async def run_statement(self, start: Callable[[], Awaitable[Result]]) -> Result:
        """Run a statement that is its own transaction.

        If its prepared form cannot be used, it is run again without it: a statement that failed
        has left nothing. The connection then prepares no more; another one soon replaces it.

        Args:
            start: Sends the statement, and returns its first rows.

        Raises:
            Unavailable: It failed because the database does not fit the release any more.
        """
        try:
            try:
                return await start()
            except UNUSABLE_IF_PREPARED as error:
                self._stop_preparing(error)
                return await start()
        except SCHEMA_ERRORS:
            await self.check_again()
            raise

    def _stop_preparing(self, error: Error) -> None:
        if self.prepare_threshold is None:
            raise error
        self.prepare_threshold = None
        log(
            "warning",
            f"A prepared statement could not be used (SQLSTATE {error.sqlstate}): it is repeated, "
            "and its connection prepares no more.",
        )

    async def stop(self) -> None:
        """Wait briefly for the running statement, else cancel it and close the connection.

        A connection is not used again after a cancel request, which could reach its next statement.
        """
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                while await self.wait(generators.fetch(self.pgconn)):
                    pass
        except (TimeoutError, Error):
            with suppress(Error):
                await self.cancel_safe(timeout=CANCEL_SECONDS)
            await self.close()


def connection_lost(
    error: OperationalError, connection: AsyncConnection[tuple[object, ...]]
) -> OperationalError:
    """Return the error with `pgconn`: no statement of the request was sent, so it is repeated."""
    return OperationalError(*error.args, pgconn=connection.pgconn)


class ChunkedCursor(AsyncRawCursor[DictRow]):
    """A cursor that returns rows in chunks while they arrive, from prepared statements.

    The driver's own `stream` prepares no statement, and planning a list costs the server more than
    reading it. The code is that of `execute` in `psycopg._cursor_base`, with chunks added.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, row_factory=dict_row)
        self._connection = connection
        self._rows_at_once = 0
        self._has_loaders = False
        self._validate: Callable[[Sequence[PGresult]], None] | None = None
        self.is_ended = False

    async def start(
        self, text: bytes, values: Sequence[object], rows_at_once: int
    ) -> list[DictRow]:
        """Send a statement, and return its first rows. May be called again if it fails."""
        self._rows_at_once = rows_at_once
        self.is_ended = False
        result = await self._connection.wait(self._run(text, values))
        return self._load(result)

    async def next_rows(self) -> list[DictRow]:
        """Return the next rows of a statement that has not ended yet."""
        result = await self._connection.wait(self._fetch())
        return self._load(result)

    def _load(self, result: PGresult | None) -> list[DictRow]:
        if result is None:
            return []
        self.pgresult = result
        self._tx.set_pgresult(result, set_loaders=not self._has_loaders)
        if not self._has_loaders:
            self._make_row = self._make_row_maker()
            self._has_loaders = True
        return self._tx.load_rows(0, result.ntuples, self._make_row)

    def abandon(self) -> None:
        """Give up a statement before its end: it does not count as a success."""
        self._validate_prepared([])

    def _run(self, text: bytes, values: Sequence[object]) -> PQGen[PGresult | None]:
        yield from self._start_query(text)
        query = self._convert_query(text, values)
        prepare, name = self._get_prepared(query)
        if prepare.name == "SHOULD":
            self._send_prepare(name, query)
            self._check_results((yield from generators.execute(self._pgconn)))
        if name:
            self._send_query_prepared(name, query)
        else:
            self._execute_send(query, force_extended=True)
        key = self._connection.prepared.maybe_add_to_cache(query, prepare, name)
        if key is not None:
            self._validate = partial(self._connection.prepared.validate, key, prepare, name)
        self._pgconn.set_chunked_rows_mode(self._rows_at_once)
        yield from generators.send(self._pgconn)
        return (yield from self._fetch())

    def _fetch(self) -> PQGen[PGresult | None]:
        """Fetch a chunk; if it is not full, it is the last one, and the end is fetched, too."""
        result = yield from generators.fetch(self._pgconn)
        if result is None or result.status != pq.ExecStatus.TUPLES_CHUNK:
            yield from self._end(result)
            return None
        if result.ntuples < self._rows_at_once:
            yield from self._end((yield from generators.fetch(self._pgconn)))
        return result

    def _end(self, result: PGresult | None) -> PQGen[None]:
        if result is None:
            raise InternalError("a statement ended without a result")
        while (yield from generators.fetch(self._pgconn)):
            pass
        self.is_ended = True
        if result.status != pq.ExecStatus.TUPLES_OK:
            self._raise_for_result(result)
        self._validate_prepared([result])

    def _validate_prepared(self, results: Sequence[PGresult]) -> None:
        """Report the results of a new statement to the driver's cache of prepared statements."""
        if self._validate is not None:
            self._validate(results)
            self._validate = None
