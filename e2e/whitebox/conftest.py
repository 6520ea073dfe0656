"""A platform that may be killed, broken and looked into, on a database server of its own."""

from collections.abc import AsyncGenerator

import pytest

from devkit.platform.databases import MigratedDatabases
from devkit.platform.processes import ProcessGroup
from e2e.support.isolated_platform import OwnPlatform, OwnPostgres, own_platform, own_postgres


@pytest.fixture(scope="session")
async def group(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[ProcessGroup]:
    """Start processes whose logs can be read."""
    async with ProcessGroup(tmp_path_factory.mktemp("log")) as group:
        yield group


@pytest.fixture(scope="session")
async def server(group: ProcessGroup) -> AsyncGenerator[OwnPostgres]:
    """Run a database server that no other test depends on."""
    async with own_postgres(group) as server:
        yield server


@pytest.fixture(scope="session")
def databases(group: ProcessGroup, server: OwnPostgres) -> MigratedDatabases:
    """Make fresh, migrated databases on it."""
    return MigratedDatabases(group, server.server)


@pytest.fixture(scope="session")
async def own(databases: MigratedDatabases) -> AsyncGenerator[OwnPlatform]:
    """Run a platform on it."""
    urls = {owner: await databases.create(owner) for owner in ("tasks", "users")}
    async with own_platform(urls) as platform:
        yield platform
