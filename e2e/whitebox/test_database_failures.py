"""What clients see while the database is stopped, unreachable, slow or silent, and what is left afterwards."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

import pytest
from httpx import Response

from devkit.platform.databases import MigratedDatabases
from devkit.testing.fault_proxy import FaultProxy, run_fault_proxy
from e2e.support.contract import problem_of
from e2e.support.isolated_platform import OwnPlatform, OwnPostgres, kill, own_platform
from e2e.support.user_client import Person

PEOPLE = 3
FAULT_SECONDS = 0.5
DEADLINE_SECONDS = 5
BUSY_SECONDS = 3
"""What a test machine that does other things may add to a deadline."""

POOL_MAX = 10
"""Connections of one service."""

CONNECTIONS = "SELECT count(*) AS open FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@dataclass
class Stage:
    """The platform, its database server, and what stands between them."""

    platform: OwnPlatform
    server: OwnPostgres
    proxies: dict[str, FaultProxy]


@dataclass
class Load:
    """One who goes on writing and reading, whatever the answer is."""

    person: Person
    enough: asyncio.Event
    answers: list[Response] = field(default_factory=list[Response])

    async def run(self) -> None:
        """Write each title once, read, and keep all answers."""
        for number in count():
            self.answers.append(
                await self.person.post("/tasks", json={"title": str(number)}, timeout=60)
            )
            self.answers.append(await self.person.get("/tasks", timeout=60))
            if self.enough.is_set():
                return

    def errors(self) -> list[Response]:
        """Return the refusals."""
        return [answer for answer in self.answers if not answer.is_success]

    async def require_kept(self) -> None:
        """Make sure that what was acknowledged is there, and nothing twice."""
        kept = [task["title"] for task in await self.person.tasks()]
        promised = {answer.json()["title"] for answer in self.answers if answer.status_code == 201}
        assert promised <= set(kept)
        assert len(kept) == len(set(kept))


@pytest.fixture(scope="module")
async def stage(server: OwnPostgres, databases: MigratedDatabases) -> AsyncGenerator[Stage]:
    async with AsyncExitStack() as stack:
        urls = {owner: await databases.create(owner) for owner in ("tasks", "users")}
        proxies = {
            owner: await stack.enter_async_context(run_fault_proxy(url))
            for owner, url in urls.items()
        }
        reached_at = {owner: proxy.url for owner, proxy in proxies.items()}
        platform = await stack.enter_async_context(own_platform(urls, reached_at))
        yield Stage(platform, server, proxies)


@asynccontextmanager
async def stopped(stage: Stage) -> AsyncGenerator[None]:
    await stage.server.server.process.stop()
    yield
    await stage.server.start()


@asynccontextmanager
async def killed(stage: Stage) -> AsyncGenerator[None]:
    kill(stage.server.server.process)
    yield
    await stage.server.start()


@asynccontextmanager
async def unreachable(stage: Stage) -> AsyncGenerator[None]:
    for proxy in stage.proxies.values():
        await proxy.stop_listening()
    yield
    for proxy in stage.proxies.values():
        await proxy.start_listening()


@asynccontextmanager
async def cut_off_again_and_again(stage: Stage) -> AsyncGenerator[None]:
    for _ in range(5):
        for proxy in stage.proxies.values():
            proxy.close_connections()
        await asyncio.sleep(0.1)
    yield


@asynccontextmanager
async def slow(stage: Stage) -> AsyncGenerator[None]:
    for proxy in stage.proxies.values():
        proxy.delay_seconds = 0.2
    yield
    for proxy in stage.proxies.values():
        proxy.delay_seconds = 0


@asynccontextmanager
async def silent(stage: Stage) -> AsyncGenerator[None]:
    for proxy in stage.proxies.values():
        proxy.pause()
    await asyncio.sleep(DEADLINE_SECONDS + FAULT_SECONDS)
    yield
    for proxy in stage.proxies.values():
        proxy.resume()


@asynccontextmanager
async def load_on(stage: Stage, name: str) -> AsyncGenerator[list[Load]]:
    """Let some people work for the time of the block; they are known before it begins."""
    enough = asyncio.Event()
    loads = [Load(stage.platform.speak_as(f"{name}-{number}"), enough) for number in range(PEOPLE)]
    for load in loads:
        await load.person.add("first")
    async with asyncio.TaskGroup() as group:
        for load in loads:
            group.create_task(load.run())
        await asyncio.sleep(FAULT_SECONDS)
        yield loads
        await asyncio.sleep(FAULT_SECONDS)
        enough.set()


Fault = Callable[[Stage], AbstractAsyncContextManager[None]]

SHOWS: list[tuple[Fault, set[int]]] = [
    (stopped, {500}),
    (killed, {500}),
    (unreachable, {500}),
    (cut_off_again_and_again, {500}),
    (slow, set()),
    (silent, {500, 503}),
]
"""What may be answered besides what was asked for; 503 must be, where only the deadline ends a request."""


@pytest.mark.scenario("S001-FR-009", "S002-SC-008", "S002-FR-011", "S002-FR-010")
@pytest.mark.parametrize(("fault", "statuses"), SHOWS, ids=[fault.__name__ for fault, _ in SHOWS])
async def test_a_database_that_fails_is_said_in_time_and_recovered_from(
    stage: Stage, fault: Fault, statuses: set[int]
) -> None:
    async with load_on(stage, fault.__name__.replace("_", "-")) as loads:
        async with fault(stage):
            await asyncio.sleep(FAULT_SECONDS)
            assert await stage.platform.is_alive()
        await stage.platform.until_ready()
        later = [asyncio.create_task(load.person.get("/tasks")) for load in loads * POOL_MAX]
        assert {answer.status_code for answer in await asyncio.gather(*later)} == {200}

    causes = Counter(stage.platform.logged("tasks", "failure"))
    seen = {answer.status_code for load in loads for answer in load.answers}
    assert (503 in seen) == (503 in statuses)
    for load in loads:
        assert all(
            answer.elapsed.total_seconds() < DEADLINE_SECONDS + BUSY_SECONDS
            for answer in load.answers
        )
        for answer in load.errors():
            assert answer.status_code in statuses
            assert causes[problem_of(answer, answer.status_code)["request_id"]] == 1
        await load.require_kept()
    [counted] = await stage.platform.stored("tasks", CONNECTIONS)
    assert counted["open"] in range(POOL_MAX + 1)
