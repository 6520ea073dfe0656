"""Fixtures of all suites. Each is started when a test needs it, and stopped with the session."""

import os
import secrets
from collections.abc import AsyncGenerator, Callable

import pytest
from hypothesis import settings

from common.environment import forget_libpq_variables
from devkit.platform.databases import MigratedDatabases, database_environment
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys, derive_passport_keys, generate_private_key
from devkit.platform.postgres import Postgres, throwaway_postgres
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform, start_platform
from devkit.testing.pgbouncer import run_pgbouncer

settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")  # the same examples on every machine, however slow

forget_libpq_variables()  # what a developer's shell has for other databases
for variable in ("no_proxy", "NO_PROXY"):  # a developer's proxy cannot reach this machine's ports
    hosts = f"{os.environ.get(variable, '')},127.0.0.1,localhost"
    os.environ[variable] = hosts.lstrip(",")


@pytest.fixture(scope="session")
async def processes(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[ProcessGroup]:
    """Return a group of processes that end with the session."""
    async with ProcessGroup(tmp_path_factory.mktemp("log")) as group:
        yield group


@pytest.fixture(scope="session")
async def postgres(processes: ProcessGroup) -> AsyncGenerator[Postgres]:
    """Run one PostgreSQL for all suites; its data are deleted at the end of the session."""
    async with throwaway_postgres(processes) as server:
        yield server


@pytest.fixture(scope="session")
def databases(processes: ProcessGroup, postgres: Postgres) -> MigratedDatabases:
    """Create fresh, migrated databases: `await databases.create("tasks")` is the URL of one."""
    return MigratedDatabases(processes, postgres)


@pytest.fixture(scope="session")
async def pooled_url(
    processes: ProcessGroup, postgres: Postgres
) -> AsyncGenerator[Callable[[str], str | None]]:
    """Return the URL of a database through the PgBouncer that POOLER names; None without one."""
    if not os.environ.get("POOLER"):
        yield lambda _: None
        return
    async with run_pgbouncer(processes, postgres.url(), prepared_max=100) as pooler:
        yield pooler.url


@pytest.fixture(scope="session")
def keys() -> PassportKeys:
    """Return the keys of the passports that the services of the session accept."""
    return derive_passport_keys(generate_private_key())


@pytest.fixture(scope="session")
def better_auth_secret() -> str:
    """Return the secret of the tokens that the gateway of the session accepts."""
    return secrets.token_urlsafe()


@pytest.fixture(scope="session")
async def platform(
    processes: ProcessGroup,
    databases: MigratedDatabases,
    keys: PassportKeys,
    better_auth_secret: str,
) -> Platform:
    """Run gateway, tasks and users, each as a process, on fresh databases."""
    urls = {
        "tasks": await databases.create("tasks"),
        "users": await databases.create("users"),
    }
    environment = database_environment(urls, minimal_environment())
    environment["BETTER_AUTH_SECRET"] = better_auth_secret
    started = start_platform(processes, environment, keys)
    await started.wait_until_ready()
    return started
