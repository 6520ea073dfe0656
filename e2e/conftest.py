"""Find the platform at `E2E_BASE_URL`, or start one for these suites."""

import os
import secrets
import shutil
from collections.abc import AsyncGenerator
from dataclasses import dataclass
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
from devkit.testing.pgbouncer import PROGRAM as PGBOUNCER
from e2e.support.chromium import CHROMIUM_PATH, open_page, run_chromium
from e2e.support.compose_project import SAME_SITE_ORIGIN, ComposeProject, run_compose_project
from e2e.support.entrypoint import (
    EDGE,
    EDGE_DIFFERENCES,
    GATEWAY_MODE,
    TRAEFIK,
    start_entrypoint,
)
from e2e.support.kubernetes_installation import run_kubernetes_release
from e2e.support.kubernetes_release import KubernetesRelease
from e2e.support.redis_server import REDIS
from e2e.support.user_client import UserClient, UserClientFactory

RUNNING_URL: Final = os.environ.get("E2E_BASE_URL", "").rstrip("/")
"""The public URL of a platform that is running already; empty to start one."""

IS_COMPOSE: Final = EDGE == "compose"
IS_KUBERNETES: Final = EDGE == "kubernetes"

IS_SHARED: Final = IS_COMPOSE or IS_KUBERNETES or bool(RUNNING_URL)
"""Whether all suites use one platform, of images or of somebody else."""


def _is_installed(*programs: str) -> bool:
    return all(shutil.which(program) for program in programs)


@dataclass(frozen=True)
class Requirement:
    """What some suites need in order to run."""

    paths: list[str]
    is_met: bool
    reason: str
    """Why the suites do not run if the requirement is not met."""


REQUIREMENTS: Final = (
    Requirement(
        ["api/test_openapi_tools.py"],
        is_met=_is_installed("go", "mvn"),
        reason="there is no Go, or no Maven",
    ),
    Requirement(
        [
            "browser/app",
            "browser/test_docs_page.py",
            "browser/test_make_run.py",
            "browser/test_without_app.py",
            "client/test_local_copy.py",
            "compose/test_journey.py",
        ],
        is_met=CHROMIUM_PATH is not None,
        reason="there is no Chromium",
    ),
    Requirement(
        ["browser/test_guides.py"],
        is_met=CHROMIUM_PATH is not None and not EDGE and not RUNNING_URL,
        reason="the guides' apps run beside a gateway of their own, as with make run",
    ),
    Requirement(
        ["whitebox/test_pooler.py", "whitebox/test_prepared_statements.py"],
        is_met=PGBOUNCER is not None,
        reason="there is no PgBouncer",
    ),
    Requirement(
        ["whitebox/test_readme.py"], is_met=_is_installed("curl"), reason="there is no curl"
    ),
    Requirement(
        ["monitoring"],
        is_met=_is_installed("prometheus", "promtool"),
        reason="there is no Prometheus, or no promtool",
    ),
    Requirement(
        ["monitoring", "whitebox"],
        is_met=not IS_SHARED,
        reason="it needs a platform of its own",
    ),
    Requirement(
        ["api/test_better_auth.py", "browser/test_without_app.py"],
        is_met=not IS_COMPOSE and not IS_KUBERNETES,
        reason="it needs a platform of its own",
    ),
    Requirement(
        ["browser/app"],
        is_met=not RUNNING_URL,
        reason="it stops the identity server of its platform",
    ),
    Requirement(
        [
            "browser/test_make_run.py",
            "client",
            "whitebox/test_run.py",
            "whitebox/test_run_processes.py",
        ],
        is_met=not EDGE and not RUNNING_URL,
        reason="it starts platforms without an edge itself",
    ),
    Requirement(
        ["edge", "monitoring"],
        is_met=TRAEFIK is not None,
        reason="it needs Traefik as a program (edge=traefik)",
    ),
    Requirement(
        ["edge/test_shared_limits.py"],
        is_met=REDIS is not None,
        reason="there is no Redis and no Valkey",
    ),
    Requirement(["compose"], is_met=IS_COMPOSE, reason="it needs containers (edge=compose)"),
    Requirement(
        ["kubernetes"], is_met=IS_KUBERNETES, reason="it needs a cluster (edge=kubernetes)"
    ),
)

excluded: list[Requirement] = [
    requirement for requirement in REQUIREMENTS if not requirement.is_met
]
collect_ignore = [path for requirement in excluded for path in requirement.paths]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that fail behind an edge by its nature."""
    if not EDGE:
        return
    deselected = [item for item in items if item.name in EDGE_DIFFERENCES]
    for item in deselected:
        reason = EDGE_DIFFERENCES[item.name]
        excluded.append(Requirement([item.nodeid], is_met=False, reason=reason))
    config.hook.pytest_deselected(items=deselected)
    items[:] = [item for item in items if item not in deselected]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the suites that did not run, and the reason."""
    for requirement in excluded:
        terminalreporter.section("Left out")
        paths = ", ".join(requirement.paths)
        terminalreporter.line(f"Not run, because {requirement.reason}: {paths}")


CORS_REQUEST_HEADERS: Final = "X-Client-Version"
"""Further headers that front ends may send."""


