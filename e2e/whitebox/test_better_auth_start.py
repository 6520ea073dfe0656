"""How the Better Auth server starts with a database that is not ready yet."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import psycopg
import pytest

from devkit.platform.postgres import Postgres
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import free_ports
from devkit.testing.fault_proxy import FaultProxy
from e2e.support.better_auth import start_better_auth

WAITING = """
SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
"""Sessions that wait for another one."""


@pytest.fixture
async def clients() -> AsyncGenerator[AsyncExitStack]:
    async with AsyncExitStack() as clients:
        yield clients


async def test_the_server_waits_for_a_database_that_starts_later(
    group: ProcessGroup, clients: AsyncExitStack, postgres: Postgres
) -> None:
    [port] = free_ports(1)
    proxy = FaultProxy(await postgres.create_database("better-auth-later"), port=port)
    proxy.resume()
    starting = asyncio.create_task(start_better_auth(group, clients, DATABASE_URL=proxy.url))
    await asyncio.sleep(2)
    assert not starting.done()
    await proxy.start_listening()

    await (await starting).sign_up()

    await proxy.stop_listening()


async def test_the_server_repeats_a_migration_that_another_replica_overtook(
    group: ProcessGroup, clients: AsyncExitStack, postgres: Postgres
) -> None:
    url = await postgres.create_database("better-auth-replicas")
    async with (
        await psycopg.AsyncConnection.connect(url) as other_replica,
        await psycopg.AsyncConnection.connect(url, autocommit=True) as observer,
    ):
        await other_replica.execute('CREATE TABLE "user" (id text PRIMARY KEY)')
        starting = asyncio.create_task(start_better_auth(group, clients, DATABASE_URL=url))
        while await (await observer.execute(WAITING)).fetchone() is None:
            assert not starting.done()
            await asyncio.sleep(0.05)
        await other_replica.commit()

    await (await starting).sign_up()
