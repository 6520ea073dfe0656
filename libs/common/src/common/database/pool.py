"""Connections of the pool, checked out for one statement or one transaction."""

import asyncio
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from sqlalchemy import pool
from sqlalchemy.exc import TimeoutError as SQLAlchemyTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from common.database.connect_times import ConnectTimes
from common.database.connection import Connection

CONNECT_TIMES_KEY: Final = "connect_times"
"""The execution option of an engine that holds its `ConnectTimes`."""

_STOPPING: Final[set[asyncio.Task[None]]] = set()
"""Tasks that stop abandoned statements. Only this set keeps them from garbage collection."""


@dataclass(frozen=True, slots=True)
class LimitedDatabase:
    """An engine for one user: each connection takes one of the user's slots (FIFO)."""

    engine: AsyncEngine
    slots: asyncio.Semaphore


Database: TypeAlias = AsyncEngine | LimitedDatabase
"""What statements run on: each checks out a connection while it runs, and no longer."""


class PooledConnection:
    """A connection that is checked out of the pool, and the user's slot that it takes, if any."""

    def __init__(self, pooled: pool.PoolProxiedConnection, slots: asyncio.Semaphore | None) -> None:
        self._pooled = pooled
        self._slots = slots
        self.connection = cast("Connection", pooled.driver_connection)

    def release(self) -> None:
        """Return connection and slot; if a statement still runs, as soon as it was stopped."""
        if self.connection.broken or self.connection.is_idle:
            self._return_to_pool()
            return
        stopping = asyncio.get_running_loop().create_task(self._stop_and_return())
        _STOPPING.add(stopping)
        stopping.add_done_callback(_STOPPING.discard)

    async def _stop_and_return(self) -> None:
        try:
            await self.connection.stop()
            # A connection that is not idle now is in a transaction, which ends with it.
            if not self.connection.is_idle:
                await self.connection.close()
        finally:
            self._return_to_pool()

    def _return_to_pool(self) -> None:
        self._pooled.close()
        if self._slots is not None:
            self._slots.release()


async def check_out(database: Database) -> PooledConnection:
    """Take a connection from the pool; the caller must release it.

    Raises:
        psycopg.OperationalError: A new connection cannot be opened.
        sqlalchemy.exc.TimeoutError: All connections were busy for too long.
    """
    if not isinstance(database, LimitedDatabase):
        return PooledConnection(await _raw_connection(database), None)
    await database.slots.acquire()
    try:
        return PooledConnection(await _raw_connection(database.engine), database.slots)
    except BaseException:
        database.slots.release()
        raise


async def _raw_connection(engine: AsyncEngine) -> pool.PoolProxiedConnection:
    """Wait for a connection: briefly if all are busy, longer while a suspended database wakes up.

    The deadline of the request ends the wait then.
    """
    connect_times: ConnectTimes = engine.get_execution_options()[CONNECT_TIMES_KEY]
    while True:
        try:
            return await engine.raw_connection()
        except SQLAlchemyTimeoutError:
            if not connect_times.are_slow:
                raise


async def wait_for_stopping_statements() -> None:
    """Wait until every abandoned statement was stopped and its connection is back."""
    await asyncio.gather(*_STOPPING, return_exceptions=True)
