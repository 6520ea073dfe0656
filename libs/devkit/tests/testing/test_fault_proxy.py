"""The fault proxy in front of a real PostgreSQL."""

import asyncio
import time
from collections.abc import AsyncGenerator

import psycopg
import pytest
from psycopg import AsyncConnection, OperationalError

from devkit.platform.postgres import Postgres
from devkit.testing.fault_proxy import FaultProxy, run_fault_proxy


@pytest.fixture
async def proxy(postgres: Postgres) -> AsyncGenerator[FaultProxy]:
    async with run_fault_proxy(postgres.url()) as proxy:
        yield proxy


@pytest.fixture
async def connection(proxy: FaultProxy) -> AsyncGenerator[AsyncConnection]:
    """Open a connection whose own round trips are not counted."""
    async with await AsyncConnection.connect(
        proxy.url, autocommit=True, prepare_threshold=None
    ) as connection:
        proxy.round_trips = 0
        yield connection


async def test_a_statement_is_one_round_trip(
    proxy: FaultProxy, connection: AsyncConnection
) -> None:
    await connection.execute("SELECT 1")
    assert proxy.round_trips == 1
    await connection.execute("SELECT %s::text", ["with a value"])
    assert proxy.round_trips == 2


async def test_a_transaction_is_one_round_trip_for_each_statement(
    proxy: FaultProxy, connection: AsyncConnection
) -> None:
    async with connection.transaction():
        await connection.execute("SELECT 1")

    assert proxy.round_trips == 3


async def test_a_long_request_with_a_long_response_is_one_round_trip(
    proxy: FaultProxy, connection: AsyncConnection
) -> None:
    await connection.execute("SELECT repeat('x', 1000000), %s::text", ["y" * 1_000_000])

    assert proxy.round_trips == 1


async def test_a_pipeline_is_one_round_trip(proxy: FaultProxy, connection: AsyncConnection) -> None:
    async with connection.pipeline():
        for number in range(10):
            await connection.execute("SELECT %s::int", [number])

    assert proxy.round_trips == 1


async def test_round_trips_of_several_connections_are_added(
    proxy: FaultProxy, connection: AsyncConnection
) -> None:
    async with await AsyncConnection.connect(proxy.url, autocommit=True) as other:
        proxy.round_trips = 0
        await asyncio.gather(
            connection.execute("SELECT pg_sleep(0.1)"), other.execute("SELECT pg_sleep(0.1)")
        )

    assert proxy.round_trips == 2


async def test_a_paused_proxy_forwards_nothing_until_it_is_resumed(
    proxy: FaultProxy, connection: AsyncConnection
) -> None:
    proxy.pause()
    query = asyncio.create_task(connection.execute("SELECT 1"))
    connecting = asyncio.create_task(AsyncConnection.connect(proxy.url))
    completed, _ = await asyncio.wait([query, connecting], timeout=0.3)
    assert not completed

    proxy.resume()
    cursor = await query
    assert await cursor.fetchone() == (1,)
    await (await connecting).close()


async def test_a_delay_applies_in_both_directions(
    proxy: FaultProxy, connection: AsyncConnection
) -> None:
    proxy.delay_seconds = 0.1
    started_at = time.monotonic()
    await connection.execute("SELECT 1")

    assert 0.2 <= time.monotonic() - started_at < 2


async def test_closed_connections_can_be_opened_again(
    proxy: FaultProxy, connection: AsyncConnection
) -> None:
    proxy.close_connections()
    with pytest.raises(OperationalError):
        await connection.execute("SELECT 1")
    async with await AsyncConnection.connect(proxy.url) as other:
        await other.execute("SELECT 1")


@pytest.mark.parametrize(
    ("dropped", "next_value"), [("dropped_requests", 2), ("dropped_responses", 3)]
)
async def test_a_dropped_response_was_sent_and_a_dropped_request_was_not(
    proxy: FaultProxy, connection: AsyncConnection, dropped: str, next_value: int
) -> None:
    await connection.execute("DROP SEQUENCE IF EXISTS executed; CREATE SEQUENCE executed")
    setattr(proxy, dropped, [False, True])
    await connection.execute("SELECT nextval('executed')")
    with pytest.raises(OperationalError):
        await connection.execute("SELECT nextval('executed')")

    async with await AsyncConnection.connect(proxy.url) as other:
        assert await (await other.execute("SELECT nextval('executed')")).fetchone() == (next_value,)


async def test_connections_of_a_paused_proxy_can_be_closed(
    proxy: FaultProxy, connection: AsyncConnection
) -> None:
    proxy.pause()
    query = asyncio.create_task(connection.execute("SELECT 1"))
    await asyncio.sleep(0.05)
    proxy.close_connections()
    with pytest.raises(OperationalError):
        await query


async def test_a_stopped_proxy_can_listen_again_on_the_same_port(
    proxy: FaultProxy, connection: AsyncConnection
) -> None:
    url = proxy.url
    await proxy.stop_listening()
    with pytest.raises(OperationalError):
        await connection.execute("SELECT 1")
    with pytest.raises(OperationalError, match="refused"):
        await AsyncConnection.connect(url)

    await proxy.start_listening()
    async with await AsyncConnection.connect(url) as other:
        await other.execute("SELECT 1")


async def test_an_unreachable_server_looks_like_a_closed_connection() -> None:
    async with run_fault_proxy("postgresql://postgres@127.0.0.1:1/postgres") as proxy:
        with pytest.raises(psycopg.OperationalError):
            await AsyncConnection.connect(proxy.url)
