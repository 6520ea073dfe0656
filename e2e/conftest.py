"""Where the platform is: at `E2E_BASE_URL`, or, when nobody names one, started for these suites."""

import os
import secrets
import shutil
from collections.abc import AsyncGenerator
from typing import Final
from uuid import uuid4, uuid5

import httpx
import pytest
from playwright.async_api import Browser, Page

from devkit.platform.databases import MigratedDatabases, database_environment
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform, Service, start_platform
from e2e.support.chromium import PROGRAM, blank_page, chromium
from e2e.support.compose_project import SAME_SITE, Composition, composition
from e2e.support.entrypoint import DIFFERENCES, EDGE, MODE, TRAEFIK, start_front
from e2e.support.user_client import AsUser, Person

running = os.environ.get("E2E_BASE_URL", "").rstrip("/")
composed = EDGE == "compose"

go_and_maven = shutil.which("go") and shutil.which("mvn")
node = shutil.which("node") and shutil.which("npm")

left_out = {
    "there is no Node.js": [] if node else ["api/test_better_auth.py", "api/test_typescript.py"],
    "there is no Go, or no Maven": [] if go_and_maven else ["api/test_openapi_tools.py"],
    "there is no Chromium": []
    if PROGRAM
    else ["browser/test_docs_page.py", "compose/test_journey.py"],
    "there is no PgBouncer": [] if shutil.which("pgbouncer") else ["whitebox/test_pooler.py"],
    "there is no curl": [] if shutil.which("curl") else ["whitebox/test_readme.py"],
    "it needs a platform of its own": ["whitebox", "api/test_better_auth.py"]
    if composed
    else ["whitebox"]
    if running
    else [],
    "it needs Traefik as a program (edge=traefik)": [] if TRAEFIK else ["edge"],
    "it needs containers (edge=compose)": [] if composed else ["compose"],
}
collect_ignore = [path for paths in left_out.values() for path in paths]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what an edge does in its own way."""
    different = [item for item in items if EDGE and item.name in DIFFERENCES]
    left_out.update({DIFFERENCES[item.name]: [item.nodeid] for item in different})
    config.hook.pytest_deselected(items=different)
    items[:] = [item for item in items if item not in different]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which suites could not run here, where nobody can overlook it."""
    for reason, paths in left_out.items():
        if paths:
            terminalreporter.section("Left out")
            terminalreporter.line(f"Not run, because {reason}: {', '.join(paths)}")


MORE_HEADERS: Final = {"CORS_REQUEST_HEADERS": "X-Client-Version"}
"""What front ends may send besides."""


@pytest.fixture(scope="session")
def origin() -> str:
    """Name a front end that `CORS_ORIGINS` allows."""
    return os.environ.get("E2E_ORIGIN") or "https://app.example.com"


@pytest.fixture(scope="session")
async def composed_platform(
    tmp_path_factory: pytest.TempPathFactory, origin: str
) -> AsyncGenerator[Composition]:
    """Run the platform in containers."""
    async with composition(
        tmp_path_factory.mktemp("compose"), CORS_ORIGINS=f"{origin},{SAME_SITE}", **MORE_HEADERS
    ) as made:
        yield made


@pytest.fixture(scope="session")
def better_auth_secret(request: pytest.FixtureRequest) -> str:
    """Sign tokens that the gateway takes."""
    if composed:
        made: Composition = request.getfixturevalue("composed_platform")
        return made.settings["BETTER_AUTH_SECRET"]
    if not running:
        return secrets.token_urlsafe()
    return os.environ.get("E2E_SECRET") or os.environ["BETTER_AUTH_SECRET"]


@pytest.fixture(scope="session")
async def platform(
    processes: ProcessGroup,
    databases: MigratedDatabases,
    keys: PassportKeys,
    better_auth_secret: str,
    origin: str,
) -> Platform:
    """Run gateway, tasks and users, each as a process, on fresh databases, for browsers too."""
    urls = {owner: await databases.create(owner) for owner in ("tasks", "users")}
    told = {
        "BETTER_AUTH_SECRET": better_auth_secret,
        "CORS_ORIGINS": origin,
        **MORE_HEADERS,
        **MODE,
    }
    started = start_platform(
        processes, database_environment(urls, minimal_environment()) | told, keys
    )
    await started.wait_until_ready()
    return started


@pytest.fixture(scope="session")
async def front(processes: ProcessGroup, platform: Platform, origin: str) -> Service:
    """Run what clients talk to."""
    services = {
        "TASKS_URL": platform.tasks.url,
        "USERS_URL": platform.users.url,
        "CORS_ORIGINS": origin,
        **MORE_HEADERS,
    }
    started = start_front(processes, platform.gateway, services)
    await started.wait_until_ready()
    return started


@pytest.fixture(scope="session")
def base_url(request: pytest.FixtureRequest) -> str:
    """Name the one URL that a client knows."""
    if running:
        return running
    if composed:
        made: Composition = request.getfixturevalue("composed_platform")
        return made.url
    front: Service = request.getfixturevalue("front")
    return front.url


@pytest.fixture(scope="session")
async def transport() -> AsyncGenerator[httpx.AsyncHTTPTransport]:
    """Share connections among all clients."""
    async with httpx.AsyncHTTPTransport() as connections:
        yield connections


@pytest.fixture(scope="session")
def nobody(base_url: str, transport: httpx.AsyncHTTPTransport) -> httpx.AsyncClient:
    """Speak without a token."""
    return httpx.AsyncClient(base_url=base_url, transport=transport)


@pytest.fixture(scope="session")
def as_subject(
    base_url: str, transport: httpx.AsyncHTTPTransport, better_auth_secret: str
) -> AsUser:
    """Speak for whoever the tokens with this `sub` are for."""
    return lambda subject: Person(base_url, transport, better_auth_secret, subject)


@pytest.fixture
def as_user(as_subject: AsUser) -> AsUser:
    """Speak for a user of this name whom nobody has seen before this test, and whose subject is a UUID."""
    namespace = uuid4()
    return lambda name: as_subject(str(uuid5(namespace, name)))


@pytest.fixture(scope="session")
async def browser() -> AsyncGenerator[Browser]:
    """Run one Chromium for all suites."""
    async with chromium() as program:
        yield program


@pytest.fixture
async def page(browser: Browser) -> AsyncGenerator[Page]:
    """Open a page of a browser that has never been anywhere."""
    async with blank_page(browser) as opened:
        yield opened
