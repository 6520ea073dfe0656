"""Prepared statements through a real PgBouncer: none fails, whatever the pooler does."""

import asyncio

import pytest
from sqlalchemy import text

from common.database import Database, engine_lifespan, fetch_all, fetch_one, open_stream
from common.database.checks import DatabaseChecks
from common.database.prepared_statements import FOLLOWED, NOT_FOLLOWED, PreparedStatements
from devkit.platform.databases import MigratedDatabases
from devkit.platform.processes import ProcessGroup
from devkit.testing.pgbouncer import can_follow, run_pgbouncer
from tasks.revisions import RELEASE

PREPARED_MAX = 100
"""More prepared statements than there are here."""

CLIENTS = 8
KINDS = 10
"""Different statements; every client sends them all."""

ROUNDS = 8
"""How often: more often than the driver executes a statement before it prepares it."""

COUNT_PREPARED = text("SELECT count(*) AS prepared FROM pg_prepared_statements")

needs_following = pytest.mark.skipif(
    not can_follow(), reason="this PgBouncer follows no prepared statements; POOLER names another"
)


@pytest.fixture
async def database_url(databases: MigratedDatabases) -> str:
    return await databases.create("tasks")


@pytest.fixture
def checks() -> DatabaseChecks:
    return DatabaseChecks(RELEASE)


async def send_statements(database: Database) -> None:
    """Send statements over many connections at once, and check every result."""

    async def send(client: int) -> None:
        for number in range(ROUNDS * KINDS):
            kind = (client + number) % KINDS
            statement = text(f"SELECT CAST(:client AS int) AS client, {kind} AS kind")
            row = {"client": client, "kind": kind}
            assert await fetch_all(database, statement, client=client) == [row]
            stream = await open_stream(database, statement, client=client)
            assert await stream.next_rows() == [row]

    await asyncio.gather(*[send(client) for client in range(CLIENTS)])


async def count_prepared(database: Database) -> int:
    """Return how many statements are prepared in a session of the server."""
    row = await fetch_one(database, COUNT_PREPARED)
    assert row is not None
    return int(str(row["prepared"]))


@pytest.mark.parametrize("setting", ["auto", "on", "off"])
async def test_no_statement_fails_behind_a_pooler_that_follows_none(
    group: ProcessGroup, database_url: str, setting: PreparedStatements
) -> None:
    async with (
        run_pgbouncer(group, database_url) as pooler,
        engine_lifespan(pooler.url(database_url), prepared_statements=setting) as engine,
    ):
        await send_statements(engine)
        if setting != "on":
            assert await count_prepared(engine) <= 1  # the one that finds this out


async def test_a_pooler_that_follows_none_is_logged_once(
    group: ProcessGroup,
    database_url: str,
    checks: DatabaseChecks,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with (
        run_pgbouncer(group, database_url) as pooler,
        engine_lifespan(pooler.url(database_url), checks) as engine,
    ):
        await send_statements(engine)

    assert capsys.readouterr().out.count(NOT_FOLLOWED.sentence) == 1


@needs_following
async def test_statements_are_prepared_behind_a_pooler_that_follows_them(
    group: ProcessGroup,
    database_url: str,
    checks: DatabaseChecks,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with (
        run_pgbouncer(group, database_url, prepared_max=PREPARED_MAX) as pooler,
        engine_lifespan(pooler.url(database_url), checks) as engine,
    ):
        await send_statements(engine)
        assert await count_prepared(engine) >= KINDS

    assert capsys.readouterr().out.count(FOLLOWED.sentence) == 1


@needs_following
async def test_no_statement_fails_when_the_pooler_stops_following(
    group: ProcessGroup, database_url: str
) -> None:
    async with (
        run_pgbouncer(group, database_url, prepared_max=PREPARED_MAX) as pooler,
        engine_lifespan(pooler.url(database_url)) as engine,
    ):
        await send_statements(engine)
        pooler.follow(0)
        await send_statements(engine)
        pooler.follow(PREPARED_MAX)
        await send_statements(engine)


@needs_following
async def test_no_statement_fails_when_the_sessions_behind_the_pooler_lose_theirs(
    group: ProcessGroup, database_url: str
) -> None:
    lose = text("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$")
    async with (
        run_pgbouncer(group, database_url, prepared_max=PREPARED_MAX) as pooler,
        engine_lifespan(pooler.url(database_url)) as engine,
    ):
        await send_statements(engine)
        async with engine.connect() as connection:
            for _ in range(CLIENTS):
                await connection.execute(lose)
        await send_statements(engine)


@needs_following
async def test_a_pooler_that_is_replaced_is_asked_anew(
    group: ProcessGroup,
    database_url: str,
    checks: DatabaseChecks,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with run_pgbouncer(group, database_url, prepared_max=PREPARED_MAX) as first:
        url = first.url(database_url)
        async with engine_lifespan(url, checks) as engine:
            await send_statements(engine)
            await first.process.stop()
            async with run_pgbouncer(group, database_url, port=first.port) as second:
                await send_statements(engine)
                await second.process.stop()
            async with run_pgbouncer(
                group, database_url, port=first.port, prepared_max=PREPARED_MAX
            ):
                await send_statements(engine)
                assert await count_prepared(engine) >= KINDS

    output = capsys.readouterr().out
    assert output.count(FOLLOWED.sentence) == 2
    assert output.count(NOT_FOLLOWED.sentence) == 1
