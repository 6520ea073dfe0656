"""The tasks service in this process, on a migrated database behind a proxy, beside the real users service."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from secrets import token_hex

import pytest
from httpx import ASGITransport, AsyncClient
from pydantic import HttpUrl, Secret

from devkit.platform.databases import MigratedDatabases
from devkit.platform.keys import PassportKeys
from devkit.platform.services import Platform
from devkit.testing.auth_headers import ClientFactory, passport_headers
from devkit.testing.fault_proxy import FaultProxy, proxy_to
from tasks.main import create_app
from tasks.settings import TasksSettings

TASKS_MAX = 5
"""So that a test reaches the quota."""


Beside = Callable[[str], AbstractAsyncContextManager[ClientFactory]]


@dataclass(frozen=True)
class Service:
    """The service, the proxy before its database, and a way to speak to it as somebody."""

    proxy: FaultProxy
    speak_as: ClientFactory


@asynccontextmanager
async def run_service(
    database_url: str, users_url: str, keys: PassportKeys
) -> AsyncGenerator[Service]:
    """Run the service before this database and beside this users service."""
    async with proxy_to(database_url) as proxy:
        settings = TasksSettings(
            tasks_database_url=Secret(proxy.url),
            passport_public_keys=(keys.public,),
            users_url=HttpUrl(users_url),
            tasks_per_user_max=TASKS_MAX,
        )
        app = create_app(settings)

        def speak_as(name: str) -> AsyncClient:
            headers = passport_headers(keys, name)
            return AsyncClient(
                transport=ASGITransport(app), base_url="http://tasks", headers=headers
            )

        async with app.router.lifespan_context(app):
            yield Service(proxy, speak_as)


@pytest.fixture(scope="session")
async def shared(
    databases: MigratedDatabases, platform: Platform, keys: PassportKeys
) -> AsyncGenerator[Service]:
    """Run the service once, for all tests that do it no harm."""
    async with run_service(await databases.make("tasks"), platform.users.url, keys) as service:
        yield service


@pytest.fixture
def as_user(shared: Service) -> ClientFactory:
    """Speak to the shared service as the gateway would for a user of this name, whom no other test knows."""
    suffix = token_hex(8)
    return lambda name: shared.speak_as(f"{name}-{suffix}")


@pytest.fixture
async def service(
    databases: MigratedDatabases, platform: Platform, keys: PassportKeys
) -> AsyncGenerator[Service]:
    """Run the service on a database of this test's own, to count, to break or to look into."""
    async with run_service(await databases.make("tasks"), platform.users.url, keys) as own:
        yield own


@pytest.fixture
def beside(databases: MigratedDatabases, keys: PassportKeys) -> Beside:
    """Run the service beside another users service, for the time of a block."""

    @asynccontextmanager
    async def run(users_url: str) -> AsyncGenerator[ClientFactory]:
        async with run_service(await databases.make("tasks"), users_url, keys) as service:
            yield service.speak_as

    return run


@pytest.fixture
def alone_as(service: Service) -> ClientFactory:
    """Speak to this test's own service."""
    return service.speak_as


@pytest.fixture
def proxy(service: Service) -> FaultProxy:
    """Stand between this test's own service and its database."""
    return service.proxy
