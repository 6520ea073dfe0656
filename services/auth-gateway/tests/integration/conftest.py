import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import free_ports, start_service
from devkit.platform.tokens import mint_token
from devkit.testing.stub_server import StubServer

from ..support.gateway_process import FRONT_END, SUBJECT, RunningGateway


@pytest.fixture(scope="session")
async def upstreams() -> AsyncGenerator[tuple[StubServer, StubServer]]:
    tasks, users = StubServer(), StubServer()
    await asyncio.gather(tasks.start(), users.start())
    yield tasks, users
    await asyncio.gather(tasks.stop(), users.stop())


@pytest.fixture
async def service() -> AsyncGenerator[StubServer]:
    """Have a service without a gateway in front; it does not listen yet."""
    alone = StubServer()
    (alone.port,) = free_ports(1)
    yield alone
    await alone.stop()


@pytest.fixture(scope="session")
def token(better_auth_secret: str) -> str:
    return mint_token(better_auth_secret, SUBJECT)


@pytest.fixture(scope="session")
def environment(
    upstreams: tuple[StubServer, StubServer], keys: PassportKeys, better_auth_secret: str
) -> dict[str, str]:
    tasks, users = upstreams
    return {
        **minimal_environment(),
        "BETTER_AUTH_SECRET": better_auth_secret,
        "PASSPORT_PRIVATE_KEY": keys.private,
        "TASKS_URL": f"http://127.0.0.1:{tasks.port}",
        "USERS_URL": f"http://127.0.0.1:{users.port}",
        "CORS_ORIGINS": f"{FRONT_END},http://localhost:3000",
        "CORS_REQUEST_HEADERS": "X-Client-Version, X-Tenant",
    }


@asynccontextmanager
async def _running(
    logs: Path, environment: dict[str, str], upstreams: tuple[StubServer, StubServer]
) -> AsyncGenerator[RunningGateway]:
    (port,) = free_ports(1)
    async with ProcessGroup(logs) as group:
        started = start_service(group, "gateway", environment, port)
        await started.wait_until_ready()
        yield RunningGateway(port, started.process.popen.pid, started.process.log, *upstreams)


@pytest.fixture(scope="session")
async def _proxying(
    tmp_path_factory: pytest.TempPathFactory,
    environment: dict[str, str],
    upstreams: tuple[StubServer, StubServer],
) -> AsyncGenerator[RunningGateway]:
    async with _running(tmp_path_factory.mktemp("proxy"), environment, upstreams) as gateway:
        yield gateway


@pytest.fixture(scope="session")
async def _deciding(
    tmp_path_factory: pytest.TempPathFactory,
    environment: dict[str, str],
    upstreams: tuple[StubServer, StubServer],
) -> AsyncGenerator[RunningGateway]:
    environment = environment | {"MODE": "forward-auth"}
    async with _running(tmp_path_factory.mktemp("forward-auth"), environment, upstreams) as gateway:
        yield gateway


@pytest.fixture
def gateway(_proxying: RunningGateway) -> RunningGateway:
    """Run a gateway in proxy mode; its services are ordinary at the beginning of each test."""
    _proxying.tasks.reset()
    _proxying.users.reset()
    return _proxying


@pytest.fixture
def decider(_deciding: RunningGateway) -> RunningGateway:
    """Run a gateway in forward-auth mode."""
    return _deciding
