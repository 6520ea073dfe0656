"""The way to the database: one engine for each service, and one helper that runs statements."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias, TypeVar, cast

from prometheus_client import Gauge
from psycopg import AsyncRawCursor, Error, OperationalError
from psycopg.rows import DictRow, dict_row
from sqlalchemy import ClauseElement, Executable, event, make_url, pool, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DisconnectionError, InvalidatePoolError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.sql.compiler import SQLCompiler

from common.database_checks import CODE, Connector, DatabaseChecks
from common.database_connection import ChunkedCursor, Connection
from common.health import HealthStatus
from common.problems import Unavailable

POOL: Final = {
    "pool_size": 10,
    "max_overflow": 0,
    "pool_timeout": 1.5,
    "pool_recycle": 240,
    "pool_use_lifo": True,
}
"""Ten connections at most, all kept, because to open one costs more than ten requests; in seconds: a request waits 1.5
for one, and none that is older than 240 is used again: Neon sleeps after 300."""

_KEEP_ALIVE = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 6000,
}
"""Seconds (the last one milliseconds): only together they bound a connection that is dead without having said so."""

CONNECTIONS: Final = Gauge("database_connections_busy", "Connections that a request holds.")
"""A pool whose connections are all busy lets requests wait."""

_SIGN_OF_LIFE: Final = select(1)

DIALECT: Final = postgresql.psycopg.dialect(paramstyle="numeric_dollar")
"""Numbers the values as the database does, so that the driver need not read the text with every request."""

ROWS_AT_ONCE: Final = 16
"""Rows of a stream that are in memory together; each can be 40 kB."""

_STOPPING: Final[set[asyncio.Task[None]]] = set()
"""Statements that nobody waits for any more, and whose connections are not back yet: nothing else keeps their tasks."""

Row = Mapping[str, object]
"""What a statement returns, by the names of its columns."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class LimitedDatabase:
    """An engine for one user: each connection takes one of the user's slots, and they are waited for in order."""

    engine: AsyncEngine
    slots: asyncio.Semaphore


Database: TypeAlias = AsyncEngine | LimitedDatabase
"""What statements are run on: each takes a connection for as long as it runs, and no longer."""


_Run: TypeAlias = Callable[[Database, Executable, Row], Awaitable[Result]]


@asynccontextmanager
async def engine_lifespan(
    address: str, checks: DatabaseChecks | None = None
) -> AsyncGenerator[AsyncEngine]:
    """Keep an engine for a URL such as `postgresql://user:password@host/name`.

    Each statement is a transaction of its own (AUTOCOMMIT), so it costs one round trip. Every new connection passes the
    checks, and the first one is opened at once.
    """
    url = make_url(address).set(drivername="postgresql+psycopg")
    pooler = {"prepare_threshold": None} if "-pooler" in (url.host or "") else {}
    # A sleeping database wakes up within ten seconds.
    driver = {"connect_timeout": 10, "client_encoding": "UTF8", **_KEEP_ALIVE, **pooler}
    alone = {
        "isolation_level": "AUTOCOMMIT",
        "pool_reset_on_return": None,
    }  # nothing is left to be rolled back
    connect = {**driver, "async_creator_fn": Connector(checks).connect}
    engine = create_async_engine(url, connect_args=connect, **alone, **POOL)
    event.listen(engine.pool, "checkout", _require_alive)
    if checks:
        event.listen(engine.pool, "checkout", _ask_again(checks))
    CONNECTIONS.set_function(cast("pool.QueuePool", engine.pool).checkedout)
    first_look = asyncio.create_task(_look(engine)) if checks else None
    try:
        yield engine
    finally:
        if first_look:
            first_look.cancel()
            await asyncio.wait([first_look])
        if checks:
            await checks.close()
        await asyncio.gather(*_STOPPING, return_exceptions=True)
        await engine.dispose()


async def fetch_all(session: Database, statement: Executable, **values: object) -> list[DictRow]:
    """Run a statement and return its rows; one with the execution option `writes` must not be sent twice.

    Raises:
        psycopg.Error: The database is lost, or the statement failed; the frame makes a 500 of it. What is safe to
            repeat was repeated once.
        sqlalchemy.exc.TimeoutError: All connections were busy for too long.
    """
    return await _repeat_once(_run, session, statement, values)


async def fetch_one(session: Database, statement: Executable, **values: object) -> Row | None:
    """Run a statement and return its first row, if there is one; raises as `rows` does."""
    return next(iter(await fetch_all(session, statement, **values)), None)


