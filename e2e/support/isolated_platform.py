"""A platform of one test module: its processes can be killed, and its databases inspected."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory
from typing import LiteralString

import psycopg
from httpx import AsyncClient, AsyncHTTPTransport
from psycopg.rows import dict_row

from devkit.platform.databases import database_environment
from devkit.platform.environment import minimal_environment
from devkit.platform.errors import CannotRunError
from devkit.platform.keys import derive_passport_keys, generate_private_key
from devkit.platform.postgres import Postgres, start_postgres
from devkit.platform.processes import Process, ProcessGroup
from devkit.platform.services import PACKAGES, Service, free_ports, start_service
from e2e.support.entrypoint import GATEWAY_MODE, start_entrypoint
from e2e.support.user_client import UserClient

RESTART_SECONDS = 15
"""How long a new server may have to wait for the remains of a killed one."""

HEALTH_TIMEOUT_SECONDS = 3
"""How long a service may take to respond to a health check."""

RECOVERY_SECONDS = 10
"""How long the platform may take to become ready again.

Far longer than the platform promises, because test machines are busy.
"""

Row = dict[str, object]


def kill_process(process: Process) -> None:
    """Send SIGKILL and wait for the end of the process."""
    process.popen.kill()
    process.popen.wait()


@dataclass
class IsolatedPostgres:
    """A server that can be killed and started again without losing committed data."""

    group: ProcessGroup
    folder: Path
    server: Postgres

    async def start(self) -> None:
        """Start a server on the same data, as soon as the killed one is gone."""
        async with asyncio.timeout(RESTART_SECONDS):
            while True:
                with suppress(CannotRunError):
                    self.server = await start_postgres(self.group, self.folder, durable=False)
                    return


@asynccontextmanager
async def run_isolated_postgres(group: ProcessGroup) -> AsyncGenerator[IsolatedPostgres]:
    """Run a server until the block ends.

    A commit waits until the operating system has the data, not until the disk has them: tests
    kill processes, not machines.
    """
    with TemporaryDirectory(prefix="postgres-") as name:
        folder = Path(name) / "data"
        server = await start_postgres(group, folder, durable=False)
        isolated_postgres = IsolatedPostgres(group, folder, server)
        async with await psycopg.AsyncConnection.connect(server.url()) as connection:
            await connection.execute("ALTER ROLE ALL SET synchronous_commit = on")
        yield isolated_postgres
        await isolated_postgres.server.process.stop()


@dataclass
class IsolatedPlatform:
    """Gateway, tasks and users, each on a port that it keeps when it is started again."""

    group: ProcessGroup
    urls: Mapping[str, str]
    """The database URL of each service, without a proxy in between."""

    environment: Mapping[str, str]
    ports: Mapping[str, int]
    metrics_ports: Mapping[str, int]
    transport: AsyncHTTPTransport
    services: dict[str, Service] = field(default_factory=dict[str, Service])

    entrypoint: Service | None = None
    """What receives the requests of clients: an edge, or the gateway as it was started first."""

    url: str = ""
    """The public URL."""

    @property
    def secret(self) -> str:
        """Better Auth's secret, which signs the tokens of clients."""
        return self.environment["BETTER_AUTH_SECRET"]

    async def start(self, *names: str, **changes: str) -> None:
        """Start services, with changed settings if need be, and wait until they are ready."""
        for name in names:
            settings = {**self.environment, **changes}
            settings["METRICS_PORT"] = str(self.metrics_ports[name])
            self.services[name] = start_service(self.group, name, settings, self.ports[name])
        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(self.services[name].wait_until_ready())

    async def stop(self) -> None:
        """Stop all services."""
        async with asyncio.TaskGroup() as group:
            for service in self.services.values():
                group.create_task(service.process.stop())

    async def wait_until_ready(self) -> None:
        """Wait until all services are ready again."""
        async with asyncio.timeout(RECOVERY_SECONDS):
            await self.services["gateway"].wait_until_ready()

    async def is_alive(self) -> bool:
        """Tell whether every service responds to health checks, with or without a database."""
        client = AsyncClient(transport=self.transport, timeout=HEALTH_TIMEOUT_SECONDS)
        for service in self.services.values():
            response = await client.get(f"{service.url}/healthz")
            if not response.is_success:
                return False
        return True

    def logged_request_ids(self, name: str, message: str) -> list[str]:
        """Return the request ids of all log lines of a service with this message."""
        request_ids: list[str] = []
        for line in self.services[name].process.log_lines():
            record = json.loads(line)
            if record["message"] == message:
                request_ids.append(record["request_id"])
        return request_ids

    def kill(self, *names: str) -> None:
        """Kill services without a chance to shut down, as the OOM killer does."""
        for name in names:
            kill_process(self.services[name].process)

    def client_for(self, subject: str) -> UserClient:
        """Return the client of the user with this token subject."""
        return UserClient(self.url, self.transport, self.secret, subject)

    async def fetch_rows(self, owner: str, query: LiteralString, *values: object) -> list[Row]:
        """Execute a query in the database of a service, with positional parameters."""
        async with await psycopg.AsyncConnection.connect(self.urls[owner]) as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(query, values)
            return await cursor.fetchall()


@asynccontextmanager
async def _run_process_group() -> AsyncGenerator[ProcessGroup]:
    """Use a log folder per platform: services of two platforms must not write to one file."""
    with TemporaryDirectory(prefix="log-") as folder:
        async with ProcessGroup(Path(folder)) as group:
            yield group


@asynccontextmanager
async def run_isolated_platform(
    urls: Mapping[str, str], service_urls: Mapping[str, str] | None = None, **settings: str
) -> AsyncGenerator[IsolatedPlatform]:
    """Run the platform until the block ends.

    Args:
        urls: The database URL of each service.
        service_urls: The URLs that the services use instead, when a proxy is in between.
        settings: Further settings of all services and of the edge.
    """
    free = free_ports(2 * len(PACKAGES))
    ports = dict(zip(PACKAGES, free, strict=False))
    metrics_ports = dict(zip(PACKAGES, free[len(PACKAGES) :], strict=True))
    keys = derive_passport_keys(generate_private_key())
    environment = database_environment(service_urls or urls, minimal_environment())
    environment |= GATEWAY_MODE
    environment["BETTER_AUTH_SECRET"] = token_urlsafe()
    environment["PASSPORT_PRIVATE_KEY"] = keys.private
    environment["PASSPORT_PUBLIC_KEYS"] = keys.public
    environment["TASKS_URL"] = f"http://127.0.0.1:{ports['tasks']}"
    environment["USERS_URL"] = f"http://127.0.0.1:{ports['users']}"
    environment |= settings
    async with _run_process_group() as group, AsyncHTTPTransport(retries=1) as transport:
        platform = IsolatedPlatform(group, urls, environment, ports, metrics_ports, transport)
        await platform.start(*PACKAGES)
        entrypoint = start_entrypoint(group, platform.services["gateway"], environment)
        await entrypoint.wait_until_ready()
        platform.entrypoint = entrypoint
        platform.url = entrypoint.url
        yield platform
        await platform.stop()
