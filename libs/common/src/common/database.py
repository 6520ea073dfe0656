"""The way to the database: one engine for each service, and one helper that runs statements."""

import asyncio
import random
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from typing import Final, TypeAlias, cast

from prometheus_client import Gauge
from psycopg import AsyncConnection, AsyncRawCursor, Error, OperationalError, pq, waiting
from psycopg.abc import RV, PQGen
from psycopg.rows import DictRow, dict_row
from sqlalchemy import ClauseElement, Executable, event, make_url, pool, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DisconnectionError, InvalidatePoolError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.sql.compiler import SQLCompiler

from common.pages import State

POOL: Final = {"pool_size": 10, "max_overflow": 0, "pool_timeout": 1.5, "pool_recycle": 240, "pool_use_lifo": True}
"""Ten connections at most, all kept, because to open one costs more than ten requests; in seconds: a request waits 1.5
for one, and none that is older than 240 is used again: Neon sleeps after 300."""

_KEEP_ALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 6000}
"""Seconds (the last one milliseconds): only together they bound a connection that is dead without having said so."""

CONNECTIONS: Final = Gauge("database_connections_busy", "Connections that a request holds.")
"""A pool whose connections are all busy lets requests wait."""

_SIGN_OF_LIFE: Final = select(1)

_DIALECT: Final = postgresql.psycopg.dialect(paramstyle="numeric_dollar")
"""Numbers the values as the database does, so that the driver need not read the text with every request."""

Row = Mapping[str, object]
"""What a statement returns, by the names of its columns."""

Session: TypeAlias = AsyncEngine
"""What statements are run on: each takes a connection for as long as it runs, and no longer."""


class _Connection(AsyncConnection[tuple[object, ...]]):
    """A connection that is closed as soon as nobody waits for its answer any more.

    The driver would first ask the server to cancel, and wait up to 10 s where nobody answers.
    """

    async def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:  # noqa: ASYNC109 - the driver's signature
        return await waiting.wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)


@asynccontextmanager
async def engine_lifespan(address: str) -> AsyncGenerator[AsyncEngine]:
    """Keep an engine for a URL such as `postgresql://user:password@host/name`; it connects when it is first used.

    Each statement is a transaction of its own (AUTOCOMMIT), so it costs one round trip.
    """
    url = make_url(address).set(drivername="postgresql+psycopg")
    pooler = {"prepare_threshold": None} if "-pooler" in (url.host or "") else {}
    # A sleeping database wakes up within ten seconds.
    driver = {"connect_timeout": 10, **_KEEP_ALIVE, **pooler, "async_creator_fn": _Connection.connect}
    alone = {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}  # nothing is left to be rolled back
    engine = create_async_engine(url, connect_args=driver, **alone, **POOL)
    event.listen(engine.pool, "checkout", _require_alive)
    CONNECTIONS.set_function(cast("pool.QueuePool", engine.pool).checkedout)
    try:
        yield engine
    finally:
        await engine.dispose()


async def rows(session: Session, statement: Executable, **values: object) -> list[DictRow]:
    """Run a statement and return its rows; one with the execution option `writes` must not be sent twice.

    Raises:
        psycopg.Error: The database is lost, or the statement failed; the frame makes a 500 of it. What is safe to
            repeat was repeated once.
        sqlalchemy.exc.TimeoutError: All connections were busy for too long.
    """
    try:
        return await _run(session, statement, values)
    except OperationalError as error:
        if not _is_repeatable(error, statement):
            raise
    await asyncio.sleep(random.uniform(0, 0.05))  # noqa: S311 - jitter is no secret
    return await _run(session, statement, values)


async def row(session: Session, statement: Executable, **values: object) -> Row | None:
    """Run a statement and return its first row, if there is one; raises as `rows` does."""
    return next(iter(await rows(session, statement, **values)), None)


async def state_of(session: Session) -> State:
    """Ask the database for a sign of life, and wait a second for it."""
    with suppress(TimeoutError, SQLAlchemyError, Error):
        await asyncio.wait_for(rows(session, _SIGN_OF_LIFE), timeout=1)
        return "ok"
    return "unavailable"


@lru_cache(maxsize=1_024)  # some are built for each combination of filters: not all can be kept
def _written(statement: Executable) -> tuple[bytes, list[str], Row]:
    """Write a statement as the database reads it, with the names of its values and those that it brings along."""
    compiled = cast("SQLCompiler", cast("ClauseElement", statement).compile(dialect=_DIALECT))
    brought = {name: value.value for value, name in compiled.bind_names.items() if not value.required}
    return compiled.string.encode(), compiled.positiontup or [], brought


async def _run(session: Session, statement: Executable, values: Row) -> list[DictRow]:
    text, names, brought = _written(statement)
    given = [values[name] if name in values else brought[name] for name in names]
    pooled = await session.raw_connection()
    connection = cast("_Connection", pooled.driver_connection)
    try:
        cursor = AsyncRawCursor(connection, row_factory=dict_row)
        return await (await cursor.execute(text, given)).fetchall()
    finally:
        if not connection.broken and connection.pgconn.transaction_status != pq.TransactionStatus.IDLE:
            await connection.close()
        pooled.close()


def _is_repeatable(error: OperationalError, statement: Executable) -> bool:
    """Tell whether a statement may be sent once more: it never was, or the database asks for it, or a read got lost.

    The database asks for it after a serialization failure or a deadlock; a server that is killed says nothing at all.
    Source: PostgreSQL, appendix A.
    """
    lost = error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))
    lost_read = lost and not statement.get_execution_options().get("writes")
    return error.pgconn is not None or lost_read or error.sqlstate in {"40001", "40P01"}


def _require_alive(_: object, entry: pool.ConnectionPoolEntry, __: object) -> None:
    """Have a connection replaced that has ended, and all older ones as well unless it was we who ended it."""
    connection = cast("_Connection", entry.driver_connection)
    with suppress(OperationalError):
        return connection.pgconn.consume_input()
    raise InvalidatePoolError if connection.broken else DisconnectionError
