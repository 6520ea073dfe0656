"""Two replicas of a service behind the edge, of which one after the other is told to stop while requests run."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from httpx import AsyncClient

from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Service, free_ports, start_service
from devkit.testing.traefik import start_traefik
from e2e.support.entrypoint import TRAEFIK
from e2e.support.isolated_platform import OwnPlatform, kill
from e2e.support.user_client import Person

CLIENTS = 16
ROUNDS = 2
REST_SECONDS = 1.5
"""How long both run before the next one stops: longer than the edge takes to see that one is back."""

VARIABLES = {"gateway": "AUTH_GATEWAY_URLS", "tasks": "TASKS_URLS", "users": "USERS_URLS"}
"""How the edge is told where each service is."""

EXPECTED = {"POST 201", "PATCH 200", "GET 200", "DELETE 204"}
"""What a client is told that misses nothing."""


async def write_and_read(person: Person, answers: Counter[str], enough: asyncio.Event) -> None:
    """Go on with one connection, and count the answers."""
    async with AsyncClient(base_url=person.base_url, headers=person.headers, timeout=60) as client:
        while not enough.is_set():
            made = await client.post("/tasks", json={"title": "Water the plants"})
            changed = await client.patch(
                made.headers.get("location", "/tasks/x"), json={"is_completed": True}
            )
            read = await client.get("/tasks", params={"limit": 5})
            gone = await client.delete(made.headers.get("location", "/tasks/x"))
            profile = await client.get("/users/me")
            answers.update(
                f"{each.request.method} {each.status_code}"
                for each in (made, changed, read, gone, profile)
            )


class Replicas:
    """Two processes of one service, of which each can be told to stop, or be killed, and comes back."""

    def __init__(
        self, name: str, groups: Sequence[ProcessGroup], environment: Mapping[str, str]
    ) -> None:
        self.name = name
        self._groups = groups
        self._environment = environment
        self._ports = free_ports(2)
        self._running = [self._start(number) for number in range(2)]

    @property
    def urls(self) -> str:
        """Where both are, as the edge is told."""
        return ",".join(replica.url for replica in self._running)

    async def until_ready(self) -> None:
        """Wait for both."""
        await asyncio.gather(*(replica.wait_until_ready() for replica in self._running))

    async def renew(self, number: int) -> None:
        """Let one finish what it has, and start another one in its place."""
        await self._running[number].process.stop()
        self._running[number] = self._start(number)
        await self.until_ready()

    async def kill(self, number: int) -> None:
        """End one in the middle of what it does, and start another one in its place."""
        kill(self._running[number].process)
        self._running[number] = self._start(number)
        await self.until_ready()

    def _start(self, number: int) -> Service:
        return start_service(
            self._groups[number], self.name, self._environment, self._ports[number]
        )


@pytest.fixture(params=["gateway", "tasks", "users"])
async def replicas(
    request: pytest.FixtureRequest, own: OwnPlatform, tmp_path: Path
) -> AsyncGenerator[Replicas]:
    async with ProcessGroup(tmp_path / "1") as first, ProcessGroup(tmp_path / "2") as second:
        replicas = Replicas(request.param, (first, second), own.environment)
        await replicas.until_ready()
        yield replicas


@pytest.fixture
async def edge(own: OwnPlatform, replicas: Replicas, processes: ProcessGroup) -> Service:
    assert TRAEFIK
    urls = {variable: own.services[name].url for name, variable in VARIABLES.items()}
    urls[VARIABLES[replicas.name]] = replicas.urls
    edge = start_traefik(
        processes, TRAEFIK, {**urls, "LIMIT_PER_ADDRESS": "0", "LIMIT_PER_USER": "0"}
    )
    await edge.wait_until_ready()
    return edge


@asynccontextmanager
async def load(own: OwnPlatform, edge: Service) -> AsyncGenerator[Counter[str]]:
    """Let clients write and read until the block ends, and count what they were told."""
    answers, enough = Counter[str](), asyncio.Event()
    people = [
        Person(edge.url, own.transport, own.secret, f"person-{number}") for number in range(CLIENTS)
    ]
    clients = [asyncio.create_task(write_and_read(person, answers, enough)) for person in people]
    yield answers
    enough.set()
    await asyncio.gather(*clients)


async def test_stopping_one_of_two_replicas_costs_no_request(
    own: OwnPlatform, replicas: Replicas, edge: Service
) -> None:
    async with load(own, edge) as answers:
        for number in range(ROUNDS):
            await asyncio.sleep(REST_SECONDS)
            await replicas.renew(number % 2)

    assert set(answers) == EXPECTED
    assert sum(answers.values()) > 50 * ROUNDS


async def test_killing_one_of_two_replicas_costs_at_most_what_it_was_doing(
    own: OwnPlatform, replicas: Replicas, edge: Service
) -> None:
    async with load(own, edge) as answers:
        for number in range(ROUNDS):
            await asyncio.sleep(REST_SECONDS)
            await replicas.kill(number % 2)

    failed = {answer: times for answer, times in answers.items() if answer not in EXPECTED}
    # Whose creation was cut off has nothing to change and to delete, which is 404.
    assert sum(failed.values()) <= 3 * CLIENTS * ROUNDS, failed
    assert sum(answers.values()) > 50 * ROUNDS
