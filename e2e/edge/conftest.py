"""A Traefik of these tests' own, between clients and stand-ins for the services."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from devkit.platform.databases import MigratedDatabases
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import free_ports, start_service
from devkit.platform.tokens import mint_token
from devkit.testing.stub_server import StubServer
from e2e.support.edge_testbed import SUBJECT, Backstage, Edge
from e2e.support.isolated_platform import OwnPlatform, own_platform


@pytest.fixture(scope="session")
def token(better_auth_secret: str) -> str:
    """Log somebody in."""
    return mint_token(better_auth_secret, SUBJECT)


@pytest.fixture(scope="session")
def deciding(keys: PassportKeys, better_auth_secret: str) -> dict[str, str]:
    """Tell a gateway what it needs to decide."""
    nowhere = {"TASKS_URL": "http://127.0.0.1:1", "USERS_URL": "http://127.0.0.1:1"}
    secrets = {"BETTER_AUTH_SECRET": better_auth_secret, "PASSPORT_PRIVATE_KEY": keys.private}
    return minimal_environment() | nowhere | secrets | {"MODE": "forward-auth"}


@pytest.fixture(scope="session")
async def backstage(
    tmp_path_factory: pytest.TempPathFactory, deciding: dict[str, str]
) -> AsyncGenerator[Backstage]:
    """Run a gateway and two stand-ins, for any number of edges."""
    tasks, users = StubServer(), StubServer()
    await asyncio.gather(tasks.start(), users.start())
    async with ProcessGroup(tmp_path_factory.mktemp("edge")) as group:
        yield Backstage(
            group, start_service(group, "gateway", deciding, *free_ports(1)), tasks, users
        )
    await asyncio.gather(tasks.stop(), users.stop())


@pytest.fixture(scope="session")
async def _edge(backstage: Backstage) -> Edge:
    return await backstage.edge()


@pytest.fixture
def edge(_edge: Edge) -> Edge:
    """Run an edge; its services are ordinary at the beginning of each test."""
    _edge.tasks.reset()
    _edge.users.reset()
    return _edge


@pytest.fixture(scope="module")
async def own(databases: MigratedDatabases) -> AsyncGenerator[OwnPlatform]:
    """Run a platform whose processes may be stopped and killed."""
    urls = {owner: await databases.create(owner) for owner in ("tasks", "users")}
    async with own_platform(urls) as platform:
        yield platform
