"""A real PgBouncer between: what it would break says so in seconds, and everything else works through it."""

import os
import shutil
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from pwd import getpwnam
from tempfile import TemporaryDirectory

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from devkit.platform.databases import MigratedDatabases, database_environment, run_alembic
from devkit.platform.environment import minimal_environment
from devkit.platform.errors import CannotRunError
from devkit.platform.keys import derive_passport_keys, generate_private_key
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import free_ports, start_service
from e2e.support.isolated_platform import OwnPostgres

Pool = Callable[[str, str], AbstractAsyncContextManager[str]]

SECONDS = 20
"""Far more than a refusal takes, and far less than for ever."""

CONFIGURATION = """
[databases]
pooled = host={host} dbname={name} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
"""


def write_configuration(folder: Path, url: str, port: int, mode: str) -> Path:
    """Lead a pooler to the database's socket."""
    server = conninfo_to_dict(url)
    file = folder / "pgbouncer.ini"
    names = {"host": server["host"], "name": server["dbname"], "user": server["user"]}
    file.write_text(CONFIGURATION.format_map(names | {"port": port, "mode": mode}))
    return file


@pytest.fixture
def pool(group: ProcessGroup) -> Pool:
    """Run a pooler before a database, in one of its modes, and give the URL of the way through it.

    It does not run as root, and as anybody else it reaches the socket only as PostgreSQL itself does.
    """
    account = getpwnam("nobody") if os.geteuid() == 0 else None

    @asynccontextmanager
    async def run(url: str, mode: str) -> AsyncGenerator[str]:
        [port] = free_ports(1)
        with TemporaryDirectory() as folder:
            file = write_configuration(Path(folder), url, port, mode)
            command = [str(shutil.which("pgbouncer")), file]
            pooler = group.start(f"pooler-{port}", command, minimal_environment(), run_as=account)
            pooled = f"postgresql://anybody@127.0.0.1:{port}/pooled"

            async def is_ready() -> bool:
                try:
                    psycopg.connect(pooled).close()
                except psycopg.OperationalError:
                    return False
                return True

            await pooler.wait_until(is_ready)
            yield pooled
            await pooler.stop()

    return run


@pytest.fixture
def migrate(group: ProcessGroup) -> Callable[[str, str], Awaitable[None]]:
    """Migrate a service's database by this way alone."""

    async def migrate(owner: str, url: str) -> None:
        await run_alembic(
            group,
            owner,
            database_environment({owner: url}, minimal_environment()),
            "upgrade",
            "head",
        )

    return migrate


@pytest.mark.parametrize("owner", ["tasks", "users"])
async def test_a_migration_through_a_pooler_of_transactions_is_refused_and_leaves_nothing(
    server: OwnPostgres, pool: Pool, migrate: Callable[[str, str], Awaitable[None]], owner: str
) -> None:
    url = await server.server.create_database(f"pooled-{owner}-transaction")
    async with pool(url, "transaction") as pooled:
        began = time.monotonic()
        with pytest.raises(
            CannotRunError, match=f"Set {owner.upper()}_DATABASE_URL_UNPOOLED"
        ) as failure:
            await migrate(owner, pooled)
        assert time.monotonic() - began < SECONDS
        assert "Traceback" not in str(failure.value)
        with psycopg.connect(pooled, prepare_threshold=None) as connection:
            assert connection.execute("SHOW lock_timeout").fetchone() == ("0",)
            assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)
            assert connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,)
    with psycopg.connect(url) as connection:
        assert (
            connection.execute("SELECT FROM pg_locks WHERE locktype = 'advisory'").fetchone()
            is None
        )
    await migrate(owner, url)


async def test_a_migration_through_a_pooler_of_sessions_works(
    server: OwnPostgres, pool: Pool, migrate: Callable[[str, str], Awaitable[None]]
) -> None:
    url = await server.server.create_database("pooled-session")
    async with pool(url, "session") as pooled:
        await migrate("tasks", pooled)
        await migrate("tasks", pooled)


async def test_statements_are_limited_through_a_pooler(
    server: OwnPostgres, pool: Pool, migrate: Callable[[str, str], Awaitable[None]]
) -> None:
    url = await server.server.create_database("pooled-limit")
    await migrate("tasks", url)
    async with pool(url, "transaction") as pooled:
        with psycopg.connect(pooled) as connection:
            assert connection.execute("SHOW statement_timeout").fetchone() == ("5s",)


@pytest.mark.parametrize(
    ("parameters", "status", "line"),
    [
        ("", 200, "SET statement_timeout"),
        ("?options=-cwork_mem%3D8MB", 503, "startup parameter: options"),
    ],
)
async def test_a_service_behind_a_pooler_says_what_it_finds(
    databases: MigratedDatabases,
    pool: Pool,
    group: ProcessGroup,
    parameters: str,
    status: int,
    line: str,
) -> None:
    url = await databases.create("tasks")
    keys = derive_passport_keys(generate_private_key())
    async with pool(url, "transaction") as pooled:
        settings = {"PASSPORT_PUBLIC_KEYS": keys.public, "USERS_URL": "http://127.0.0.1:1"}
        environment = (
            database_environment({"tasks": pooled + parameters}, minimal_environment()) | settings
        )
        service = start_service(group, "tasks", environment, *free_ports(1))

        async def is_said() -> bool:
            return line in service.process.log.read_text()

        await service.process.wait_until(is_said, seconds=SECONDS)
        assert await status_of(service.url) == status
        await service.process.stop()


async def status_of(url: str) -> int:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        return (await client.get("/readyz")).status_code
