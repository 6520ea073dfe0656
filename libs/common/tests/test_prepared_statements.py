"""Prepared statements without a pooler: what becomes of them costs no request."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TypeAlias, get_args

import psycopg
import pytest
from sqlalchemy import text

from common.database import Database, engine_lifespan, fetch_all, open_stream, open_transaction
from common.database.prepared_statements import NAME_PREFIX, PreparedStatements

EXECUTIONS = 8
"""More often than the driver executes a statement before it prepares it."""

SETUP = """
    CREATE TABLE changing (id serial, value int);
    INSERT INTO changing (value) VALUES (5);
    CREATE OR REPLACE FUNCTION lose_prepared() RETURNS int LANGUAGE plpgsql AS $$
    BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN 1; END $$;
"""
READ = text("SELECT id, value FROM changing WHERE id = :id")
LOSE = text("SELECT lose_prepared() AS lost")
ADD = text("INSERT INTO changing (value) VALUES (:value) RETURNING id").execution_options(
    not_idempotent=True
)
PREPARED = text(
    "SELECT name, statement FROM pg_prepared_statements WHERE statement LIKE '%FROM changing%'"
)

Rows: TypeAlias = list[dict[str, object]]
Run: TypeAlias = Callable[[Database], Awaitable[Rows]]
AdminConnection: TypeAlias = psycopg.AsyncConnection[tuple[object, ...]]


@pytest.fixture
async def admin(database: str) -> AsyncGenerator[AdminConnection]:
    """Create a table with one row, and return a connection that can change it."""
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute(SETUP)
        yield connection
        await connection.execute("DROP TABLE changing")


async def read(database: Database) -> Rows:
    return await fetch_all(database, READ, id=1)


async def stream(database: Database) -> Rows:
    return await (await open_stream(database, READ, id=1)).next_rows()


async def prepared_names(database: Database) -> list[str]:
    return [str(row["name"]) for row in await fetch_all(database, PREPARED)]


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("setting", get_args(PreparedStatements))
async def test_statements_are_prepared_unless_the_setting_is_off(
    database: str, setting: PreparedStatements
) -> None:
    async with engine_lifespan(database, prepared_statements=setting) as engine:
        for _ in range(EXECUTIONS):
            await read(engine)
        assert len(await prepared_names(engine)) == (setting != "off")


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("run", [read, stream])
async def test_a_statement_that_the_session_has_lost_is_repeated(
    database: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    async with engine_lifespan(database) as engine:
        for _ in range(EXECUTIONS):
            await run(engine)
        assert await prepared_names(engine)
        await fetch_all(engine, LOSE)

        assert await run(engine) == [{"id": 1, "value": 5}]
        assert "SQLSTATE 26000" in capsys.readouterr().out
        for _ in range(EXECUTIONS):
            await run(engine)
        assert await prepared_names(engine) == []


@pytest.mark.parametrize("run", [read, stream])
async def test_a_statement_whose_columns_a_migration_has_changed_is_repeated(
    database: str, admin: AdminConnection, run: Run
) -> None:
    async with engine_lifespan(database) as engine:
        for _ in range(EXECUTIONS):
            await run(engine)
        await admin.execute("ALTER TABLE changing ALTER value TYPE text")

        assert await run(engine) == [{"id": 1, "value": "5"}]


async def test_a_write_that_is_repeated_unprepared_is_done_once(
    database: str, admin: AdminConnection
) -> None:
    async with engine_lifespan(database) as engine:
        for value in range(EXECUTIONS):
            await fetch_all(engine, ADD, value=value)
        await fetch_all(engine, LOSE)

        await fetch_all(engine, ADD, value=100)

    cursor = await admin.execute("SELECT count(*) FROM changing WHERE value = 100")
    assert await cursor.fetchone() == (1,)


@pytest.mark.usefixtures("admin")
async def test_a_transaction_does_not_depend_on_prepared_statements(database: str) -> None:
    async with engine_lifespan(database) as engine:
        for _ in range(EXECUTIONS):
            await read(engine)
        await fetch_all(engine, LOSE)

        async with open_transaction(engine) as transaction:
            assert await transaction.fetch_all(READ, id=1) == [{"id": 1, "value": 5}]


@pytest.mark.usefixtures("admin")
async def test_a_name_never_stands_for_two_statements(database: str) -> None:
    names: list[str] = []
    for statement in (READ, text("SELECT value FROM changing WHERE id = :id")):
        async with engine_lifespan(database) as engine:
            for _ in range(EXECUTIONS):
                await fetch_all(engine, statement, id=1)
            names += await prepared_names(engine)

    assert len(set(names)) == 2
    assert all(name.startswith(NAME_PREFIX) for name in names)
