"""Responses while the database is unreachable, slow or silent, and afterwards."""

import asyncio

import psycopg
import pytest
from httpx import AsyncClient, TransportError

from devkit.platform.databases import MigratedDatabases, database_environment
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform, free_ports, start_service
from devkit.testing.auth_headers import ClientFactory, passport_headers
from devkit.testing.fault_proxy import FaultProxy, run_fault_proxy
from devkit.testing.lock_waits import wait_for_blocked_statements

from ..support.helpers import field_values

LOCK_ALL_OWNERS = "SELECT id FROM owners FOR UPDATE"
WAIT_MAX_SECONDS = 10
"""Twice the deadline, but less than the driver waits for a server that ignores "cancel"."""


@pytest.mark.scenario("S001-FR-009", "S002-SC-008")
async def test_a_lost_database_is_an_opaque_error_until_it_returns(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    made = await owner.post("/tasks", json={"title": "Stays"})

    await proxy.stop_listening()
    responses = [await owner.get("/tasks"), await owner.post("/tasks", json={"title": "Lost"})]

    assert {(response.status_code, response.headers["retry-after"]) for response in responses} == {
        (500, "1")
    }
    assert {response.json()["code"] for response in responses} == {"internal-server-error"}
    assert (await owner.get("/readyz")).status_code == 503
    assert (await owner.get("/healthz")).status_code == 200

    await proxy.start_listening()
    assert (await owner.get("/tasks")).json() == [made.json()]
    assert (await owner.get("/readyz")).status_code == 200


async def test_reads_survive_a_closed_idle_connection(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    before = (await owner.get("/tasks")).json()

    proxy.close_connections()

    assert (await owner.get("/tasks")).json() == before


async def test_requests_time_out_on_a_silent_database_and_the_pool_recovers(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await owner.post("/tasks", json={"title": "Stays"})

    proxy.pause()
    async with asyncio.timeout(WAIT_MAX_SECONDS):
        responses = await asyncio.gather(*(owner.get("/tasks") for _ in range(12)))

    late = [response for response in responses if response.status_code == 503]
    assert {response.json()["code"] for response in late} == {"deadline-passed"}
    assert {response.status_code for response in responses} <= {500, 503}
    assert all("retry-after" in response.headers for response in responses)

    proxy.resume()
    again = await asyncio.gather(*(owner.get("/tasks") for _ in range(12)))
    assert {response.status_code for response in again} == {200}


async def test_requests_wait_for_a_slow_database(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await owner.get("/tasks")

    proxy.delay_seconds = 0.3

    assert (await owner.post("/tasks", json={"title": "Slow"})).status_code == 201


@pytest.mark.scenario("S002-SC-008", "S002-SC-009")
async def test_a_write_whose_response_is_lost_is_not_repeated(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await owner.post("/tasks", json={"title": "First"})

    async with await psycopg.AsyncConnection.connect(proxy.server_url) as other:
        await other.execute(LOCK_ALL_OWNERS)
        request = asyncio.create_task(owner.post("/tasks", json={"title": "Once"}))
        await wait_for_blocked_statements(proxy.server_url)
        proxy.close_connections()
        response = await request

    assert (response.status_code, response.headers["retry-after"]) == (500, "1")
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as last:
        await last.execute(LOCK_ALL_OWNERS)  # after all who wait for it
    assert field_values((await owner.get("/tasks")).json(), "title") == ["First", "Once"]


@pytest.mark.scenario("S002-SC-001", "S002-SC-008")
async def test_a_service_starts_without_its_database_and_becomes_ready_with_it(
    processes: ProcessGroup, databases: MigratedDatabases, platform: Platform, keys: PassportKeys
) -> None:
    async with run_fault_proxy(await databases.create("tasks")) as proxy:
        await proxy.stop_listening()
        settings = {"PASSPORT_PUBLIC_KEYS": keys.public, "USERS_URL": platform.users.url}
        environment = database_environment({"tasks": proxy.url}, minimal_environment()) | settings
        early = start_service(processes, "tasks", environment, *free_ports(1))
        async with AsyncClient(
            base_url=early.url, headers=passport_headers(keys, "early")
        ) as owner:

            async def is_there() -> bool:
                try:
                    return (await owner.get("/healthz")).is_success
                except TransportError:
                    return False

            await early.process.wait_until(is_there)
            assert [(await owner.get(path)).status_code for path in ("/readyz", "/tasks")] == [
                503,
                500,
            ]
            await proxy.start_listening()
            await early.wait_until_ready()
            assert (await owner.get("/tasks")).json() == []
        await early.process.stop()
