"""The engine of a service: its connection pool, and whether its database is ready."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, cast

from prometheus_client import Gauge
from psycopg import Error, OperationalError
from sqlalchemy import event, make_url, pool, select
from sqlalchemy.exc import DisconnectionError, InvalidatePoolError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from common.database.checks import NOT_READY_CODE, DatabaseChecks
from common.database.connection import Connection
from common.database.connector import Connector
from common.database.execution import fetch_all
from common.database.pool import (
    CONNECT_TIMES_KEY,
    Database,
    check_out,
    wait_for_stopping_statements,
)
from common.database.prepared_statements import PreparedStatements
from common.database.unreachable import find_cause
from common.health import HealthStatus, UnavailableReason
from common.problems import Unavailable

POOL_SIZE: Final = 10
"""Connections of one process. All are kept: opening one costs more than ten requests."""

POOL_TIMEOUT_SECONDS: Final = 1.5
"""How long a request waits for a free connection while all are busy."""

POOL_RECYCLE_SECONDS: Final = 240
"""Older connections are replaced: Neon suspends a database after 300 idle seconds."""

CONNECT_TIMEOUT_SECONDS: Final = 10
"""Long enough for a suspended database to wake up."""

READINESS_TIMEOUT_SECONDS: Final = 1

BUSY_CONNECTIONS: Final = Gauge("database_connections_busy", "Connections that a request holds.")
"""Requests wait when all connections of the pool are busy."""

MAX_CONNECTIONS: Final = Gauge("database_connections_max", "Connections that the pool may open.")
"""What an alert compares the busy connections with."""

_PING: Final = select(1)


@asynccontextmanager
async def engine_lifespan(
    database_url: str,
    checks: DatabaseChecks | None = None,
    prepared_statements: PreparedStatements = "auto",
) -> AsyncGenerator[AsyncEngine]:
    """Open an engine for the block, and close it afterwards.

    Each statement is a transaction of its own (AUTOCOMMIT), so it costs one round trip.

    Args:
        database_url: A URL such as `postgresql://user:password@host/name`.
        checks: What every new connection must pass. With checks the first connection is opened at
            once, so that the log says what is wrong with the database before the first request.
        prepared_statements: Whether statements are prepared; `auto` finds out for each connection.
    """
    engine = _create_engine(database_url, Connector(checks, prepared_statements))
    BUSY_CONNECTIONS.set_function(cast("pool.QueuePool", engine.pool).checkedout)
    MAX_CONNECTIONS.set(POOL_SIZE)
    warm_up: asyncio.Task[None] | None = None
    if checks is not None:
        event.listen(engine.pool, "checkout", _replace_while_unusable(checks))
        warm_up = asyncio.create_task(_open_first_connection(engine))
    try:
        yield engine
    finally:
        if warm_up is not None:
            warm_up.cancel()
            await asyncio.wait([warm_up])
        if checks is not None:
            await checks.close()
        await wait_for_stopping_statements()
        await engine.dispose()


async def check_database(
    database: Database, checks: DatabaseChecks | None = None
) -> HealthStatus | UnavailableReason:
    """Tell whether the database responds within a second and, with checks, passes them.

    Raises:
        Unavailable: It does not pass the checks; the detail says why.
    """
    try:
        async with asyncio.timeout(READINESS_TIMEOUT_SECONDS):
            await _require_ready(database, checks)
    except Unavailable as error:
        if error.code != NOT_READY_CODE:
            raise
        raise Unavailable("not-ready", f"Not ready: database. {error.reason}") from None
    except OperationalError as error:
        return UnavailableReason(find_cause(error))
    except (TimeoutError, SQLAlchemyError, Error):
        return "unavailable"
    return "ok"


def _create_engine(database_url: str, connector: Connector) -> AsyncEngine:
    options = _connection_options()
    options["async_creator_fn"] = connector.connect
    engine = create_async_engine(
        make_url(database_url).set(drivername="postgresql+psycopg"),
        connect_args=options,
        execution_options={CONNECT_TIMES_KEY: connector.connect_times},
        isolation_level="AUTOCOMMIT",
        pool_reset_on_return=None,  # with AUTOCOMMIT there is nothing to roll back
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        pool_recycle=POOL_RECYCLE_SECONDS,
        pool_use_lifo=True,
    )
    event.listen(engine.pool, "checkout", _replace_if_ended)
    return engine


def _connection_options() -> dict[str, object]:
    """Return libpq's options; only together the TCP options bound a connection that is dead."""
    options: dict[str, object] = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "client_encoding": "UTF8",
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 6_000,  # milliseconds; the others are seconds
    }
    return options


async def _open_first_connection(database: Database) -> None:
    with suppress(Unavailable, SQLAlchemyError, Error):
        await fetch_all(database, _PING)


async def _require_ready(database: Database, checks: DatabaseChecks | None) -> None:
    """Check one connection of the pool; one that fails is closed."""
    await fetch_all(database, _PING)
    if checks is None:
        return
    pooled = await check_out(database)
    try:
        await checks.require_usable(pooled.connection)
    except BaseException:
        await pooled.connection.close()
        raise
    finally:
        pooled.release()


def _replace_while_unusable(checks: DatabaseChecks) -> Callable[[object, object, object], None]:
    """Make a pool listener that replaces connections, and so checks anew, while checks fail."""

    def require_usable(_: object, __: object, ___: object) -> None:
        if checks.is_unusable:
            raise DisconnectionError

    return require_usable


def _replace_if_ended(_: object, entry: pool.ConnectionPoolEntry, __: object) -> None:
    """Have the pool replace a connection that has ended.

    If the server ended it, older connections are replaced as well.
    """
    connection = cast("Connection", entry.driver_connection)
    with suppress(OperationalError):
        connection.pgconn.consume_input()
        # The first call may have read only the server's last message; this one notices the end.
        connection.pgconn.consume_input()
        return
    if connection.broken:
        raise InvalidatePoolError
    raise DisconnectionError