async def check_database(session: Database, checks: DatabaseChecks | None = None) -> HealthStatus:
    """Ask the database for a sign of life, and with checks whether it can be worked with; wait a second for it.

    Raises:
        Unavailable: It cannot; the sentence says why.
    """
    with suppress(TimeoutError, SQLAlchemyError, Error):
        try:
            await asyncio.wait_for(_require_ready(session, checks), timeout=1)
        except Unavailable as error:
            if error.code != CODE:
                raise
            raise Unavailable("not-ready", f"Not ready: database. {error.reason}") from None
        return "ok"
    return "unavailable"


async def _require_ready(session: Database, checks: DatabaseChecks | None) -> None:
    """Look through a connection that requests use; one that is found unusable is not used again."""
    await fetch_all(session, _SIGN_OF_LIFE)
    if checks is None:
        return
    lease = await _lease(session)
    try:
        await checks.require_usable(lease.connection)
    except BaseException:
        await lease.connection.close()
        raise
    finally:
        lease.end()


async def _look(session: Database) -> None:
    """Open the first connection before anybody waits for it, so that the log says what is wrong with the database."""
    with suppress(Unavailable, SQLAlchemyError, Error):
        await fetch_all(session, _SIGN_OF_LIFE)


@lru_cache(maxsize=1_024)  # some are built for each combination of filters: not all can be kept
def _written(statement: Executable) -> tuple[bytes, list[str], Row]:
    """Write a statement as the database reads it, with the names of its values and those that it brings along."""
    compiled = cast("SQLCompiler", cast("ClauseElement", statement).compile(dialect=DIALECT))
    brought = {
        name: value.value for value, name in compiled.bind_names.items() if not value.required
    }
    return compiled.string.encode(), compiled.positiontup or [], brought


class _Lease:
    """A connection for one statement, and the slot that it takes."""

    def __init__(self, pooled: pool.PoolProxiedConnection, slots: asyncio.Semaphore | None) -> None:
        self._pooled = pooled
        self._slots = slots
        self.connection = cast("Connection", pooled.driver_connection)

    def end(self) -> None:
        """Give both back; if the statement still runs, as soon as it was stopped."""
        if self.connection.broken or self.connection.is_idle:
            self._give_back()
            return
        stopping = asyncio.get_running_loop().create_task(self._stop())
        _STOPPING.add(stopping)
        stopping.add_done_callback(_STOPPING.discard)

    async def _stop(self) -> None:
        try:
            await self.connection.stop()
            if not self.connection.is_idle:  # it is in a transaction, which ends with it
                await self.connection.close()
        finally:
            self._give_back()

    def _give_back(self) -> None:
        self._pooled.close()
        if self._slots is not None:
            self._slots.release()


async def _lease(session: Database) -> _Lease:
    if not isinstance(session, LimitedDatabase):
        return _Lease(await session.raw_connection(), None)
    await session.slots.acquire()
    try:
        return _Lease(await session.engine.raw_connection(), session.slots)
    except BaseException:
        session.slots.release()
        raise


class RowStream:
    """The rows of one statement while they arrive. It holds a connection until all are there, or it is closed."""

    def __init__(self, lease: _Lease, cursor: ChunkedCursor, first: list[DictRow]) -> None:
        self.first = first
        """The rows that come next, as long as they are the first ones."""
        self.is_waiting = False
        self._lease: _Lease | None = lease
        self._cursor = cursor
        self._end_lease()

    @property
    def is_open(self) -> bool:
        """Whether there may be more rows."""
        return self._lease is not None or bool(self.first)

    async def next_rows(self) -> list[DictRow]:
        """Return the next rows, `ROWS_AT_ONCE` at most; none after the last one."""
        if self.first:
            found = self.first
            self.first = []
            return found
        if self._lease is None:
            return []
        self.is_waiting = True
        try:
            return await self._cursor.next_rows()
        finally:
            self.is_waiting = False
            self._end_lease()

    def close(self) -> None:
        """Stop the statement unless it has ended; nobody may be waiting for rows."""
        self.first = []
        self._end_lease(abandoned=True)

    def _end_lease(self, *, abandoned: bool = False) -> None:
        if self._lease is not None and (abandoned or self._cursor.is_ended):
            self._cursor.abandon()
            self._lease.end()
            self._lease = None


