"""The way to the database: one engine for each service, one session for each request, one helper for statements."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Final, TypeVar

import psycopg
from fastapi import Depends, Request
from psycopg import waiting
from psycopg.abc import PQGen
from sqlalchemy import ColumnElement, Executable, Text, func, make_url, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from common.errors import ServerError
from common.pages import State

POOL: Final = {"pool_size": 5, "max_overflow": 5, "pool_timeout": 1.5, "pool_recycle": 240, "pool_use_lifo": True}
"""Ten connections at most; in seconds: a request waits 1.5 for one, and none lives for the 300 until Neon sleeps."""

_KEEP_ALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 6000}

CONNECT: Final = {"connect_timeout": 10, **_KEEP_ALIVE}
"""Seconds (the last one milliseconds). A sleeping database wakes up within 10; only keep-alives together with the user
timeout bound a connection that is dead without having said so."""

REPEAT_PAUSE_SECONDS: Final = 0.05
"""The longest pause before a statement is sent once more."""

READY_SECONDS: Final = 1.0
"""How long a readiness check waits for the database."""

WRITES: Final = {"writes": True}
"""Execution options of a statement that must not be sent twice when its answer was lost."""

_REPEATABLE_STATES: Final = frozenset({"40001", "40P01"})
"""The database itself asks to repeat: serialization failure, deadlock. Nothing was written."""

RowMapping = Mapping[str, object]
"""One row, by column."""

_Result = TypeVar("_Result")


class ClashError(Exception):
    """A row with such a value is there already, so the statement changed nothing."""


class _Connection(psycopg.AsyncConnection[tuple[object, ...]]):
    """A connection that is closed as soon as nobody waits for its answer any more.

    The driver would first ask the server to cancel, and wait up to 10 s where nobody answers.
    """

    async def wait(self, gen: PQGen[_Result], interval: float = 0.1, timeout: float | None = None) -> _Result:  # noqa: ASYNC109 - the driver's signature
        try:
            return await waiting.wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)
        except asyncio.CancelledError:
            self.pgconn.finish()
            raise


@asynccontextmanager
async def engine_lifespan(url: str) -> AsyncGenerator[AsyncEngine]:
    """Keep an engine for a URL such as `postgresql://user:password@host/name`; it connects when it is first used.

    Each statement is a transaction of its own (AUTOCOMMIT), so it costs one round trip.
    """
    where = make_url(url).set(drivername="postgresql+psycopg")
    options = {**CONNECT, "prepare_threshold": None} if "-pooler" in (where.host or "") else CONNECT
    connect = {**options, "async_creator_fn": _Connection.connect}
    engine = create_async_engine(
        where, isolation_level="AUTOCOMMIT", connect_args=connect, hide_parameters=True, **POOL
    )
    try:
        yield engine
    finally:
        await engine.dispose()


async def _session(request: Request) -> AsyncIterator[AsyncSession]:
    async with AsyncSession(request.app.state.engine, expire_on_commit=False) as session:
        yield session


DbSession = Annotated[AsyncSession, Depends(_session, scope="function")]
"""The request's session; its connection goes back to the pool before the answer leaves."""


async def rows(session: AsyncSession, statement: Executable, **values: object) -> list[RowMapping]:
    """Run a statement and return its rows.

    Raises:
        ClashError: A unique constraint refuses it.
        ServerError: The database is lost, or the statement failed. What is safe to repeat was repeated once.
    """
    try:
        return await _run(session, statement, values)
    except SQLAlchemyError as error:
        if not _is_repeatable(error, statement):
            raise _failure(error) from error
    await session.rollback()
    await asyncio.sleep(random.uniform(0, REPEAT_PAUSE_SECONDS))  # noqa: S311 - jitter is no secret
    try:
        return await _run(session, statement, values)
    except SQLAlchemyError as error:
        raise _failure(error) from error


async def row(session: AsyncSession, statement: Executable, **values: object) -> RowMapping | None:
    """Run a statement and return its first row, if there is one; raises as `rows` does."""
    return next(iter(await rows(session, statement, **values)), None)


def wire_time(time: ColumnElement[datetime]) -> ColumnElement[str]:
    """Write a time as it goes over the wire: RFC 3339, UTC, `Z`, microseconds."""
    return func.to_char(func.timezone("UTC", time), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"', type_=Text)


async def state_of(engine: AsyncEngine) -> State:
    """Ask the database for a sign of life."""
    try:
        async with asyncio.timeout(READY_SECONDS), engine.connect() as connection:
            await connection.execute(_SIGN_OF_LIFE)
    except (TimeoutError, SQLAlchemyError):
        return "unavailable"
    return "ok"


_SIGN_OF_LIFE = select(1)


async def _run(session: AsyncSession, statement: Executable, values: Mapping[str, object]) -> list[RowMapping]:
    connection = await session.connection()
    result = await connection.execute(statement, values)
    if not result.returns_rows:
        return []
    names = tuple(result.keys())
    return [dict(zip(names, found, strict=True)) for found in result.all()]


def _is_repeatable(error: SQLAlchemyError, statement: Executable) -> bool:
    if not isinstance(error, DBAPIError):
        return False
    never_sent = error.statement is None
    lost_read = error.connection_invalidated and not statement.get_execution_options().get("writes")
    return never_sent or lost_read or getattr(error.orig, "sqlstate", None) in _REPEATABLE_STATES


def _failure(error: SQLAlchemyError) -> Exception:
    clashes = isinstance(error, DBAPIError) and isinstance(error.orig, psycopg.errors.UniqueViolation)
    return ClashError() if clashes else ServerError()
