"""Somebody else who holds the lock on all owners, and what waits for them."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager

import psycopg
from httpx import AsyncClient, Response

from devkit.testing.fault_proxy import FaultProxy
from devkit.testing.lock_waits import wait_for_lock_waits

LOCK_EVERYBODY = "SELECT id FROM owners FOR NO KEY UPDATE"
ERASED_ELSEWHERE = "DELETE FROM owners"


@asynccontextmanager
async def somebody(proxy: FaultProxy) -> AsyncGenerator[psycopg.AsyncConnection]:
    """Be another writer, in a transaction that holds the owners' locks until it commits."""
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        await connection.execute(LOCK_EVERYBODY)
        yield connection


async def after_waiting(
    proxy: FaultProxy, other: psycopg.AsyncConnection, *requests: Awaitable[Response]
) -> list[Response]:
    """Send requests that have to wait, then let the other one commit."""
    waiting = [asyncio.ensure_future(request) for request in requests]
    await wait_for_lock_waits(proxy.server_url, len(waiting))
    await other.commit()
    return list(await asyncio.gather(*waiting))


async def make(owner: AsyncClient, title: str = "Old") -> str:
    """Make a task, and return its address."""
    made = await owner.post("/tasks", json={"title": title})
    assert made.status_code == 201
    return str(made.headers["location"])
