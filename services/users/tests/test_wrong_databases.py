"""A database that does not fit is reported at the start, by `/readyz` and to clients."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from secrets import token_hex
from typing import LiteralString

import psycopg
import pytest
from httpx import ASGITransport, AsyncClient, Response
from pydantic import HttpUrl, Secret

from devkit.platform.databases import MigratedDatabases, database_environment, run_alembic
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.postgres import Postgres
from devkit.platform.processes import ProcessGroup
from devkit.testing.auth_headers import passport_headers
from users.main import create_app
from users.revisions import REVISIONS
from users.settings import UsersSettings

Run = Callable[[str], AbstractAsyncContextManager[AsyncClient]]
Migrate = Callable[..., Awaitable[None]]

TOO_NEW: tuple[LiteralString, ...] = (
    "UPDATE alembic_version SET version_num = 'of-tomorrow'",
    """
    COMMENT ON TABLE alembic_version
    IS 'oldest revision whose release works with this schema: of_tomorrow'
    """,
)
"""What a migration leaves that no longer works with this release."""


@pytest.fixture
def run(keys: PassportKeys) -> Run:
    """Return a context manager that runs the service on a database, and yields a client."""

    @asynccontextmanager
    async def run(url: str) -> AsyncGenerator[AsyncClient]:
        settings = UsersSettings(
            users_database_url=Secret(url),
            passport_public_keys=(keys.public,),
            tasks_url=HttpUrl("http://127.0.0.1:1"),
        )
        app = create_app(settings)
        client = AsyncClient(
            transport=ASGITransport(app),
            base_url="http://users",
            headers=passport_headers(keys, "ann"),
        )
        async with app.router.lifespan_context(app):
            yield client

    return run


@pytest.fixture
def migrate(processes: ProcessGroup) -> Migrate:
    """Return a function that runs an Alembic command on a database."""

    async def migrate(url: str, *arguments: str) -> None:
        environment = database_environment({"users": url}, minimal_environment())
        await run_alembic(processes, "users", environment, *arguments)

    return migrate


@pytest.fixture
def logged(capfd: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """Return the log lines about the database since the last call."""

    def database_lines() -> list[str]:
        output = capfd.readouterr().out
        return [line for line in output.splitlines() if "The database of users" in line]

    return database_lines


async def execute(url: str, *statements: LiteralString) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for statement in statements:
            await connection.execute(statement)


def code_of(response: Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


async def assert_rejected(user: AsyncClient, word: str) -> None:
    readiness = await user.get("/readyz")
    assert code_of(readiness) == (503, "not-ready")
    assert word in readiness.json()["detail"]
    response = await user.get("/users/me")
    assert code_of(response) == (503, "database-not-ready")
    assert response.headers["retry-after"] == "1"
    assert word not in response.text
    assert (await user.get("/healthz")).status_code == 200


@pytest.mark.parametrize("revision", [None, *REVISIONS[:-1]])
async def test_an_older_schema_is_reported_and_works_after_migration(
    postgres: Postgres,
    run: Run,
    migrate: Migrate,
    logged: Callable[[], list[str]],
    revision: str | None,
) -> None:
    url = await postgres.create_database(f"users-{token_hex(8)}")
    if revision:
        await migrate(url, "upgrade", revision)

    async with run(url) as user:
        await assert_rejected(user, "run make migrate")
        [line] = logged()
        assert (revision or "never migrated") in line

        await migrate(url, "upgrade", "head")

        assert (await user.get("/readyz")).json() == {"database": "ok"}
        assert (await user.get("/users/me")).status_code == 200


async def test_a_newer_schema_works_by_default(databases: MigratedDatabases, run: Run) -> None:
    url = await databases.create("users")
    await execute(url, TOO_NEW[0])

    async with run(url) as user:
        assert (await user.get("/readyz")).status_code == 200
        assert (await user.get("/users/me")).status_code == 200


async def test_a_newer_schema_is_rejected_if_a_migration_says_so(
    databases: MigratedDatabases, run: Run, logged: Callable[[], list[str]]
) -> None:
    url = await databases.create("users")
    await execute(url, *TOO_NEW)

    async with run(url) as user:
        await assert_rejected(user, "too new for this release")
        [line] = logged()
        assert "too new for this release" in line


async def test_requests_notice_a_downgrade_under_a_running_service(
    databases: MigratedDatabases, run: Run, migrate: Migrate
) -> None:
    url = await databases.create("users")
    async with run(url) as user:
        assert (await user.get("/users/me")).status_code == 200
        await migrate(url, "downgrade", "base")

        assert code_of(await user.get("/users/me")) == (503, "database-not-ready")
        await assert_rejected(user, "never migrated")


async def test_requests_notice_a_migration_that_they_do_not_work_with(
    databases: MigratedDatabases, run: Run
) -> None:
    url = await databases.create("users")
    async with run(url) as user:
        assert (await user.get("/users/me")).status_code == 200
        await execute(url, "ALTER TABLE users RENAME COLUMN email TO address", *TOO_NEW)

        assert code_of(await user.get("/users/me")) == (503, "database-not-ready")
        await assert_rejected(user, "too new for this release")
