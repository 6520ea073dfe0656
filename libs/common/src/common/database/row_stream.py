"""Rows of one statement, read while the database sends them."""

from functools import partial
from typing import Final

from psycopg.rows import DictRow
from sqlalchemy import Executable

from common.database.connection import ChunkedCursor
from common.database.execution import retry_once
from common.database.pool import Database, PooledConnection, check_out
from common.database.statements import Row, bind, merge_parameters
from common.tracing.spans import statement_span

ROWS_AT_ONCE: Final = 16
"""Rows of a stream that are in memory together; each can be 40 kB."""


class RowStream:
    """The rows of one statement. Holds a connection until all rows are read, or it is closed."""

    def __init__(
        self, pooled: PooledConnection, cursor: ChunkedCursor, first_rows: list[DictRow]
    ) -> None:
        self.first = first_rows
        """The first rows, until `next_rows` returns them."""

        self.is_waiting = False
        """Whether `next_rows` waits for the database at the moment."""

        self._pooled: PooledConnection | None = pooled
        self._cursor = cursor
        self._release_if_ended()

    @property
    def is_open(self) -> bool:
        """Whether there may be more rows."""
        return self._pooled is not None or bool(self.first)

    async def next_rows(self) -> list[DictRow]:
        """Return the next rows, at most `ROWS_AT_ONCE`; none after the last one."""
        if self.first:
            rows = self.first
            self.first = []
            return rows
        if self._pooled is None:
            return []
        self.is_waiting = True
        try:
            return await self._cursor.next_rows()
        finally:
            self.is_waiting = False
            self._release_if_ended()

    def close(self) -> None:
        """Stop the statement unless it has ended. Not while `next_rows` waits."""
        self.first = []
        self._release()

    def _release_if_ended(self) -> None:
        if self._cursor.is_ended:
            self._release()

    def _release(self) -> None:
        if self._pooled is not None:
            self._cursor.abandon()
            self._pooled.release()
            self._pooled = None


async def open_stream(
    database: Database, statement: Executable, parameters: Row | None = None, /, **named: object
) -> RowStream:
    """Run a statement that only reads, and return its rows as they arrive. The caller closes it.

    Arguments as of `fetch_all`.

    Raises:
        psycopg.Error: As `fetch_all`; nothing is repeated after the first rows.
        sqlalchemy.exc.TimeoutError: All connections were busy for too long.
    """
    return await retry_once(_open, database, statement, merge_parameters(parameters, named))


async def _open(database: Database, statement: Executable, parameters: Row) -> RowStream:
    bound = bind(statement, parameters)
    with statement_span(bound.text):  # until the first rows: the others wait for the client
        pooled = await check_out(database)
        cursor = ChunkedCursor(pooled.connection)
        try:
            first_rows = await pooled.connection.run_statement(
                partial(cursor.start, bound.text, bound.values, ROWS_AT_ONCE)
            )
        except BaseException:
            cursor.abandon()
            pooled.release()
            raise
    return RowStream(pooled, cursor, first_rows)
