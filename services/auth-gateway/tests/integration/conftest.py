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

from ..support.gateway_process import FRONT_END, SUBJECT, RunningGateway, Upstreams


@pytest.fixture(scope="session")
async def upstreams() -> AsyncGenerator[Upstreams]:
    """Run stubs of what the gateway forwards to."""
    upstreams = (StubServer(), StubServer(), StubServer())
    for upstream in upstreams:
        await upstream.start()
    yield upstreams
    for upstream in upstreams:
        await upstream.stop()


@pytest.fixture
async def service() -> AsyncGenerator[StubServer]:
    """Make a service without a gateway; it does not listen yet."""
    server = StubServer()
    server.port = free_ports(1)[0]
    yield server
    await server.stop()


@pytest.fixture(scope="session")
def token(better_auth_secret: str) -> str:
    return mint_token(better_auth_secret, SUBJECT)


@pytest.fixture(scope="session")
def environment(
    upstreams: Upstreams, keys: PassportKeys, better_auth_secret: str
) -> dict[str, str]:
    tasks, users, better_auth = upstreams
    return minimal_environment() | {
        "BETTER_AUTH_SECRET": better_auth_secret,
        "PASSPORT_PRIVATE_KEY": keys.private,
        "TASKS_URL": f"http://127.0.0.1:{tasks.port}",
        "USERS_URL": f"http://127.0.0.1:{users.port}",
        "BETTER_AUTH_SERVER_URL": f"http://127.0.0.1:{better_auth.port}",
        "CORS_ORIGINS": f"{FRONT_END},http://localhost:3000",
        "CORS_REQUEST_HEADERS": "X-Client-Version, X-Tenant",
    }


@asynccontextmanager
async def _run_gateway(
    logs: Path, environment: dict[str, str], upstreams: Upstreams
) -> AsyncGenerator[RunningGateway]:
    port = free_ports(1)[0]
    async with ProcessGroup(logs) as group:
        started = start_service(group, "gateway", environment, port)
        await started.wait_until_ready()
        process = started.process
        yield RunningGateway(port, process.popen.pid, process.log, *upstreams)


@pytest.fixture(scope="session")
async def _proxy_gateway(
    tmp_path_factory: pytest.TempPathFactory,
    environment: dict[str, str],
    upstreams: Upstreams,
) -> AsyncGenerator[RunningGateway]:
    logs = tmp_path_factory.mktemp("proxy")
    async with _run_gateway(logs, environment, upstreams) as gateway:
        yield gateway


@pytest.fixture(scope="session")
async def _forward_auth_gateway(
    tmp_path_factory: pytest.TempPathFactory,
    environment: dict[str, str],
    upstreams: Upstreams,
) -> AsyncGenerator[RunningGateway]:
    logs = tmp_path_factory.mktemp("forward-auth")
    environment = environment | {"MODE": "forward-auth"}
    async with _run_gateway(logs, environment, upstreams) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def app_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder as the build of the app does, and some files that must not be shown."""
    parent = tmp_path_factory.mktemp("web")
    folder = parent / "dist"
    (folder / "assets" / "fonts").mkdir(parents=True)
    files = {
        "index.html": "<!doctype html><title>Tasks</title>",
        "sw.js": "self.skipWaiting();",
        "package.json": "{}",
        "assets/app-BjUaDyP0.js": "console.log('tasks');" * 200,
        "assets/app-BjUaDyP0.js.map": "{}",
        "assets/app-Cz_-09aZ.css": "body { margin: 0; }",
        "assets/fonts/text-a1B2c3D4.woff2": "a font",
        "assets/site-settings.json": "{}",
        "assets/icon.svg": "<svg/>",
        "assets/manifest.webmanifest": "{}",
        "assets/unknown.kind": "?",
    }
    for name, content in files.items():
        (folder / name).write_text(content)
    (parent / "secret.txt").write_text("secret")
    (folder / "assets" / "outside.txt").symlink_to(parent / "secret.txt")
    (folder / "assets" / "parent").symlink_to(parent)
    (folder / "assets" / "inside.json").symlink_to(folder / "assets" / "site-settings.json")
    return folder


@pytest.fixture(scope="session", params=["proxy", "forward-auth"])
async def app_gateway(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    environment: dict[str, str],
    upstreams: Upstreams,
    app_folder: Path,
) -> AsyncGenerator[RunningGateway]:
    """Run a gateway that shows the app, once in each mode."""
    logs = tmp_path_factory.mktemp("app")
    environment = environment | {"MODE": request.param, "APP_FOLDER": str(app_folder)}
    async with _run_gateway(logs, environment, upstreams) as gateway:
        yield gateway


@pytest.fixture
def gateway(_proxy_gateway: RunningGateway) -> RunningGateway:
    """Run a gateway in proxy mode; its services are reset before each test."""
    _proxy_gateway.tasks.reset()
    _proxy_gateway.users.reset()
    _proxy_gateway.better_auth.reset()
    return _proxy_gateway


@pytest.fixture
def forward_auth_gateway(_forward_auth_gateway: RunningGateway) -> RunningGateway:
    """Run a gateway in forward-auth mode."""
    return _forward_auth_gateway