async def open_stream(session: Database, statement: Executable, **values: object) -> RowStream:
    """Run a statement that reads, and return its rows as they arrive; whoever asks for it must close it.

    Raises:
        psycopg.Error: As `rows`; a connection that is lost after the first rows is not repeated.
        sqlalchemy.exc.TimeoutError: All connections were busy for too long.
    """
    return await _repeat_once(_open, session, statement, values)


class Transaction:
    """Several statements that are one, on a connection of their own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def fetch_all(self, statement: Executable, **values: object) -> list[DictRow]:
        """Run a statement and return its rows; nothing is repeated.

        Raises:
            psycopg.Error: The database is lost, or the statement failed.
        """
        text, given = _with_values(statement, values)
        return await self._run(text, given)

    async def fetch_one(self, statement: Executable, **values: object) -> Row | None:
        """Run a statement and return its first row, if there is one; raises as `rows` does."""
        return next(iter(await self.fetch_all(statement, **values)), None)

    async def _run(self, text: bytes, given: Sequence[object] = ()) -> list[DictRow]:
        cursor = AsyncRawCursor(self._connection, row_factory=dict_row)
        await cursor.execute(text, given)
        return await cursor.fetchall() if cursor.description else []

    async def begin(self) -> None:
        """Begin it. Each statement sees what was committed before that statement."""
        await self._run(b"BEGIN ISOLATION LEVEL READ COMMITTED")

    async def commit(self) -> None:
        """Make it last."""
        await self._run(b"COMMIT")


@asynccontextmanager
async def open_transaction(session: Database) -> AsyncGenerator[Transaction]:
    """Commit what the block does, or nothing of it: then what still runs is stopped, and the connection is closed.

    Raises:
        psycopg.Error: The database is lost, or the commit failed.
        sqlalchemy.exc.TimeoutError: All connections were busy for too long.
    """
    lease = await _lease(session)
    transaction = Transaction(lease.connection)
    try:
        await transaction.begin()
        yield transaction
        await transaction.commit()
    finally:
        lease.end()


async def _open(session: Database, statement: Executable, values: Row) -> RowStream:
    text, given = _with_values(statement, values)
    lease = await _lease(session)
    cursor = ChunkedCursor(lease.connection)
    try:
        first = await cursor.start(text, given, ROWS_AT_ONCE)
    except BaseException:
        cursor.abandon()
        lease.end()
        raise
    return RowStream(lease, cursor, first)


async def _run(session: Database, statement: Executable, values: Row) -> list[DictRow]:
    text, given = _with_values(statement, values)
    lease = await _lease(session)
    try:
        cursor = AsyncRawCursor(lease.connection, row_factory=dict_row)
        return await (await cursor.execute(text, given)).fetchall()
    finally:
        lease.end()


def _with_values(statement: Executable, values: Row) -> tuple[bytes, list[object]]:
    text, names, brought = _written(statement)
    return text, [values[name] if name in values else brought[name] for name in names]


async def _repeat_once(
    run: _Run[Result], session: Database, statement: Executable, values: Row
) -> Result:
    try:
        return await run(session, statement, values)
    except OperationalError as error:
        if not _is_repeatable(error, statement):
            raise
    await asyncio.sleep(random.uniform(0, 0.05))  # noqa: S311 - jitter is no secret
    return await run(session, statement, values)


def _is_repeatable(error: OperationalError, statement: Executable) -> bool:
    """Tell whether a statement may be sent once more: it never was, or the database asks for it, or a read got lost.

    The database asks for it after a serialization failure or a deadlock; a server that is killed says nothing at all.
    Source: PostgreSQL, appendix A.
    """
    lost = error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))
    lost_read = lost and not statement.get_execution_options().get("writes")
    return error.pgconn is not None or lost_read or error.sqlstate in {"40001", "40P01"}


def _ask_again(checks: DatabaseChecks) -> Callable[[object, object, object], None]:
    """Have each connection replaced, and so checked, for as long as the database is one that cannot be worked with."""

    def require_usable(_: object, __: object, ___: object) -> None:
        if checks.is_refused:
            raise DisconnectionError

    return require_usable


def _require_alive(_: object, entry: pool.ConnectionPoolEntry, __: object) -> None:
    """Have a connection replaced that has ended, and all older ones as well unless it was we who ended it."""
    connection = cast("Connection", entry.driver_connection)
    with suppress(OperationalError):
        return connection.pgconn.consume_input()
    raise InvalidatePoolError if connection.broken else DisconnectionError
