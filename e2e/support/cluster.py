"""Several instances of the platform on the same databases, behind networks that lose what they are told to lose."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, LiteralString

import httpx
import psycopg

from devkit.platform.tokens import user_id_of
from devkit.testing.auth_headers import token_headers
from devkit.testing.fault_proxy import FaultProxy, run_fault_proxy
from e2e.support.isolated_platform import OwnPlatform, OwnPostgres, kill, own_platform

PATIENCE_SECONDS: Final = 20
"""How long a client waits for an answer: longer than any deadline of the platform."""


@dataclass
class Way:
    """A way to the data: an instance of the platform, with a network before its gateway and one before its database."""

    platform: OwnPlatform
    outside: FaultProxy
    inside: FaultProxy
    client: httpx.Client

    def speak_as(self, subject: str) -> None:
        """Let the client be somebody else."""
        self.client.headers.update(token_headers(self.platform.secret, subject))

    def fail(self, fates: list[list[bool]]) -> None:
        """Lose what these four say: questions and answers outside, then inside."""
        for number, network in enumerate((self.outside, self.inside)):
            network.dropped_requests, network.dropped_responses = fates[2 * number : 2 * number + 2]


@dataclass
class World:
    """What devices live in; they run in a thread of their own, the rest in this loop."""

    server: OwnPostgres
    ways: list[Way]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    def ask(self, query: LiteralString, subject: str) -> list[str]:
        """Ask the database of tasks itself, about one user."""
        with psycopg.connect(self.ways[0].platform.urls["tasks"]) as connection:
            cursor = connection.execute(query, [user_id_of(subject)])
            return [str(text) for (text,) in cursor] if cursor.description else []

    def kill(self, victim: int, after_seconds: float) -> "Future[None]":
        """Kill the database, or the tasks service of one way, in a moment, and start it again."""
        return asyncio.run_coroutine_threadsafe(self._kill(victim, after_seconds), self.loop)

    async def _kill(self, victim: int, after_seconds: float) -> None:
        await asyncio.sleep(after_seconds)
        if victim < len(self.ways):
            self.ways[victim].platform.kill("tasks")
            await self.ways[victim].platform.start("tasks")
        else:
            kill(self.server.server.process)
            await self.server.start()
        for way in self.ways:
            await way.platform.until_ready()


@asynccontextmanager
async def a_way(urls: dict[str, str]) -> AsyncGenerator[Way]:
    """Run an instance of the platform on these databases, and what is before it."""
    async with (
        run_fault_proxy(urls["tasks"]) as inside,
        own_platform(urls, urls | {"tasks": inside.url}) as platform,
        run_fault_proxy(f"host=127.0.0.1 port={httpx.URL(platform.url).port}") as outside,
    ):
        with httpx.Client(
            base_url=f"http://127.0.0.1:{outside.port}", timeout=PATIENCE_SECONDS
        ) as client:
            yield Way(platform, outside, inside, client)
