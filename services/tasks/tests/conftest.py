"""Fixtures that run the tasks service on a migrated database, with the real users service."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from secrets import token_hex

import pytest

from devkit.platform.databases import MigratedDatabases
from devkit.platform.keys import PassportKeys
from devkit.platform.services import Platform
from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from .support.service import Service, ServiceRunner, run_service

PooledUrl = Callable[[str], str | None]


@pytest.fixture(scope="session")
async def shared_service(
    databases: MigratedDatabases, platform: Platform, keys: PassportKeys, pooled_url: PooledUrl
) -> AsyncGenerator[Service]:
    """Run one service for all tests that leave it unharmed."""
    database_url = await databases.create("tasks")
    through = pooled_url(database_url)
    async with run_service(database_url, platform.users.url, keys, through) as service:
        yield service


@pytest.fixture
def as_user(shared_service: Service) -> ClientFactory:
    """Create clients of the shared service. Users of the same name differ between tests."""
    suffix = token_hex(8)
    return lambda name: shared_service.client_for(f"{name}-{suffix}")


@pytest.fixture
async def service(
    databases: MigratedDatabases, platform: Platform, keys: PassportKeys, pooled_url: PooledUrl
) -> AsyncGenerator[Service]:
    """Run a service on a database of this test's own, to count, break or inspect."""
    database_url = await databases.create("tasks")
    through = pooled_url(database_url)
    async with run_service(database_url, platform.users.url, keys, through) as isolated_service:
        yield isolated_service


@pytest.fixture
def as_isolated_user(service: Service) -> ClientFactory:
    """Create clients of this test's own service."""
    return service.client_for


@pytest.fixture
def proxy(service: Service) -> FaultProxy:
    """Return the proxy between this test's own service and its database."""
    return service.proxy


@pytest.fixture
def run_with_users_service(databases: MigratedDatabases, keys: PassportKeys) -> ServiceRunner:
    """Return a context manager that runs the service with another users service."""

    @asynccontextmanager
    async def run(users_url: str) -> AsyncGenerator[ClientFactory]:
        database_url = await databases.create("tasks")
        async with run_service(database_url, users_url, keys) as service:
            yield service.client_for

    return run
