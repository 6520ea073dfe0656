"""Run a platform that tests can kill, break and inspect, on its own database server."""

from collections.abc import AsyncGenerator

import pytest

from devkit.platform.databases import MigratedDatabases
from devkit.platform.processes import ProcessGroup
from e2e.support.isolated_platform import (
    IsolatedPlatform,
    IsolatedPostgres,
    run_isolated_platform,
    run_isolated_postgres,
)


@pytest.fixture(scope="session")
async def group(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[ProcessGroup]:
    """Start processes with a log folder of their own."""
    async with ProcessGroup(tmp_path_factory.mktemp("log")) as group:
        yield group


@pytest.fixture(scope="session")
async def server(group: ProcessGroup) -> AsyncGenerator[IsolatedPostgres]:
    """Run a database server that tests of other folders do not use."""
    async with run_isolated_postgres(group) as server:
        yield server


@pytest.fixture(scope="session")
def databases(group: ProcessGroup, server: IsolatedPostgres) -> MigratedDatabases:
    """Create migrated databases on this server."""
    return MigratedDatabases(group, server.server)


@pytest.fixture(scope="session")
async def isolated_platform(databases: MigratedDatabases) -> AsyncGenerator[IsolatedPlatform]:
    """Run a platform on this server."""
    urls = {service: await databases.create(service) for service in ("tasks", "users")}
    async with run_isolated_platform(urls) as platform:
        yield platform
