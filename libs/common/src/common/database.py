"""The way to the database: one engine for each service, and one helper that runs statements."""

import asyncio
import random
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Final, TypeAlias, cast

import psycopg
from fastapi import Depends, Request
from prometheus_client import Gauge
from psycopg import waiting
from psycopg.abc import RV, PQGen
from sqlalchemy import Executable, QueuePool, make_url, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from common.pages import State

POOL: Final = {"pool_size": 10, "max_overflow": 0, "pool_timeout": 1.5, "pool_recycle": 240, "pool_use_lifo": True}
"""Ten connections at most, all kept, because to open one costs more than ten requests; in seconds: a request waits 1.5
for one, and none lives for the 300 until Neon sleeps."""

_KEEP_ALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 6000}

CONNECT: Final = {"connect_timeout": 10, **_KEEP_ALIVE}
"""Seconds (the last one milliseconds). A sleeping database wakes up within 10; only keep-alives together with the user
timeout bound a connection that is dead without having said so."""

CONNECTIONS: Final = Gauge("database_connections_busy", "Connections that a request holds.")
"""A pool whose connections are all busy lets requests wait."""

_REPEATABLE_STATES: Final = frozenset({"40001", "40P01"})
"""The database itself asks to repeat: serialization failure, deadlock. Nothing was written."""

Row = Mapping[str, object]
"""What a statement returns, by the names of its columns."""

Session: TypeAlias = AsyncEngine
"""What statements are run on: each takes a connection for as long as it runs, and no longer."""


class _Connection(psycopg.AsyncConnection[tuple[object, ...]]):
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
    driver = {**CONNECT, **pooler, "async_creator_fn": _Connection.connect}
    engine = create_async_engine(url, connect_args=driver, isolation_level="AUTOCOMMIT", hide_parameters=True, **POOL)
    CONNECTIONS.set_function(cast("QueuePool", engine.pool).checkedout)
    try:
        yield engine
    finally:
        await engine.dispose()


async def _session(request: Request) -> Session:
    return request.app.state.engine


DbSession = Annotated[Session, Depends(_session)]
"""The service's own, for a request."""


async def rows(session: Session, statement: Executable, **values: object) -> list[Row]:
    """Run a statement and return its rows; one with the execution option `writes` must not be sent twice.

    Raises:
        SQLAlchemyError: The database is lost, or the statement failed; the frame makes a 500 of it. What is safe to
            repeat was repeated once.
    """
    try:
        return await _run(session, statement, values)
    except DBAPIError as error:
        if not _is_repeatable(error, statement):
            raise
    await asyncio.sleep(random.uniform(0, REPEAT_PAUSE_SECONDS))  # noqa: S311 - jitter is no secret
    return await _run(session, statement, values)


async def row(session: Session, statement: Executable, **values: object) -> Row | None:
    """Run a statement and return its first row, if there is one; raises as `rows` does."""
    return next(iter(await rows(session, statement, **values)), None)


async def state_of(session: Session) -> State:
    """Ask the database for a sign of life."""
    with suppress(TimeoutError, SQLAlchemyError):
        async with asyncio.timeout(READY_SECONDS):
            await rows(session, select(1))
            return "ok"
    return "unavailable"


async def _run(session: Session, statement: Executable, values: Row) -> list[Row]:
    async with session.connect() as connection:
        result = await connection.execute(statement, values)
        names = tuple(result.keys())
        return [dict(zip(names, found, strict=True)) for found in result.all()]


def _is_repeatable(error: DBAPIError, statement: Executable) -> bool:
    """Tell whether a statement may be sent once more; if it never was, the error has none."""
    lost_read = error.connection_invalidated and not statement.get_execution_options().get("writes")
    return error.statement is None or lost_read or getattr(error.orig, "sqlstate", None) in _REPEATABLE_STATES
