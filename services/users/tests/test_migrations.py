"""The migrations of the users service."""

import asyncio
from pathlib import Path
from secrets import token_hex

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy.exc import OperationalError

from devkit.platform.postgres import Postgres
from users.revisions import REVISIONS

CONFIG = Config(toml_file=Path(__file__).parents[1] / "pyproject.toml")


@pytest.fixture
async def url(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> str:
    """Create an empty database, and set it as the one that Alembic migrates."""
    empty = await postgres.create_database(f"users-{token_hex(8)}")
    monkeypatch.setenv("USERS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/pooled")
    monkeypatch.setenv("USERS_DATABASE_URL_UNPOOLED", empty)
    return empty


def _setting(url: str, name: str) -> str:
    with psycopg.connect(url) as connection:
        return str(connection.execute("SELECT current_setting(%s)", [name]).fetchone())


def test_a_release_knows_its_revisions() -> None:
    chain = ScriptDirectory.from_config(CONFIG).walk_revisions()

    assert [script.revision for script in chain] == list(reversed(REVISIONS))


def test_the_models_are_what_the_migrations_make(url: str) -> None:
    command.upgrade(CONFIG, "head")
    command.downgrade(CONFIG, "base")
    with psycopg.connect(url) as connection:
        remaining_tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relname LIKE '%users%'"
        ).fetchall()
    command.upgrade(CONFIG, "head")

    assert remaining_tables == []
    command.check(CONFIG)


def test_statements_of_the_service_end_after_as_long_as_a_request_may_take(url: str) -> None:
    command.upgrade(CONFIG, "head")
    assert "5s" in _setting(url, "statement_timeout")

    command.downgrade(CONFIG, "base")
    assert "5s" not in _setting(url, "statement_timeout")


async def test_a_migration_waits_for_another_one_for_as_long_as_that_takes(url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as other:
        limit = sql.SQL("ALTER ROLE CURRENT_USER IN DATABASE {} SET statement_timeout = '100ms'")
        await other.execute(limit.format(sql.Identifier(other.info.dbname)))
        await other.execute("SELECT pg_advisory_lock(hashtext('users migrations'))")
        migration = asyncio.create_task(asyncio.to_thread(command.upgrade, CONFIG, "head"))
        await asyncio.sleep(0.5)
        assert not migration.done()
        await other.execute("SELECT pg_advisory_unlock_all()")
        await migration

    command.check(CONFIG)


async def test_a_migration_gives_up_rather_than_keep_the_service_waiting(url: str) -> None:
    command.upgrade(CONFIG, "head")

    async with await psycopg.AsyncConnection.connect(url) as reader:
        await reader.execute("SELECT count(*) FROM users")
        with pytest.raises(OperationalError, match="lock timeout"):
            await asyncio.wait_for(asyncio.to_thread(command.downgrade, CONFIG, "base"), 8)

    command.check(CONFIG)


def test_a_migration_without_a_database_url_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("USERS_DATABASE_URL", raising=False)
    monkeypatch.delenv("USERS_DATABASE_URL_UNPOOLED", raising=False)

    with pytest.raises(SystemExit, match="USERS_DATABASE_URL"):
        command.upgrade(CONFIG, "head")