@pytest.fixture(scope="session")
def origin() -> str:
    """Return the origin of a front end that `CORS_ORIGINS` allows."""
    return os.environ.get("E2E_ORIGIN") or "https://app.example.com"


@pytest.fixture(scope="session")
async def compose_project(
    tmp_path_factory: pytest.TempPathFactory, origin: str
) -> AsyncGenerator[ComposeProject]:
    """Run the platform in containers."""
    folder = tmp_path_factory.mktemp("compose")
    async with run_compose_project(
        folder,
        CORS_ORIGINS=f"{origin},{SAME_SITE_ORIGIN}",
        CORS_REQUEST_HEADERS=CORS_REQUEST_HEADERS,
    ) as project:
        yield project


@pytest.fixture(scope="session")
async def kubernetes_release(
    tmp_path_factory: pytest.TempPathFactory, origin: str
) -> AsyncGenerator[KubernetesRelease]:
    """Run the platform in a Kubernetes cluster."""
    folder = tmp_path_factory.mktemp("kubernetes")
    async with run_kubernetes_release(
        folder, origins=[origin, SAME_SITE_ORIGIN], request_headers=[CORS_REQUEST_HEADERS]
    ) as release:
        yield release


@pytest.fixture(scope="session")
def better_auth_secret(request: pytest.FixtureRequest) -> str:
    """Return the secret that signs the tokens of clients."""
    if IS_COMPOSE:
        project: ComposeProject = request.getfixturevalue("compose_project")
        return project.settings["BETTER_AUTH_SECRET"]
    if IS_KUBERNETES:
        release: KubernetesRelease = request.getfixturevalue("kubernetes_release")
        return release.secrets["BETTER_AUTH_SECRET"]
    if RUNNING_URL:
        return os.environ.get("E2E_SECRET") or os.environ["BETTER_AUTH_SECRET"]
    return secrets.token_urlsafe()


@pytest.fixture(scope="session")
async def platform(
    processes: ProcessGroup,
    databases: MigratedDatabases,
    keys: PassportKeys,
    better_auth_secret: str,
    origin: str,
) -> Platform:
    """Run gateway, tasks and users as processes, on fresh databases, with CORS for one origin."""
    urls = {service: await databases.create(service) for service in ("tasks", "users")}
    environment = database_environment(urls, minimal_environment())
    environment |= GATEWAY_MODE
    environment["BETTER_AUTH_SECRET"] = better_auth_secret
    environment["CORS_ORIGINS"] = origin
    environment["CORS_REQUEST_HEADERS"] = CORS_REQUEST_HEADERS
    platform = start_platform(processes, environment, keys)
    await platform.wait_until_ready()
    return platform


@pytest.fixture(scope="session")
async def entrypoint(processes: ProcessGroup, platform: Platform, origin: str) -> Service:
    """Run what receives the requests of clients."""
    environment = {
        "TASKS_URL": platform.tasks.url,
        "USERS_URL": platform.users.url,
        "CORS_ORIGINS": origin,
        "CORS_REQUEST_HEADERS": CORS_REQUEST_HEADERS,
    }
    entrypoint = start_entrypoint(processes, platform.gateway, environment)
    await entrypoint.wait_until_ready()
    return entrypoint


@pytest.fixture(scope="session")
def base_url(request: pytest.FixtureRequest) -> str:
    """Return the public URL."""
    if RUNNING_URL:
        return RUNNING_URL
    if IS_COMPOSE:
        project: ComposeProject = request.getfixturevalue("compose_project")
        return project.url
    if IS_KUBERNETES:
        release: KubernetesRelease = request.getfixturevalue("kubernetes_release")
        return release.url
    entrypoint: Service = request.getfixturevalue("entrypoint")
    return entrypoint.url


@pytest.fixture(scope="session")
async def transport() -> AsyncGenerator[httpx.AsyncHTTPTransport]:
    """Share connections among all clients."""
    async with httpx.AsyncHTTPTransport() as transport:
        yield transport


@pytest.fixture(scope="session")
def anonymous(base_url: str, transport: httpx.AsyncHTTPTransport) -> httpx.AsyncClient:
    """Return a client without a token."""
    return httpx.AsyncClient(base_url=base_url, transport=transport)


@pytest.fixture(scope="session")
def as_subject(
    base_url: str, transport: httpx.AsyncHTTPTransport, better_auth_secret: str
) -> UserClientFactory:
    """Return the client of the user with a token subject."""

    def create_client(subject: str) -> UserClient:
        return UserClient(base_url, transport, better_auth_secret, subject)

    return create_client


@pytest.fixture
def as_user(as_subject: UserClientFactory) -> UserClientFactory:
    """Return the client of a user by name.

    Each test has its own users, unknown to the platform before; their subjects are UUIDs.
    """
    namespace = uuid4()

    def create_client(name: str) -> UserClient:
        return as_subject(str(uuid5(namespace, name)))

    return create_client


@pytest.fixture(scope="session")
async def browser() -> AsyncGenerator[Browser]:
    """Run one Chromium for all suites."""
    async with run_chromium() as browser:
        yield browser


@pytest.fixture
async def page(browser: Browser) -> AsyncGenerator[Page]:
    """Open a page without cookies and storage."""
    async with open_page(browser) as page:
        yield page
