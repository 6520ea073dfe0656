"""Abandoned statements, limits per user, and streams of rows."""

import asyncio
from collections.abc import AsyncGenerator

import psycopg
import pytest
from sqlalchemy import Integer, bindparam, func, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from common.database import (
    LimitedDatabase,
    RowStream,
    engine_lifespan,
    fetch_all,
    fetch_one,
    open_stream,
)
from common.database import connection as connection_module
from common.database.connection import CANCEL_SECONDS
from common.database.engine import POOL_SIZE
from common.database.row_stream import ROWS_AT_ONCE
from devkit.testing.fault_proxy import FaultProxy, run_fault_proxy

from .pool import until_idle

SLEEP = text("SELECT pg_sleep(60)")
PID = text("SELECT pg_backend_pid() AS pid")
SERIES = select(func.generate_series(1, bindparam("count")).label("number"))
WIDE = select(
    func.repeat("x", 10_000).label("wide"),
    func.generate_series(1, bindparam("count")).label("number"),
)
RUNNING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()
    AND backend_type = 'client backend'
"""
"""Counts no autovacuum: it visits the database whenever it wants to."""


@pytest.fixture
async def proxy(database: str) -> AsyncGenerator[FaultProxy]:
    async with run_fault_proxy(database) as proxy:
        yield proxy


@pytest.fixture
async def engine(proxy: FaultProxy) -> AsyncGenerator[AsyncEngine]:
    async with engine_lifespan(proxy.url) as engine:
        yield engine


async def _until_none_runs(database: str) -> None:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        for _ in range(int(CANCEL_SECONDS / 0.02)):
            if await (await connection.execute(RUNNING)).fetchone() == (0,):
                return
            await asyncio.sleep(0.02)
    raise TimeoutError


async def _read(stream: RowStream) -> None:
    while await stream.next_rows():
        pass


async def _cancel(task: "asyncio.Task[object]", seconds: float = 0.2) -> None:
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.wait([task])


async def test_an_abandoned_statement_ends_in_the_database(
    engine: AsyncEngine, database: str
) -> None:
    await _cancel(asyncio.create_task(fetch_all(engine, SLEEP)))

    await _until_none_runs(database)
    await until_idle(engine)


async def test_an_abandoned_statement_that_ends_soon_keeps_its_connection(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine may take longer than the usual time to receive the end of a short statement.
    monkeypatch.setattr(connection_module, "FINISH_SECONDS", 5)
    before = await fetch_one(engine, PID)

    await _cancel(asyncio.create_task(fetch_all(engine, text("SELECT pg_sleep(0.2)"))), 0.1)
    await until_idle(engine)

    assert await fetch_one(engine, PID) == before


async def test_a_thousand_cancelled_statements_leave_no_trace(
    engine: AsyncEngine, database: str
) -> None:
    slots = asyncio.Semaphore(2)
    limited_database = LimitedDatabase(engine, slots)
    statements = [SLEEP, COUNT_TO_100_000, PID]

    for number in range(0, 1_000, 50):
        tasks = [
            asyncio.create_task(fetch_all(limited_database, statements[index % 3]))
            for index in range(50)
        ]
        await asyncio.sleep(number / 10_000)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    await until_idle(engine)
    await _until_none_runs(database)
    assert slots._value == 2  # noqa: SLF001 - that none is lost shows nowhere else
    assert await fetch_one(limited_database, PID)


COUNT_TO_100_000 = text("SELECT count(*) FROM generate_series(1, 100000)")


async def test_a_user_has_two_connections_and_waits_in_order_for_more(engine: AsyncEngine) -> None:
    limited_database = LimitedDatabase(engine, asyncio.Semaphore(2))
    first = [asyncio.create_task(fetch_all(limited_database, SLEEP)) for _ in range(2)]
    await asyncio.sleep(0.2)

    third = asyncio.create_task(fetch_all(limited_database, PID))
    await asyncio.sleep(0.2)
    assert not third.done()
    assert await fetch_all(engine, PID)

    await _cancel(first[0])
    assert await third
    await _cancel(first[1])


async def test_a_cancelled_wait_for_a_connection_frees_the_slot(engine: AsyncEngine) -> None:
    limited_database = LimitedDatabase(engine, asyncio.Semaphore(2))
    holders = [asyncio.create_task(fetch_all(engine, SLEEP)) for _ in range(POOL_SIZE)]
    await asyncio.sleep(0.5)

    for _ in range(3):
        await _cancel(asyncio.create_task(fetch_all(limited_database, PID)), 0.01)
    for holder in holders:
        await _cancel(holder, 0)
    await until_idle(engine)

    assert await asyncio.gather(*(fetch_all(limited_database, PID) for _ in range(4)))


async def test_a_stream_returns_rows_in_chunks_in_one_round_trip(
    engine: AsyncEngine, proxy: FaultProxy
) -> None:
    for _ in range(8):  # the driver prepares a statement after five executions
        stream = await open_stream(engine, SERIES, count=2 * ROWS_AT_ONCE + 6)
        chunks: list[list[object]] = []
        proxy.round_trips = 0
        while rows := await stream.next_rows():
            chunks.append([row["number"] for row in rows])
        assert proxy.round_trips == 0
        assert [len(chunk) for chunk in chunks] == [ROWS_AT_ONCE] * 2 + [6]
        assert [number for chunk in chunks for number in chunk] == list(
            range(1, 2 * ROWS_AT_ONCE + 7)
        )
        assert not stream.is_open
        await until_idle(engine)

    proxy.round_trips = 0
    stream = await open_stream(engine, SERIES, count=0)
    assert proxy.round_trips == 1
    assert await stream.next_rows() == []
    assert not stream.is_open


async def test_a_stream_is_a_prepared_statement(engine: AsyncEngine) -> None:
    for _ in range(7):
        stream = await open_stream(engine, SERIES, count=3)
        await _read(stream)
    prepared = text(
        "SELECT count(*) AS number_of_statements FROM pg_prepared_statements "
        "WHERE statement LIKE '%generate_series($1%'"
    )

    assert await fetch_all(engine, prepared) == [{"number_of_statements": 1}]


async def test_a_stream_that_is_closed_early_is_stopped(engine: AsyncEngine, database: str) -> None:
    slots = asyncio.Semaphore(1)
    stream = await open_stream(LimitedDatabase(engine, slots), WIDE, count=1_000_000)
    assert len(await stream.next_rows()) == ROWS_AT_ONCE
    assert slots.locked()

    stream.close()
    stream.close()

    await until_idle(engine)
    await _until_none_runs(database)
    assert not slots.locked()
    assert await stream.next_rows() == []


async def test_abandoned_statements_do_not_fill_the_driver_cache(engine: AsyncEngine) -> None:
    for number in range(300):
        stream = await open_stream(
            engine, select(literal_column(f"{number}", Integer), func.generate_series(1, 100))
        )
        stream.close()
        await until_idle(engine)
    pooled = await engine.raw_connection()
    counted = pooled.driver_connection.prepared._counts  # type: ignore[union-attr]  # noqa: SLF001

    assert len(counted) <= 101
    pooled.close()


async def test_a_failed_stream_raises_and_keeps_its_connection(
    engine: AsyncEngine,
) -> None:
    before = await fetch_one(engine, PID)
    for _ in range(7):
        with pytest.raises(psycopg.errors.DivisionByZero):
            await open_stream(engine, text("SELECT 1 / :number"), number=0)
        await until_idle(engine)

    assert await fetch_one(engine, PID) == before


async def test_a_stream_whose_connection_was_lost_before_is_repeated(
    engine: AsyncEngine, proxy: FaultProxy
) -> None:
    await fetch_all(engine, PID)
    proxy.dropped_requests = [True]

    stream = await open_stream(engine, SERIES, count=1)
    assert await stream.next_rows() == [{"number": 1}]
    stream.close()


async def test_a_stream_that_is_lost_halfway_raises(engine: AsyncEngine, proxy: FaultProxy) -> None:
    stream = await open_stream(engine, WIDE, count=100_000)
    proxy.close_connections()

    with pytest.raises(psycopg.OperationalError):
        await _read(stream)
    stream.close()
    await until_idle(engine)
