"""Several instances of the platform on the same databases, behind networks that lose messages."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, LiteralString

import httpx
import psycopg

from devkit.platform.tokens import user_id_of
from devkit.testing.auth_headers import token_headers
from devkit.testing.fault_proxy import FaultProxy, run_fault_proxy
from e2e.support.isolated_platform import (
    IsolatedPlatform,
    IsolatedPostgres,
    kill_process,
    run_isolated_platform,
)

TIMEOUT_SECONDS: Final = 20
"""Client timeout: longer than any deadline of the platform."""


@dataclass
class MessageLosses:
    """The fate of the next messages of one network: True loses a message, False delivers it."""

    requests: Sequence[bool] = ()
    responses: Sequence[bool] = ()


@dataclass
class Instance:
    """An instance of the platform, with a faulty network on each side of it."""

    platform: IsolatedPlatform
    client_network: FaultProxy
    """Between clients and the gateway."""

    database_network: FaultProxy
    """Between the tasks service and its database."""

    client: httpx.Client

    def authenticate_as(self, subject: str) -> None:
        """Use the token of this user from now on."""
        self.client.headers.update(token_headers(self.platform.secret, subject))

    def lose_messages(self, client_losses: MessageLosses, database_losses: MessageLosses) -> None:
        """Set which of the next messages get lost in each network."""
        _lose_messages(self.client_network, client_losses)
        _lose_messages(self.database_network, database_losses)


def _lose_messages(network: FaultProxy, losses: MessageLosses) -> None:
    network.dropped_requests = list(losses.requests)
    network.dropped_responses = list(losses.responses)


@dataclass
class Cluster:
    """Instances on one database server.

    The devices of a test run in a thread and use the synchronous methods; everything else runs in
    the event loop.
    """

    server: IsolatedPostgres
    instances: list[Instance]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    def query_tasks(self, query: LiteralString, subject: str) -> list[str]:
        """Execute a statement in the tasks database, with the user's id as its one parameter."""
        with psycopg.connect(self.instances[0].platform.urls["tasks"]) as connection:
            cursor = connection.execute(query, [user_id_of(subject)])
            if cursor.description is None:
                return []
            return [str(text) for (text,) in cursor]

    def kill(self, index: int, after_seconds: float) -> "Future[None]":
        """Kill a process after a delay, and start it again.

        Args:
            index: The index of the instance whose tasks service is killed; the number of
                instances stands for the database server.
            after_seconds: The delay.
        """
        return asyncio.run_coroutine_threadsafe(self._kill(index, after_seconds), self.loop)

    async def _kill(self, index: int, after_seconds: float) -> None:
        await asyncio.sleep(after_seconds)
        if index < len(self.instances):
            platform = self.instances[index].platform
            platform.kill("tasks")
            await platform.start("tasks")
        else:
            kill_process(self.server.server.process)
            await self.server.start()
        for instance in self.instances:
            await instance.platform.wait_until_ready()


@asynccontextmanager
async def run_instance(urls: dict[str, str]) -> AsyncGenerator[Instance]:
    """Run an instance on these databases until the block ends.

    Args:
        urls: The database URL of each service.
    """
    async with run_fault_proxy(urls["tasks"]) as database_network:
        service_urls = urls | {"tasks": database_network.url}
        async with run_isolated_platform(urls, service_urls) as platform:
            gateway_port = httpx.URL(platform.url).port
            async with run_fault_proxy(f"host=127.0.0.1 port={gateway_port}") as client_network:
                url = f"http://127.0.0.1:{client_network.port}"
                with httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS) as client:
                    yield Instance(platform, client_network, database_network, client)
