"""The migrations: the tables that they create, and how they run."""

import asyncio
from pathlib import Path
from secrets import token_hex
from typing import LiteralString

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql
from psycopg.errors import RaiseException
from sqlalchemy.exc import InternalError, OperationalError, ProgrammingError

from common.database.engine import POOL_TIMEOUT_SECONDS
from common.online_migration import (
    LOCK_TIMEOUT_MILLISECONDS,
    PATIENT_LOCK_TIMEOUT_MILLISECONDS,
)
from devkit.platform.databases import MigratedDatabases
from devkit.platform.postgres import Postgres
from devkit.testing.lock_waits import wait_for_blocked_statements
from tasks.models import REVISIONS

CONFIG = Config(toml_file=Path(__file__).parents[2] / "pyproject.toml")

BEFORE_LISTS = "a41c09e7d352"
"""The last revision without lists and labels."""

BEFORE_OWNER_KEYS = "5b8f0c3e7a19"
"""The last revision whose keys do not begin with the owner."""

STOP_SQL = """
CREATE SEQUENCE statements;
CREATE FUNCTION stop() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('statements') > 3 THEN RAISE EXCEPTION 'stopped'; END IF;
END $$;
CREATE EVENT TRIGGER stop ON ddl_command_start
WHEN TAG IN ('CREATE INDEX', 'DROP INDEX', 'ALTER TABLE') EXECUTE FUNCTION stop()
"""
"""Lets three statements of a migration pass, and stops it at the fourth one."""

STOPS_MAX = 20

LOCK_A_MINUTE = "SET lock_timeout = '1min'"

READS = 40
"""They take two seconds, and the migration tries to lock a few times meanwhile."""

BLOCKED_SECONDS = 20
"""Far longer than these reads take, and far less than a minute."""

KEYS_SQL = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(pg_constraint.oid), relname
FROM pg_constraint LEFT JOIN pg_class ON pg_class.oid = conindid
WHERE contype IN ('p', 'u', 'f') ORDER BY 1, 2
"""
INDEXES_SQL = """
SELECT indexrelid::regclass::text, indisvalid FROM pg_index
WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace) ORDER BY 1
"""

FILL_SQL = """
INSERT INTO owners (id, counter, task_count, created_at)
SELECT gen_random_uuid(), 7, 2, now() FROM generate_series(1, 9);
INSERT INTO tasks (id, user_id, title, is_completed, completed_at, created_at, updated_at, version)
SELECT gen_random_uuid(), id, 'Old', n > 1, CASE WHEN n > 1 THEN now() END,
       now() - n * interval '1 day', now(), n
FROM owners, generate_series(1, 2) AS n;
INSERT INTO task_tombstones (user_id, id, kind, version, deleted_at)
SELECT id, id, 'task', 7, now() FROM owners
"""

STORED_SQL = """
SELECT tasks.id, user_id, title, status, completed_at, tasks.created_at, updated_at, version,
       counter, task_count
