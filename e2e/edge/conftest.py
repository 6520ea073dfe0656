"""Run edges of these suites' own, in front of stub servers or of an isolated platform."""

from collections.abc import AsyncGenerator

import pytest

from devkit.platform.databases import MigratedDatabases
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import free_ports, start_service
from devkit.platform.tokens import mint_token
from devkit.testing.stub_server import StubServer
from e2e.support.edge_testbed import SUBJECT, Edge, EdgeTestbed
from e2e.support.isolated_platform import IsolatedPlatform, run_isolated_platform

UNREACHABLE_URL = "http://127.0.0.1:1"


@pytest.fixture(scope="session")
def token(better_auth_secret: str) -> str:
    """Return the token of a user."""
    return mint_token(better_auth_secret, SUBJECT)


@pytest.fixture(scope="session")
def gateway_environment(keys: PassportKeys, better_auth_secret: str) -> dict[str, str]:
    """Return the settings of a gateway that only authenticates."""
    environment = dict(minimal_environment())
    environment["BETTER_AUTH_SECRET"] = better_auth_secret
    environment["MODE"] = "forward-auth"
    environment["PASSPORT_PRIVATE_KEY"] = keys.private
    environment["TASKS_URL"] = UNREACHABLE_URL
    environment["USERS_URL"] = UNREACHABLE_URL
    return environment


@pytest.fixture(scope="session")
async def edge_testbed(
    tmp_path_factory: pytest.TempPathFactory, gateway_environment: dict[str, str]
) -> AsyncGenerator[EdgeTestbed]:
    """Run a gateway and two stub servers for any number of edges."""
    tasks = StubServer()
    users = StubServer()
    await tasks.start()
    await users.start()
    [port] = free_ports(1)
    async with ProcessGroup(tmp_path_factory.mktemp("edge")) as group:
        gateway = start_service(group, "gateway", gateway_environment, port)
        yield EdgeTestbed(group, gateway, tasks, users)
    await tasks.stop()
    await users.stop()


@pytest.fixture(scope="session")
async def _edge(edge_testbed: EdgeTestbed) -> Edge:
    return await edge_testbed.start_edge()


@pytest.fixture
def edge(_edge: Edge) -> Edge:
    """Return an edge whose stub servers have no history and the default behaviour."""
    _edge.tasks.reset()
    _edge.users.reset()
    return _edge


@pytest.fixture(scope="module")
async def isolated_platform(databases: MigratedDatabases) -> AsyncGenerator[IsolatedPlatform]:
    """Run a platform whose processes can be stopped and killed."""
    urls = {service: await databases.create(service) for service in ("tasks", "users")}
    async with run_isolated_platform(urls) as platform:
        yield platform
