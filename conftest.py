"""What every suite shares. Nothing here is started before a test asks for it, and all of it is gone afterwards."""

import os
import secrets
from collections.abc import AsyncGenerator

import pytest
from hypothesis import settings

from common.environment import forget_libpq_variables
from devkit.platform.databases import MigratedDatabases, database_environment
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys, derive_passport_keys, generate_private_key
from devkit.platform.postgres import Postgres, throwaway_postgres
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform, start_platform

settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")  # the same examples on every machine, however slow

forget_libpq_variables()  # what a developer's shell has for other databases
for variable in ("no_proxy", "NO_PROXY"):  # and its proxy knows nothing of what runs here
    os.environ[variable] = f"{os.environ.get(variable, '')},127.0.0.1,localhost".lstrip(",")


@pytest.fixture(scope="session")
async def processes(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[ProcessGroup]:
    """Start processes that end with the session."""
    async with ProcessGroup(tmp_path_factory.mktemp("log")) as group:
        yield group


@pytest.fixture(scope="session")
async def postgres(processes: ProcessGroup) -> AsyncGenerator[Postgres]:
    """Run one PostgreSQL for all suites; nothing in it outlives the session."""
    async with throwaway_postgres(processes) as server:
        yield server


@pytest.fixture(scope="session")
def databases(processes: ProcessGroup, postgres: Postgres) -> MigratedDatabases:
    """Make fresh, migrated databases: `await databases.create("tasks")` is the URL of one."""
    return MigratedDatabases(processes, postgres)


@pytest.fixture(scope="session")
def keys() -> PassportKeys:
    """Sign passports that the services of the session believe."""
    return derive_passport_keys(generate_private_key())


@pytest.fixture(scope="session")
def better_auth_secret() -> str:
    """Sign tokens that the gateway of the session takes."""
    return secrets.token_urlsafe()


@pytest.fixture(scope="session")
async def platform(
    processes: ProcessGroup,
    databases: MigratedDatabases,
    keys: PassportKeys,
    better_auth_secret: str,
) -> Platform:
    """Run gateway, tasks and users, each as a process, on fresh databases."""
    urls = {owner: await databases.create(owner) for owner in ("tasks", "users")}
    environment = database_environment(urls, minimal_environment()) | {
        "BETTER_AUTH_SECRET": better_auth_secret
    }
    started = start_platform(processes, environment, keys)
    await started.wait_until_ready()
    return started
