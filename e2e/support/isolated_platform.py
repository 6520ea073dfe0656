"""A platform of a test's own: its processes may be killed, its database broken and looked into."""

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
from e2e.support.entrypoint import MODE, start_front
from e2e.support.user_client import Person

RESTART_SECONDS = 15
"""How long the processes of a killed server may keep the next one from starting."""

ALIVE_SECONDS = 3
"""How long a service may take to say that it is there."""

RECOVERY_SECONDS = 10
"""How long everything may take to work again: far more than is promised, because test machines are busy."""

Row = dict[str, object]


def kill(process: Process) -> None:
    """Give it no chance to put anything in order."""
    process.popen.kill()
    process.popen.wait()


@dataclass
class OwnPostgres:
    """A server that keeps what it has acknowledged, and can be killed and started again."""

    group: ProcessGroup
    folder: Path
    server: Postgres

    async def start(self) -> None:
        """Start it again on the same data, as soon as nothing of the killed one is left."""
        async with asyncio.timeout(RESTART_SECONDS):
            while True:
                with suppress(CannotRunError):
                    self.server = await start_postgres(self.group, self.folder, durable=False)
                    return


@asynccontextmanager
async def own_postgres(group: ProcessGroup) -> AsyncGenerator[OwnPostgres]:
    """Run a server whose data outlive it, until the block ends.

    It hands what it acknowledges to the operating system and does not wait for the disk: only processes are killed.
    """
    with TemporaryDirectory(prefix="postgres-") as name:
        folder = Path(name) / "data"
        own = OwnPostgres(group, folder, await start_postgres(group, folder, durable=False))
        async with await psycopg.AsyncConnection.connect(own.server.url()) as connection:
            await connection.execute("ALTER ROLE ALL SET synchronous_commit = on")
        yield own
        await own.server.process.stop()


@dataclass
class OwnPlatform:
    """Gateway, tasks and users, each at an address that it keeps when it is started again."""

    group: ProcessGroup
    urls: Mapping[str, str]
    """Where the databases are, without anything in between."""

    environment: Mapping[str, str]
    ports: Mapping[str, int]
    transport: AsyncHTTPTransport
    services: dict[str, Service] = field(default_factory=dict[str, Service])

    url: str = ""
    """The one URL that a client knows."""

    @property
    def secret(self) -> str:
        """What signs tokens that the gateway takes."""
        return self.environment["BETTER_AUTH_SECRET"]

    async def start(self, *names: str) -> None:
        """Start services, and wait until they can do their work."""
        for name in names:
            self.services[name] = start_service(
                self.group, name, self.environment, self.ports[name]
            )
        await asyncio.gather(*(self.services[name].wait_until_ready() for name in names))

    async def until_ready(self) -> None:
        """Wait until all can do their work again."""
        async with asyncio.timeout(RECOVERY_SECONDS):
            await self.services["gateway"].wait_until_ready()

    async def is_alive(self) -> bool:
        """Say whether all answer at once, with or without their databases."""
        client = AsyncClient(transport=self.transport, timeout=ALIVE_SECONDS)
        answers = [await client.get(f"{service.url}/healthz") for service in self.services.values()]
        return all(answer.is_success for answer in answers)

    def logged(self, name: str, message: str) -> list[str]:
        """Return the request ids of all lines of a service's log that say this."""
        lines = map(json.loads, self.services[name].process.log.read_text().splitlines())
        return [line["request_id"] for line in lines if line["message"] == message]

    def kill(self, *names: str) -> None:
        """Kill services, as an operating system that is short of memory does."""
        for name in names:
            kill(self.services[name].process)

    def speak_as(self, subject: str) -> Person:
        """Return a client for whoever the tokens with this `sub` are for."""
        return Person(self.url, self.transport, self.secret, subject)

    async def stored(self, owner: str, query: LiteralString, *values: object) -> list[Row]:
        """Ask a service's database itself."""
        async with await psycopg.AsyncConnection.connect(self.urls[owner]) as connection:
            cursor = connection.cursor(row_factory=dict_row)
            return await (await cursor.execute(query, values)).fetchall()


@asynccontextmanager
async def _logged_group() -> AsyncGenerator[ProcessGroup]:
    with TemporaryDirectory(prefix="log-") as folder:
        async with ProcessGroup(Path(folder)) as group:
            yield group


@asynccontextmanager
async def own_platform(
    urls: Mapping[str, str], reached_at: Mapping[str, str] | None = None
) -> AsyncGenerator[OwnPlatform]:
    """Run the platform on these databases, which its services may reach at other addresses, until the block ends.

    Its logs have a folder of their own, because two of a kind would write into one file.
    """
    ports = dict(zip(PACKAGES, free_ports(len(PACKAGES)), strict=True))
    keys = derive_passport_keys(generate_private_key())
    environment = database_environment(reached_at or urls, minimal_environment()) | {
        "BETTER_AUTH_SECRET": token_urlsafe(),
        "PASSPORT_PRIVATE_KEY": keys.private,
        "PASSPORT_PUBLIC_KEYS": keys.public,
        "TASKS_URL": f"http://127.0.0.1:{ports['tasks']}",
        "USERS_URL": f"http://127.0.0.1:{ports['users']}",
        **MODE,
    }
    async with _logged_group() as group, AsyncHTTPTransport(retries=1) as transport:
        platform = OwnPlatform(group, urls, environment, ports, transport)
        await platform.start(*PACKAGES)
        front = start_front(group, platform.services["gateway"], environment)
        await front.wait_until_ready()
        platform.url = front.url
        yield platform
        await asyncio.gather(*(service.process.stop() for service in platform.services.values()))
