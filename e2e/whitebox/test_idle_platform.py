"""A platform that nobody uses sends nothing to its databases, so that these can be suspended."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from secrets import token_hex
from typing import Final

import httpx
import pytest
from psycopg.conninfo import conninfo_to_dict

from devkit.platform.databases import MigratedDatabases, database_environment
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import derive_passport_keys, generate_private_key
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import PACKAGES, Service, free_ports, local_url, start_service
from e2e.support.better_auth import PUBLIC_URL, BetterAuth, start_better_auth
from e2e.support.entrypoint import GATEWAY_MODE, start_entrypoint
from e2e.support.isolated_platform import IsolatedPostgres
from e2e.support.statement_log import StatementLog

WATCHED_SECONDS: Final = 12
"""Several rounds of all that repeats: checks, refreshes, and the end of unused connections."""

SETTLING_SECONDS: Final = 1
"""How long what follows the last request may take."""

CHECK_SECONDS: Final = 1
"""How often the services are looked at; an edge does so every second."""


@dataclass
class WatchedPlatform:
    """The services, a Better Auth server with a database, and everything that looks at them."""

    better_auth: BetterAuth
    services: Sequence[Service]
    entrypoint: Service
    metrics_urls: Sequence[str]
    checks: int = 0
    """Health checks and scrapes so far."""

    async def use(self) -> None:
        """Sign up, fetch a token, and create a task with it."""
        user = await self.better_auth.sign_up()
        headers = {"Authorization": f"Bearer {await user.fetch_token()}"}
        async with httpx.AsyncClient(base_url=self.entrypoint.url, headers=headers) as client:
            response = await client.post("/tasks", json={"title": "Water the plants"})
            response.raise_for_status()

    async def check_forever(self) -> None:
        """Ask for health and metrics, as containers, edges and Prometheus do."""
        urls = [f"{self.better_auth.url}/healthz", *self.metrics_urls]
        urls += [f"{service.url}/healthz" for service in self.services]
        async with httpx.AsyncClient() as client:
            while True:
                for url in urls:
                    (await client.get(url)).raise_for_status()
                self.checks += len(urls)
                await asyncio.sleep(CHECK_SECONDS)


@asynccontextmanager
async def run_watched_platform(
    group: ProcessGroup, urls: Mapping[str, str], better_auth_url: str
) -> AsyncGenerator[WatchedPlatform]:
    """Start everything, and check its health until the block ends."""
    keys = derive_passport_keys(generate_private_key())
    ports = dict(zip(PACKAGES, free_ports(len(PACKAGES)), strict=True))
    metrics_ports = dict(zip(PACKAGES, free_ports(len(PACKAGES)), strict=True))
    async with AsyncExitStack() as stack:
        better_auth = await start_better_auth(group, stack, DATABASE_URL=better_auth_url)
        environment = database_environment(urls, minimal_environment()) | GATEWAY_MODE
        environment["BETTER_AUTH_URL"] = PUBLIC_URL
        environment["BETTER_AUTH_JWKS_URL"] = better_auth.keys_url
        environment["PASSPORT_PRIVATE_KEY"] = keys.private
        environment["PASSPORT_PUBLIC_KEYS"] = keys.public
        environment["TASKS_URL"] = local_url(ports["tasks"])
        environment["USERS_URL"] = local_url(ports["users"])
        services: dict[str, Service] = {}
        for name, port in ports.items():
            settings = environment | {"METRICS_PORT": str(metrics_ports[name])}
            services[name] = start_service(group, name, settings, port)
        entrypoint = start_entrypoint(group, services["gateway"], environment)
        for service in [*services.values(), entrypoint]:
            await service.wait_until_ready()
        metrics_urls = [f"{local_url(port)}/metrics" for port in metrics_ports.values()]
        platform = WatchedPlatform(better_auth, list(services.values()), entrypoint, metrics_urls)
        async with asyncio.TaskGroup() as tasks:
            checking = tasks.create_task(platform.check_forever())
            yield platform
            checking.cancel()


@pytest.fixture
async def statement_log(server: IsolatedPostgres) -> AsyncGenerator[StatementLog]:
    log = StatementLog(server.server)
    await log.start()
    yield log
    await log.stop()


async def test_an_unused_platform_neither_sends_a_statement_nor_opens_a_connection(
    statement_log: StatementLog,
    server: IsolatedPostgres,
    databases: MigratedDatabases,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    urls = {service: await databases.create(service) for service in ("tasks", "users")}
    better_auth_url = await server.server.create_database(f"better-auth-{token_hex(4)}")
    names = [str(conninfo_to_dict(url)["dbname"]) for url in [*urls.values(), better_auth_url]]
    async with (
        ProcessGroup(tmp_path_factory.mktemp("log")) as group,
        run_watched_platform(group, urls, better_auth_url) as platform,
    ):
        await platform.use()
        await asyncio.sleep(SETTLING_SECONDS)
        before = {name: len(statement_log.lines_about(name)) for name in names}
        checks_before = platform.checks

        await asyncio.sleep(WATCHED_SECONDS)

        later = {name: statement_log.lines_about(name)[before[name] :] for name in names}
        assert all(before.values())
        assert later == {name: [] for name in names}
        assert platform.checks - checks_before > WATCHED_SECONDS
