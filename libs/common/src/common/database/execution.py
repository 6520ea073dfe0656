"""Run one statement, and repeat it once where that is safe."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeAlias, TypeVar

from psycopg import AsyncRawCursor, OperationalError
from psycopg.rows import DictRow, dict_row
from sqlalchemy import Executable

from common.database.pool import Database, check_out
from common.database.statements import Row, bind, merge_parameters
from common.tracing.spans import statement_span

RETRY_PAUSE_MAX_SECONDS: Final = 0.05
"""A repeated statement waits a random time up to this."""

_CONNECTION_LOST: Final = ("08", "57P")
"""SQLSTATE classes: connection exception, operator intervention. Source: PostgreSQL, appendix A."""

_REPEATABLE: Final = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock: the database asks for a repetition."""

Result = TypeVar("Result")

Run: TypeAlias = Callable[[Database, Executable, Row], Awaitable[Result]]
"""Runs a statement once."""


async def fetch_all(
    database: Database, statement: Executable, parameters: Row | None = None, /, **named: object
) -> list[DictRow]:
    """Run a statement and return its rows.

    A statement whose connection is lost is repeated once, unless it has the execution option
    `not_idempotent`.

    Args:
        database: Where to run it.
        statement: A SQLAlchemy statement that returns rows.
        parameters: Values of its bind parameters by name.
        named: Further values, as keyword arguments.

    Raises:
        psycopg.Error: The connection is lost, or the statement failed; the client gets a 500.
        sqlalchemy.exc.TimeoutError: All connections were busy for too long.
    """
    return await retry_once(_fetch, database, statement, merge_parameters(parameters, named))


async def fetch_one(
    database: Database, statement: Executable, parameters: Row | None = None, /, **named: object
) -> Row | None:
    """Run a statement and return its first row, or None. Arguments and errors: see `fetch_all`."""
    merged = merge_parameters(parameters, named)
    rows = await retry_once(_fetch, database, statement, merged)
    if not rows:
        return None
    return rows[0]


async def retry_once(
    run: Run[Result], database: Database, statement: Executable, parameters: Row
) -> Result:
    """Run a statement, and once more if that is safe after the error that it failed with."""
    try:
        return await run(database, statement, parameters)
    except OperationalError as error:
        if not _is_repeatable(error, statement):
            raise
    await asyncio.sleep(random.uniform(0, RETRY_PAUSE_MAX_SECONDS))  # noqa: S311 - jitter is no secret
    return await run(database, statement, parameters)


async def _fetch(database: Database, statement: Executable, parameters: Row) -> list[DictRow]:
    bound = bind(statement, parameters)
    with statement_span(bound.text):
        pooled = await check_out(database)
        try:
            cursor = AsyncRawCursor(pooled.connection, row_factory=dict_row)
            await pooled.connection.run_statement(partial(cursor.execute, bound.text, bound.values))
            return await cursor.fetchall()
        finally:
            pooled.release()


def _is_repeatable(error: OperationalError, statement: Executable) -> bool:
    """Tell whether a statement may be sent a second time after this error."""
    # psycopg sets `pgconn` only if connecting failed; `connection_lost` does the same.
    was_never_sent = error.pgconn is not None
    if was_never_sent or error.sqlstate in _REPEATABLE:
        return True
    # A server that is killed reports no SQLSTATE at all.
    is_lost = error.sqlstate is None or error.sqlstate.startswith(_CONNECTION_LOST)
    is_idempotent = not statement.get_execution_options().get("not_idempotent")
    return is_lost and is_idempotent
