"""The counting proxy, before a real PostgreSQL."""

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
    """Open a connection first, so that only what a test does is counted."""
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


async def test_a_transaction_is_one_round_trip_for_each_of_its_steps(
    proxy: FaultProxy, connection: AsyncConnection
) -> None:
    async with connection.transaction():
        await connection.execute("SELECT 1")

    assert proxy.round_trips == 3


async def test_a_long_answer_and_a_long_question_are_one_round_trip(
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


async def test_a_black_hole_answers_nothing_until_it_is_over(
    proxy: FaultProxy, connection: AsyncConnection
) -> None:
    proxy.pause()
    question = asyncio.create_task(connection.execute("SELECT 1"))
    newcomer = asyncio.create_task(AsyncConnection.connect(proxy.url))
    done, _ = await asyncio.wait([question, newcomer], timeout=0.3)
    assert not done

    proxy.resume()
    assert await (await question).fetchone() == (1,)
    await (await newcomer).close()


async def test_a_slow_network_delays_both_ways(
    proxy: FaultProxy, connection: AsyncConnection
) -> None:
    proxy.delay_seconds = 0.1
    began = time.monotonic()
    await connection.execute("SELECT 1")

    assert 0.2 <= time.monotonic() - began < 2


async def test_a_cut_ends_open_connections_but_takes_new_ones(
    proxy: FaultProxy, connection: AsyncConnection
) -> None:
    proxy.close_connections()
    with pytest.raises(OperationalError):
        await connection.execute("SELECT 1")
    async with await AsyncConnection.connect(proxy.url) as other:
        await other.execute("SELECT 1")


@pytest.mark.parametrize(("lost", "left"), [("dropped_requests", 2), ("dropped_responses", 3)])
async def test_an_answer_that_got_lost_was_given_and_a_lost_question_was_not(
    proxy: FaultProxy, connection: AsyncConnection, lost: str, left: int
) -> None:
    await connection.execute("DROP SEQUENCE IF EXISTS asked; CREATE SEQUENCE asked")
    setattr(proxy, lost, [False, True])
    await connection.execute("SELECT nextval('asked')")
    with pytest.raises(OperationalError):
        await connection.execute("SELECT nextval('asked')")

    async with await AsyncConnection.connect(proxy.url) as other:
        assert await (await other.execute("SELECT nextval('asked')")).fetchone() == (left,)


async def test_what_is_cut_in_a_black_hole_is_cut_too(
    proxy: FaultProxy, connection: AsyncConnection
) -> None:
    proxy.pause()
    question = asyncio.create_task(connection.execute("SELECT 1"))
    await asyncio.sleep(0.05)
    proxy.close_connections()
    with pytest.raises(OperationalError):
        await question


async def test_a_refused_connection_is_taken_again_later_on_the_same_port(
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


async def test_a_server_that_is_away_looks_like_a_closed_connection() -> None:
    async with run_fault_proxy("postgresql://postgres@127.0.0.1:1/postgres") as proxy:
        with pytest.raises(psycopg.OperationalError):
            await AsyncConnection.connect(proxy.url)
