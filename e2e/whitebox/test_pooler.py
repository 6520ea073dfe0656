"""A real PgBouncer in front of a database: what does not work through it fails fast."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import psycopg
import pytest

from devkit.platform.databases import MigratedDatabases, database_environment, run_alembic
from devkit.platform.environment import minimal_environment
from devkit.platform.errors import CannotRunError
from devkit.platform.keys import derive_passport_keys, generate_private_key
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import free_ports, start_service
from devkit.testing.pgbouncer import run_pgbouncer
from e2e.support.isolated_platform import IsolatedPostgres

RunPooler = Callable[[str, str], AbstractAsyncContextManager[str]]
"""Runs a pooler in front of a database URL, in a pool mode; yields the URL of the pooler."""

Migrate = Callable[[str, str], Awaitable[None]]
"""Migrates the database of a service, given a URL."""

REFUSED = "A pooler refuses the parameter options of the URL: use ALTER ROLE … SET instead"

FAILURE_SECONDS = 20
"""Far more than an error takes, and far less than a hang."""


@pytest.fixture
def run_pooler(group: ProcessGroup) -> RunPooler:
    """Run a pooler."""

    @asynccontextmanager
    async def run(url: str, mode: str) -> AsyncGenerator[str]:
        async with run_pgbouncer(group, url, mode=mode) as pooler:
            yield pooler.url(url)

    return run


@pytest.fixture
def migrate(group: ProcessGroup) -> Migrate:
    """Migrate by the given URL, without an unpooled one."""

    async def migrate(service: str, url: str) -> None:
        environment = database_environment({service: url}, minimal_environment())
        await run_alembic(group, service, environment, "upgrade", "head")

    return migrate


@pytest.mark.parametrize("service", ["tasks", "users"])
async def test_a_migration_through_a_transaction_pooler_fails_and_leaves_nothing(
    server: IsolatedPostgres, run_pooler: RunPooler, migrate: Migrate, service: str
) -> None:
    url = await server.server.create_database(f"pooled-{service}-transaction")
    message = f"Set {service.upper()}_DATABASE_URL_UNPOOLED"
    async with run_pooler(url, "transaction") as pooled_url:
        began = time.monotonic()
        with pytest.raises(CannotRunError, match=message) as failure:
            await migrate(service, pooled_url)
        assert time.monotonic() - began < FAILURE_SECONDS
        assert "Traceback" not in str(failure.value)
        with psycopg.connect(pooled_url, prepare_threshold=None) as connection:
            assert connection.execute("SHOW lock_timeout").fetchone() == ("0",)
            assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)
            assert connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,)
    with psycopg.connect(url) as connection:
        advisory_locks = connection.execute("SELECT FROM pg_locks WHERE locktype = 'advisory'")
        assert advisory_locks.fetchone() is None
    await migrate(service, url)


async def test_a_migration_through_a_session_pooler_works(
    server: IsolatedPostgres, run_pooler: RunPooler, migrate: Migrate
) -> None:
    url = await server.server.create_database("pooled-session")
    async with run_pooler(url, "session") as pooled_url:
        await migrate("tasks", pooled_url)
        await migrate("tasks", pooled_url)


async def test_statements_through_a_pooler_have_a_timeout(
    server: IsolatedPostgres, run_pooler: RunPooler, migrate: Migrate
) -> None:
    url = await server.server.create_database("pooled-limit")
    await migrate("tasks", url)
    async with run_pooler(url, "transaction") as pooled_url:
        with psycopg.connect(pooled_url) as connection:
            assert connection.execute("SHOW statement_timeout").fetchone() == ("5s",)


@pytest.mark.parametrize(
    ("parameters", "message", "readiness"),
    [
        ("", "SET statement_timeout", (200, "")),
        (
            "?options=-cwork_mem%3D8MB",
            REFUSED.partition("…")[0],
            (503, f"Not ready: database ({REFUSED})."),
        ),
    ],
)
async def test_a_service_behind_a_pooler_logs_what_the_pooler_does_not_support(
    databases: MigratedDatabases,
    run_pooler: RunPooler,
    group: ProcessGroup,
    parameters: str,
    message: str,
    readiness: tuple[int, str],
) -> None:
    url = await databases.create("tasks")
    keys = derive_passport_keys(generate_private_key())
    async with run_pooler(url, "transaction") as pooled_url:
        urls = {"tasks": pooled_url + parameters}
        environment = database_environment(urls, minimal_environment())
        environment["PASSPORT_PUBLIC_KEYS"] = keys.public
        environment["USERS_URL"] = "http://127.0.0.1:1"
        [port] = free_ports(1)
        service = start_service(group, "tasks", environment, port)

        async def is_logged() -> bool:
            return message in service.process.log.read_text()

        async def has_readiness() -> bool:
            return await readiness_of(service.url) == readiness

        await service.process.wait_until(is_logged, seconds=FAILURE_SECONDS)
        await service.process.wait_until(has_readiness, seconds=FAILURE_SECONDS)
        await service.process.stop()


async def readiness_of(url: str) -> tuple[int, str] | None:
    """Return status and problem; None from a service that does not listen yet, although it logs."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        try:
            response = await client.get("/readyz")
        except httpx.ConnectError:
            return None
        return response.status_code, response.json().get("detail", "")
