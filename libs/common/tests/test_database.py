"""Repeated statements, lost connections, and a silent or busy database."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import psycopg
import pytest
from httpx import ASGITransport, AsyncClient
from pydantic import Secret
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from common.database import Database, check_database, engine_lifespan, fetch_all, fetch_one
from common.database.engine import POOL_SIZE, POOL_TIMEOUT_SECONDS
from common.health import UnavailableReason
from devkit.platform.keys import PassportKeys
from devkit.testing.fault_proxy import FaultProxy, run_fault_proxy

from .pool import until_idle
from .sample import SampleSettings, create_app

COUNT = text("SELECT count(*) AS names FROM names")
WRITE = text("INSERT INTO names VALUES (gen_random_uuid()) RETURNING name").execution_options(
    not_idempotent=True
)
FAILING = """
    CREATE SEQUENCE IF NOT EXISTS tries;
    CREATE OR REPLACE FUNCTION fail(state text, times int) RETURNS int LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('tries') <= times THEN
            RAISE EXCEPTION 'what a user wrote' USING ERRCODE = state;
        END IF;
        RETURN currval('tries');
    END $$
"""


@pytest.fixture
async def proxy(database: str) -> AsyncGenerator[FaultProxy]:
    async with run_fault_proxy(database) as proxy:
        yield proxy


@pytest.fixture
async def engine(proxy: FaultProxy) -> AsyncGenerator[Database]:
    async with engine_lifespan(proxy.url) as engine:
        yield engine


@pytest.fixture
async def database_engine(engine: Database) -> Database:
    """Open a connection first, so that only what a test does is counted."""
    await fetch_all(engine, COUNT)
    return engine


async def _backends(database_engine: Database) -> set[object]:
    """Use three connections at once, and return their process ids."""
    statement = text("SELECT pg_backend_pid() AS pid, pg_sleep(0.2)")
    queries = [fetch_one(database_engine, statement) for _ in range(3)]
    rows = await asyncio.gather(*queries)
    return {row["pid"] for row in rows if row}


async def count_names(database_engine: Database) -> object:
    return (await fetch_one(database_engine, COUNT) or {})["names"]


async def test_a_statement_is_one_round_trip(database_engine: Database, proxy: FaultProxy) -> None:
    proxy.round_trips = 0
    assert await fetch_all(database_engine, COUNT)

    assert proxy.round_trips == 1


async def test_rows_are_read_by_column_and_a_missing_row_is_none(database_engine: Database) -> None:
    assert await fetch_all(database_engine, text("SELECT :a AS first, 'y' AS second"), a="x") == [
        {"first": "x", "second": "y"}
    ]
    assert await fetch_one(database_engine, text("SELECT 1 WHERE false")) is None


async def test_a_read_whose_connection_was_lost_is_repeated(
    database_engine: Database, proxy: FaultProxy
) -> None:
    proxy.close_connections()

    assert len(await fetch_all(database_engine, COUNT)) == 1


async def test_a_write_whose_connection_was_lost_is_not_repeated(
    database_engine: Database, proxy: FaultProxy
) -> None:
    before = await count_names(database_engine)
    proxy.close_connections()

    with pytest.raises(psycopg.Error):
        await fetch_all(database_engine, WRITE)
    assert await count_names(database_engine) == before


async def test_a_connection_that_ended_while_it_was_idle_is_replaced_before_a_write(
    database_engine: Database, proxy: FaultProxy
) -> None:
    proxy.close_connections()
    await asyncio.sleep(0.2)

    assert len(await fetch_all(database_engine, WRITE)) == 1


async def test_connections_from_before_a_loss_are_not_used_after_it(
    database_engine: Database, proxy: FaultProxy
) -> None:
    before = await _backends(database_engine)
    proxy.dropped_requests = [True]

    assert len(await fetch_all(database_engine, COUNT)) == 1
    assert not before & await _backends(database_engine)


async def test_an_abandoned_query_keeps_the_other_connections(
    database_engine: Database,
) -> None:
    before = await _backends(database_engine)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(fetch_all(database_engine, text("SELECT pg_sleep(9)")), 0.2)

    assert len(before & await _backends(database_engine)) == len(before) - 1


async def test_a_lost_read_is_repeated_only_once(engine: Database, proxy: FaultProxy) -> None:
    await proxy.stop_listening()
    before = time.monotonic()

    with pytest.raises(psycopg.OperationalError):
        await fetch_all(engine, COUNT)
    assert time.monotonic() - before < 1
    reason = UnavailableReason("Nothing listens at the host and port of the URL")
    assert await check_database(engine) == reason


async def test_a_write_that_was_never_sent_is_repeated(engine: Database, proxy: FaultProxy) -> None:
    proxy.pause()
    write = asyncio.create_task(fetch_all(engine, WRITE))
    await asyncio.sleep(0.2)
    proxy.close_connections()
    proxy.resume()

    assert len(await write) == 1


@pytest.mark.parametrize(
    ("state", "tries"),
    [("40001", 2), ("40P01", 2), ("57014", 1), ("23505", 1), ("22P02", 1), ("XX000", 1)],
)
@pytest.mark.parametrize("writes", [True, False])
async def test_only_serialization_failures_and_deadlocks_are_repeated(
    database_engine: Database, database: str, state: str, tries: int, *, writes: bool
) -> None:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute(FAILING)
        await connection.execute("ALTER SEQUENCE tries RESTART")
    statement = text("SELECT fail(:state, 9)").execution_options(not_idempotent=writes)

    with pytest.raises(psycopg.Error) as failure:
        await fetch_all(database_engine, statement, state=state)

    assert await fetch_all(database_engine, text("SELECT last_value FROM tries")) == [
        {"last_value": tries}
    ]
    assert failure.value.sqlstate == state


async def test_a_statement_that_fails_once_is_repeated(
    database_engine: Database, database: str
) -> None:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute(FAILING)
        await connection.execute("ALTER SEQUENCE tries RESTART")

    statement = text("SELECT fail('40001', 1) AS tries").execution_options(not_idempotent=True)
    assert await fetch_all(database_engine, statement) == [{"tries": 2}]


async def test_a_unique_violation_is_raised(
    database_engine: Database,
) -> None:
    statement = text(
        "INSERT INTO names VALUES ('twice'), ('twice') RETURNING name"
    ).execution_options(not_idempotent=True)

    with pytest.raises(psycopg.IntegrityError):
        await fetch_all(database_engine, statement)


async def test_a_silent_database_blocks_neither_requests_nor_connections(
    engine: AsyncEngine, proxy: FaultProxy
) -> None:
    await fetch_all(engine, COUNT)
    proxy.pause()
    before = time.monotonic()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await fetch_all(engine, COUNT)

    assert time.monotonic() - before < 1
    await until_idle(engine)
    assert time.monotonic() - before < 3
    proxy.resume()
    assert await fetch_all(engine, COUNT)


async def test_a_silent_database_makes_a_service_not_ready(
    engine: Database, proxy: FaultProxy
) -> None:
    assert await check_database(engine) == "ok"
    proxy.pause()

    assert await check_database(engine) == "unavailable"
    proxy.resume()


async def test_when_all_connections_are_taken_a_request_fails_soon_and_then_recovers(
    proxy: FaultProxy, keys: PassportKeys
) -> None:
    settings = SampleSettings(database_url=Secret(proxy.url), passport_public_keys=(keys.public,))
    app = create_app(settings, limit_seconds=5)
    async with app.router.lifespan_context(app), AsyncExitStack() as taken:
        client = AsyncClient(transport=ASGITransport(app), base_url="http://sample")
        assert (await client.get("/rows")).status_code == 200
        for _ in range(POOL_SIZE):
            await taken.enter_async_context(app.state.engine.connect())

        before = time.monotonic()
        response = await client.get("/rows")

        assert (response.status_code, response.headers["retry-after"]) == (500, "1")
        assert time.monotonic() - before < POOL_TIMEOUT_SECONDS + 0.5
        await taken.aclose()
        assert (await client.get("/rows")).status_code == 200