FROM tasks JOIN owners ON owners.id = user_id ORDER BY tasks.id
"""
TABLE_FILES_SQL = """
SELECT relname, relfilenode FROM pg_class
WHERE relname IN ('owners', 'tasks', 'task_tombstones') ORDER BY 1
"""
KINDS_SQL = "SELECT kind, count(*) FROM task_tombstones GROUP BY kind"


@pytest.fixture
async def url(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> str:
    """Create an empty database for Alembic, and return its URL."""
    empty = await postgres.create_database(f"tasks-{token_hex(8)}")
    monkeypatch.setenv("TASKS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/pooled")
    monkeypatch.setenv("TASKS_DATABASE_URL_UNPOOLED", empty)
    return empty


def _setting(url: str, name: str) -> str:
    with psycopg.connect(url) as connection:
        return str(connection.execute("SELECT current_setting(%s)", [name]).fetchone())


def test_the_release_lists_all_revisions() -> None:
    chain = ScriptDirectory.from_config(CONFIG).walk_revisions()

    assert [script.revision for script in chain] == list(reversed(REVISIONS))


@pytest.mark.scenario("S006-SC-001")
def test_the_models_match_the_migrations(url: str) -> None:
    command.upgrade(CONFIG, "head")
    command.downgrade(CONFIG, "base")
    with psycopg.connect(url) as connection:
        left = connection.execute(
            "SELECT relname FROM pg_class WHERE relname LIKE '%tasks%'"
        ).fetchall()
    command.upgrade(CONFIG, "head")

    assert left == []
    command.check(CONFIG)


def _all(
    connection: psycopg.Connection, *statements: LiteralString
) -> list[list[tuple[object, ...]]]:
    return [connection.execute(statement).fetchall() for statement in statements]


@pytest.mark.scenario("S006-US1.2", "S006-FR-004", "S006-SC-001")
def test_the_lists_migration_keeps_existing_data_in_both_directions(url: str) -> None:
    command.upgrade(CONFIG, BEFORE_LISTS)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FILL_SQL)
        before = _all(connection, STORED_SQL, TABLE_FILES_SQL, KINDS_SQL)

        command.upgrade(CONFIG, "head")
        assert _all(connection, STORED_SQL, TABLE_FILES_SQL, KINDS_SQL) == before
        assert _all(
            connection, "SELECT DISTINCT priority, position, list_id, due_date FROM tasks"
        ) == [[(0, None, None, None)]]

        connection.execute("UPDATE tasks SET priority = 3, position = 1, due_date = now()")
        connection.execute(
            "INSERT INTO task_tombstones "
            "SELECT user_id, gen_random_uuid(), 'list', 8, now() FROM tasks LIMIT 1"
        )
        command.downgrade(CONFIG, BEFORE_LISTS)
        assert _all(connection, STORED_SQL, TABLE_FILES_SQL, KINDS_SQL) == before


def test_an_interrupted_migration_can_be_repeated(url: str) -> None:
    command.upgrade(CONFIG, BEFORE_LISTS)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE task_labels ()")  # where its last part fails
        with pytest.raises(ProgrammingError, match="already exists"):
            command.upgrade(CONFIG, "head")
        connection.execute("DROP TABLE task_labels")

    command.upgrade(CONFIG, "head")

    command.check(CONFIG)


async def test_the_keys_migration_continues_where_it_was_stopped(
    url: str, databases: MigratedDatabases
) -> None:
    command.upgrade(CONFIG, BEFORE_OWNER_KEYS)
    is_stopped = True
    stops = 0
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FILL_SQL)
        connection.execute(STOP_SQL)
        while is_stopped and stops < STOPS_MAX:
            try:
                command.upgrade(CONFIG, "head")
                is_stopped = False
            except (RaiseException, InternalError):
                stops += 1
                connection.execute("SELECT setval('statements', 1, false)")
        connection.execute("DROP EVENT TRIGGER stop")
        keys = _all(connection, KEYS_SQL, INDEXES_SQL)

    assert 3 < stops < STOPS_MAX
    with psycopg.connect(await databases.create("tasks")) as connection:
        assert _all(connection, KEYS_SQL, INDEXES_SQL) == keys
    command.check(CONFIG)


def test_an_index_that_was_left_unfinished_is_built_anew(url: str) -> None:
    command.upgrade(CONFIG, BEFORE_OWNER_KEYS)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE UNIQUE INDEX uq_tasks_id ON tasks (user_id, version)")
        connection.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'uq_tasks_id'::regclass"
        )
        command.upgrade(CONFIG, "head")
        [[(definition,)]] = _all(connection, "SELECT pg_get_indexdef('uq_tasks_id'::regclass)")

    assert str(definition).endswith("(id)")


async def test_the_keys_migration_waits_for_another_session_without_blocking_the_service(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a limit of its own, an attempt to lock would block the service for a minute."""
    monkeypatch.setattr("common.migrations.SESSION", (LOCK_A_MINUTE,))
    monkeypatch.setattr("common.online_migration.LIMIT_LOCK_WAITS", LOCK_A_MINUTE)
    await asyncio.to_thread(command.upgrade, CONFIG, BEFORE_OWNER_KEYS)
    async with (
        await psycopg.AsyncConnection.connect(url) as reader,
        await psycopg.AsyncConnection.connect(url, autocommit=True) as service,
    ):
        # A build of an index waits for snapshots, but this lock has none.
        await reader.execute("LOCK TABLE tasks IN ACCESS SHARE MODE")
        migration = asyncio.create_task(asyncio.to_thread(command.upgrade, CONFIG, "head"))
        try:
            await wait_for_blocked_statements(url, 1)
            async with asyncio.timeout(BLOCKED_SECONDS):
                for _ in range(READS):
                    await service.execute("SELECT count(*) FROM tasks")
                    await asyncio.sleep(0.05)
            assert not migration.done()
        finally:
            await reader.rollback()
            await migration


def test_no_attempt_to_lock_outlasts_the_patience_of_requests() -> None:
    longest_milliseconds = max(LOCK_TIMEOUT_MILLISECONDS, PATIENT_LOCK_TIMEOUT_MILLISECONDS)

    assert longest_milliseconds < POOL_TIMEOUT_SECONDS * 1_000


def test_migrations_set_the_statement_timeout(url: str) -> None:
    command.upgrade(CONFIG, "head")
    assert "5s" in _setting(url, "statement_timeout")

    command.downgrade(CONFIG, "base")
    assert "5s" not in _setting(url, "statement_timeout")


async def test_a_migration_waits_for_a_running_one_without_a_limit(url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as other:
        limit = sql.SQL("ALTER ROLE CURRENT_USER IN DATABASE {} SET statement_timeout = '100ms'")
        await other.execute(limit.format(sql.Identifier(other.info.dbname)))
        await other.execute("SELECT pg_advisory_lock(hashtext('tasks migrations'))")
        migration = asyncio.create_task(asyncio.to_thread(command.upgrade, CONFIG, "head"))
        await asyncio.sleep(0.5)
        assert not migration.done()
        await other.execute("SELECT pg_advisory_unlock_all()")
        await migration

    command.check(CONFIG)


def test_a_migration_gives_up_when_it_cannot_lock(url: str) -> None:
    command.upgrade(CONFIG, "head")

    with psycopg.connect(url) as reader:
        reader.execute("SELECT count(*) FROM tasks, owners, served_history")
        with pytest.raises(OperationalError, match="lock timeout"):
            command.downgrade(CONFIG, "base")

    command.check(CONFIG)


def test_migrations_require_a_database_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TASKS_DATABASE_URL", raising=False)
    monkeypatch.delenv("TASKS_DATABASE_URL_UNPOOLED", raising=False)

    with pytest.raises(SystemExit, match="TASKS_DATABASE_URL"):
        command.upgrade(CONFIG, "head")
