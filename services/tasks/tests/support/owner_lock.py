"""Another transaction that holds the lock on all owners, and requests that wait for it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager

import psycopg
from httpx import AsyncClient, Response

from devkit.testing.fault_proxy import FaultProxy
from devkit.testing.lock_waits import wait_for_blocked_statements

LOCK_ALL_OWNERS = "SELECT id FROM owners FOR NO KEY UPDATE"
DELETE_ALL_OWNERS = "DELETE FROM owners"


@asynccontextmanager
async def lock_owners(proxy: FaultProxy) -> AsyncGenerator[psycopg.AsyncConnection]:
    """Open a transaction that holds the locks on all owners until it commits."""
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        await connection.execute(LOCK_ALL_OWNERS)
        yield connection


async def commit_after_requests_wait(
    proxy: FaultProxy, lock_holder: psycopg.AsyncConnection, *requests: Awaitable[Response]
) -> list[Response]:
    """Send requests, wait until all of them wait for a lock, then commit the lock holder."""
    pending = [asyncio.ensure_future(request) for request in requests]
    await wait_for_blocked_statements(proxy.server_url, len(pending))
    await lock_holder.commit()
    return list(await asyncio.gather(*pending))


async def create_task_url(client: AsyncClient, title: str = "Old") -> str:
    """Create a task and return its URL."""
    response = await client.post("/tasks", json={"title": title})
    assert response.status_code == 201
    return str(response.headers["location"])
