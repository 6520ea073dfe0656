"""What clients see while a database is stopped, unreachable, slow or silent, and what is stored."""

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
from e2e.support.contract import assert_problem
from e2e.support.isolated_platform import (
    IsolatedPlatform,
    IsolatedPostgres,
    kill_process,
    run_isolated_platform,
)
from e2e.support.user_client import UserClient

USERS = 3
FAILURE_SECONDS = 0.5
DEADLINE_SECONDS = 5
BUSY_SECONDS = 3
"""What a busy test machine may add to a deadline."""

POOL_MAX = 10
"""How many connections a service opens."""

OPEN_CONNECTIONS = """
SELECT count(*) AS open FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
AND backend_type = 'client backend'
"""
"""Counts no autovacuum: it visits the database whenever it wants to."""


@dataclass
class DatabaseTestbed:
    """A platform, its database server, and a proxy in front of each database."""

    platform: IsolatedPlatform
    server: IsolatedPostgres
    proxies: list[FaultProxy]


@dataclass
class Load:
    """A user who writes and reads in turn, whatever the responses are."""

    user: UserClient
    stop: asyncio.Event
    responses: list[Response] = field(default_factory=list[Response])

    async def run(self) -> None:
        """Create tasks with unique titles and list them, until the event is set."""
        for number in count():
            created = await self.user.post("/tasks", json={"title": str(number)}, timeout=60)
            self.responses.append(created)
            listed = await self.user.get("/tasks", timeout=60)
            self.responses.append(listed)
            if self.stop.is_set():
                return

    def errors(self) -> list[Response]:
        """Return the responses with an error."""
        return [response for response in self.responses if not response.is_success]

    async def assert_created_tasks_exist(self) -> None:
        """Check that every acknowledged task is stored, and none twice."""
        stored_titles = [task["title"] for task in await self.user.list_tasks()]
        acknowledged_titles = {
            response.json()["title"] for response in self.responses if response.status_code == 201
        }
        assert acknowledged_titles <= set(stored_titles)
        assert len(stored_titles) == len(set(stored_titles))


@pytest.fixture(scope="module")
async def testbed(
    server: IsolatedPostgres, databases: MigratedDatabases
) -> AsyncGenerator[DatabaseTestbed]:
    async with AsyncExitStack() as stack:
        urls: dict[str, str] = {}
        service_urls: dict[str, str] = {}
        proxies: list[FaultProxy] = []
        for service in ("tasks", "users"):
            urls[service] = await databases.create(service)
            proxy = await stack.enter_async_context(run_fault_proxy(urls[service]))
            service_urls[service] = proxy.url
            proxies.append(proxy)
        platform = await stack.enter_async_context(run_isolated_platform(urls, service_urls))
        yield DatabaseTestbed(platform, server, proxies)


@asynccontextmanager
async def stopped(testbed: DatabaseTestbed) -> AsyncGenerator[None]:
    await testbed.server.server.process.stop()
    yield
    await testbed.server.start()


@asynccontextmanager
async def killed(testbed: DatabaseTestbed) -> AsyncGenerator[None]:
    kill_process(testbed.server.server.process)
    yield
    await testbed.server.start()


@asynccontextmanager
async def unreachable(testbed: DatabaseTestbed) -> AsyncGenerator[None]:
    for proxy in testbed.proxies:
        await proxy.stop_listening()
    yield
    for proxy in testbed.proxies:
        await proxy.start_listening()


@asynccontextmanager
async def disconnected_repeatedly(testbed: DatabaseTestbed) -> AsyncGenerator[None]:
    for _ in range(5):
        for proxy in testbed.proxies:
            proxy.close_connections()
        await asyncio.sleep(0.1)
    yield


@asynccontextmanager
async def slow(testbed: DatabaseTestbed) -> AsyncGenerator[None]:
    for proxy in testbed.proxies:
        proxy.delay_seconds = 0.2
    yield
    for proxy in testbed.proxies:
        proxy.delay_seconds = 0


@asynccontextmanager
async def silent(testbed: DatabaseTestbed) -> AsyncGenerator[None]:
    for proxy in testbed.proxies:
        proxy.pause()
    await asyncio.sleep(DEADLINE_SECONDS + FAILURE_SECONDS)
    yield
    for proxy in testbed.proxies:
        proxy.resume()


@asynccontextmanager
async def run_loads(testbed: DatabaseTestbed, name: str) -> AsyncGenerator[list[Load]]:
    """Let several users send requests until the block ends; the platform knows them already."""
    stop = asyncio.Event()
    loads: list[Load] = []
    for number in range(USERS):
        user = testbed.platform.client_for(f"{name}-{number}")
        await user.create_task("first")
        loads.append(Load(user, stop))
    async with asyncio.TaskGroup() as group:
        for load in loads:
            group.create_task(load.run())
        await asyncio.sleep(FAILURE_SECONDS)
        yield loads
        await asyncio.sleep(FAILURE_SECONDS)
        stop.set()


Failure = Callable[[DatabaseTestbed], AbstractAsyncContextManager[None]]

ERROR_STATUSES: list[tuple[Failure, set[int]]] = [
    (stopped, {500}),
    (killed, {500}),
    (unreachable, {500}),
    (disconnected_repeatedly, {500}),
    (slow, set()),
    (silent, {500, 503}),
]
"""The statuses of errors during each failure.

503 must occur where it is listed: there only the deadline ends a request.
"""

FAILURE_NAMES = [failure.__name__ for failure, _ in ERROR_STATUSES]


@pytest.mark.scenario("S001-FR-009", "S002-SC-008", "S002-FR-011", "S002-FR-010")
@pytest.mark.parametrize(("failure", "error_statuses"), ERROR_STATUSES, ids=FAILURE_NAMES)
async def test_a_database_failure_is_reported_in_time_and_recovered_from(
    testbed: DatabaseTestbed, failure: Failure, error_statuses: set[int]
) -> None:
    platform = testbed.platform
    async with run_loads(testbed, failure.__name__.replace("_", "-")) as loads:
        async with failure(testbed):
            await asyncio.sleep(FAILURE_SECONDS)
            assert await platform.is_alive()
        await platform.wait_until_ready()
        requests = [load.user.get("/tasks") for load in loads * POOL_MAX]
        responses = await asyncio.gather(*requests)
        assert {response.status_code for response in responses} == {200}

    logged_failures = Counter(platform.logged_request_ids("tasks", "failure"))
    statuses = {response.status_code for load in loads for response in load.responses}
    assert (503 in statuses) == (503 in error_statuses)
    for load in loads:
        for response in load.responses:
            assert response.elapsed.total_seconds() < DEADLINE_SECONDS + BUSY_SECONDS
        for response in load.errors():
            assert response.status_code in error_statuses
            problem = assert_problem(response, response.status_code)
            assert logged_failures[problem["request_id"]] == 1
        await load.assert_created_tasks_exist()
    [row] = await platform.fetch_rows("tasks", OPEN_CONNECTIONS)
    assert row["open"] in range(POOL_MAX + 1)


async def test_the_first_write_after_the_database_was_killed_succeeds(
    isolated_platform: IsolatedPlatform, server: IsolatedPostgres
) -> None:
    ann = isolated_platform.client_for("ann-after-a-kill")
    await asyncio.gather(ann.create_task(), ann.create_task())

    kill_process(server.server.process)
    await server.start()

    await ann.create_task()
    assert len(await ann.list_tasks()) == 3
