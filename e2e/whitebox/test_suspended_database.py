"""Requests to a database that was suspended, as Neon does, and takes seconds to wake up."""

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

import pytest
from httpx import Response

from devkit.platform.databases import MigratedDatabases
from devkit.testing.fault_proxy import FaultProxy, Suspension, run_fault_proxy
from e2e.support.contract import assert_problem
from e2e.support.isolated_platform import IsolatedPlatform, run_isolated_platform
from e2e.support.user_client import UserClient

USERS: Final = 5
"""Enough that requests have to wait for one of the ten connections of a service."""

DEADLINE_SECONDS: Final = 5

SHORT_SECONDS: Final = 3.5
"""More than requests wait for a busy pool; the rest of the deadline is for a busy test machine."""

LONG_SECONDS: Final = 9
"""More than the deadline, by what a busy test machine may add to it."""

END_SESSIONS: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
AND backend_type = 'client backend'
"""


@dataclass
class Project:
    """A platform whose two databases are suspended, and wake up, together."""

    platform: IsolatedPlatform
    proxies: list[FaultProxy]
    users: list[UserClient]

    async def suspend(self, wake_seconds: float) -> None:
        """End all sessions; the next connection takes that long."""
        suspension = Suspension(wake_seconds)
        for proxy in self.proxies:
            proxy.suspension = suspension
        for service in ("tasks", "users"):
            await self.platform.fetch_rows(service, END_SESSIONS)

    async def send_requests(self) -> list[Response]:
        """Send four kinds of requests of each user at once."""
        requests: list[Coroutine[None, None, Response]] = []
        for user in self.users:
            requests.append(user.post("/tasks", json={"title": "Water the plants"}))
            requests.append(user.get("/tasks"))
            requests.append(user.get("/tasks/changes"))
            requests.append(user.get("/users/me"))
        return await asyncio.gather(*requests)


@pytest.fixture(scope="module")
async def project(databases: MigratedDatabases) -> AsyncGenerator[Project]:
    async with AsyncExitStack() as stack:
        urls = {service: await databases.create(service) for service in ("tasks", "users")}
        proxies: list[FaultProxy] = []
        for url in urls.values():
            proxies.append(await stack.enter_async_context(run_fault_proxy(url)))
        service_urls = dict(zip(urls, [proxy.url for proxy in proxies], strict=True))
        platform = await stack.enter_async_context(run_isolated_platform(urls, service_urls))
        users = [platform.client_for(f"sleeper-{number}") for number in range(USERS)]
        project = Project(platform, proxies, users)
        await asyncio.gather(*[user.create_task() for user in users])
        yield project


async def test_requests_wait_for_a_database_that_wakes_up_in_time(project: Project) -> None:
    await project.send_requests()
    await project.suspend(SHORT_SECONDS)

    began_at = time.monotonic()
    responses = await project.send_requests()

    assert {response.status_code for response in responses} == {200, 201}
    assert time.monotonic() - began_at > SHORT_SECONDS


async def test_services_wait_for_each_other_while_databases_wake_up(project: Project) -> None:
    erased = project.platform.client_for("erased")
    await erased.create_task()
    newcomer = project.platform.client_for("newcomer")
    await project.suspend(SHORT_SECONDS)

    responses = await asyncio.gather(
        erased.delete("/users/me"), newcomer.post("/tasks", json={"title": "The first one"})
    )

    assert [response.status_code for response in responses] == [204, 201]


async def test_a_database_that_wakes_up_late_costs_503_and_no_restart(project: Project) -> None:
    await project.suspend(LONG_SECONDS)
    began_at = time.monotonic()

    late = await project.send_requests()

    assert time.monotonic() - began_at < LONG_SECONDS
    for response in late:
        assert_problem(response, 503)
        assert int(response.headers["retry-after"]) > 0
        assert response.elapsed.total_seconds() > DEADLINE_SECONDS - 1
    again = await project.send_requests()
    assert {response.status_code for response in again} == {200, 201}
    assert await project.platform.is_alive()
