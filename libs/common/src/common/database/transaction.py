"""Several statements in one transaction."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from psycopg import AsyncRawCursor
from psycopg.rows import DictRow, dict_row
from sqlalchemy import Executable

from common.database.connection import SCHEMA_ERRORS, Connection
from common.database.pool import Database, check_out
from common.database.statements import Row, bind, merge_parameters
from common.tracing.spans import statement_span


class Transaction:
    """A transaction on a connection of its own. Nothing in it is repeated."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def fetch_all(
        self, statement: Executable, parameters: Row | None = None, /, **named: object
    ) -> list[DictRow]:
        """Run a statement and return its rows.

        Raises:
            psycopg.Error: The connection is lost, or the statement failed.
            Unavailable: It failed because the schema does not fit the release any more.
        """
        bound = bind(statement, merge_parameters(parameters, named))
        return await self._execute(bound.text, bound.values)

    async def fetch_one(
        self, statement: Executable, parameters: Row | None = None, /, **named: object
    ) -> Row | None:
        """Run a statement and return its first row, or None. Errors: see `fetch_all`."""
        rows = await self.fetch_all(statement, merge_parameters(parameters, named))
        if not rows:
            return None
        return rows[0]

    async def begin(self) -> None:
        """Begin. Each statement sees what was committed before that statement."""
        await self._execute(b"BEGIN ISOLATION LEVEL READ COMMITTED")

    async def commit(self) -> None:
        """Commit."""
        await self._execute(b"COMMIT")

    async def _execute(self, text: bytes, values: Sequence[object] = ()) -> list[DictRow]:
        cursor = AsyncRawCursor(self._connection, row_factory=dict_row)
        try:
            with statement_span(text):
                # An error would end the transaction: nothing depends on what was prepared before.
                await cursor.execute(text, values, prepare=False)
        except SCHEMA_ERRORS:
            await self._connection.check_again()
            raise
        if cursor.description is None:
            return []
        return await cursor.fetchall()


@asynccontextmanager
async def open_transaction(database: Database) -> AsyncGenerator[Transaction]:
    """Run the block in a transaction. After an error its statement is stopped and nothing stays.

    Raises:
        psycopg.Error: The connection is lost, or the commit failed.
        sqlalchemy.exc.TimeoutError: All connections were busy for too long.
    """
    pooled = await check_out(database)
    transaction = Transaction(pooled.connection)
    try:
        await transaction.begin()
        yield transaction
        await transaction.commit()
    finally:
        pooled.release()
