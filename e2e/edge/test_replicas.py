"""Two replicas of a service behind the edge, of which one after the other is told to stop while requests run."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path

import pytest
from front import TRAEFIK
from httpx import AsyncClient
from own_platform import OwnPlatform
from person import Person

from devkit.edge import start_edge
from devkit.platform import Service, free_ports, start_service
from devkit.processes import Group

CLIENTS = 16
ROUNDS = 4
REST_SECONDS = 1.5
"""How long both run before the next one stops: longer than the edge takes to see that one is back."""


async def write_and_read(person: Person, answers: Counter[str], enough: asyncio.Event) -> None:
    """Go on with one connection, and count the answers."""
    async with AsyncClient(base_url=person.base_url, headers=person.headers, timeout=60) as client:
        while not enough.is_set():
            made = await client.post("/tasks", json={"title": "Water the plants"})
            changed = await client.patch(made.headers.get("location", "/tasks/x"), json={"is_completed": True})
            read = await client.get("/tasks", params={"limit": 5})
            gone = await client.delete(made.headers.get("location", "/tasks/x"))
            answers.update(f"{each.request.method} {each.status_code}" for each in (made, changed, read, gone))


class Replicas:
    """Two processes of the tasks service, of which each can be told to stop and to come back."""

    def __init__(self, groups: Sequence[Group], environment: Mapping[str, str]) -> None:
        self._groups, self._environment, self._ports = groups, environment, free_ports(2)
        self._running = [self._start(number) for number in range(2)]

    @property
    def urls(self) -> str:
        """Where both are, as the edge is told."""
        return ",".join(replica.url for replica in self._running)

    async def until_ready(self) -> None:
        """Wait for both."""
        await asyncio.gather(*(replica.until_ready() for replica in self._running))

    async def renew(self, number: int) -> None:
        """Let one finish what it has, and start another one in its place."""
        await self._running[number].process.stop()
        self._running[number] = self._start(number)
        await self.until_ready()

    def _start(self, number: int) -> Service:
        return start_service(self._groups[number], "tasks", self._environment, self._ports[number])


@pytest.fixture
async def replicas(own: OwnPlatform, tmp_path: Path) -> AsyncGenerator[Replicas]:
    async with Group(tmp_path / "1") as first, Group(tmp_path / "2") as second:
        replicas = Replicas((first, second), own.environment)
        await replicas.until_ready()
        yield replicas


@pytest.fixture
async def edge(own: OwnPlatform, replicas: Replicas, processes: Group) -> Service:
    assert TRAEFIK
    urls = {
        f"{name}_URLS": own.services[service].url for name, service in (("AUTH_GATEWAY", "gateway"), ("USERS", "users"))
    }
    told = {**urls, "TASKS_URLS": replicas.urls, "LIMIT_PER_ADDRESS": "0", "LIMIT_PER_USER": "0"}
    edge = start_edge(processes, TRAEFIK, told)
    await edge.until_ready()
    return edge


async def test_stopping_one_of_two_replicas_costs_no_request(
    own: OwnPlatform, replicas: Replicas, edge: Service
) -> None:
    answers, enough = Counter[str](), asyncio.Event()
    people = [Person(edge.url, own.transport, own.secret, f"person-{number}") for number in range(CLIENTS)]
    clients = [asyncio.create_task(write_and_read(person, answers, enough)) for person in people]
    for number in range(ROUNDS):
        await asyncio.sleep(REST_SECONDS)
        await replicas.renew(number % 2)
    enough.set()
    await asyncio.gather(*clients)

    assert set(answers) == {"POST 201", "PATCH 200", "GET 200", "DELETE 204"}
    assert sum(answers.values()) > 100 * ROUNDS
