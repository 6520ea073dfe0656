from collections.abc import AsyncGenerator
from secrets import token_hex

import pytest

from devkit.platform.databases import MigratedDatabases
from devkit.platform.keys import PassportKeys
from devkit.platform.services import Platform
from devkit.testing.auth_headers import ClientFactory
from tasks.transfer import batching, service

from ..support.service import Service, run_service


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Divide a handful of records into several pages, batches and ranges."""
    monkeypatch.setattr(service, "EXPORT_PAGE_ROWS", 2)
    monkeypatch.setattr(batching, "BATCH_LINES_MAX", 2)
    monkeypatch.setattr(batching, "RANGE_LINES_MAX", 2)


@pytest.fixture(scope="session")
async def roomy_service(
    databases: MigratedDatabases, platform: Platform, keys: PassportKeys
) -> AsyncGenerator[Service]:
    """Run a service whose users may have as many tasks as those of a real one."""
    database_url = await databases.create("tasks")
    async with run_service(
        database_url, platform.users.url, keys, tasks_max=10_100
    ) as roomy_service:
        yield roomy_service


@pytest.fixture
def as_roomy_user(roomy_service: Service) -> ClientFactory:
    """Create clients of the roomy service. Users of the same name differ between tests."""
    suffix = token_hex(8)
    return lambda name: roomy_service.client_for(f"{name}-{suffix}")
