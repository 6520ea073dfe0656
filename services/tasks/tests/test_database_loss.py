"""What the service shows while its database is away, slow or silent, and afterwards."""

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

LOCK_EVERYBODY = "SELECT id FROM owners FOR UPDATE"
PATIENCE_SECONDS = 10
"""The deadline and as much again, but less than the driver would wait for a server that does not hear "cancel"."""


@pytest.mark.scenario("S001-FR-009", "S002-SC-008")
async def test_a_lost_database_is_an_error_that_tells_nothing_and_passes(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    made = await owner.post("/tasks", json={"title": "Stays"})

    await proxy.stop_listening()
    answers = [await owner.get("/tasks"), await owner.post("/tasks", json={"title": "Lost"})]

    assert {(answer.status_code, answer.headers["retry-after"]) for answer in answers} == {
        (500, "1")
    }
    assert {answer.json()["code"] for answer in answers} == {"internal-server-error"}
    assert (await owner.get("/readyz")).status_code == 503
    assert (await owner.get("/healthz")).status_code == 200

    await proxy.start_listening()
    assert (await owner.get("/tasks")).json() == [made.json()]
    assert (await owner.get("/readyz")).status_code == 200


async def test_a_connection_that_was_ended_while_idle_is_not_seen_by_readers(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    before = (await owner.get("/tasks")).json()

    proxy.close_connections()

    assert (await owner.get("/tasks")).json() == before


async def test_a_silent_database_costs_a_request_its_deadline_and_the_pool_nothing(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await owner.post("/tasks", json={"title": "Stays"})

    proxy.pause()
    async with asyncio.timeout(PATIENCE_SECONDS):
        answers = await asyncio.gather(*(owner.get("/tasks") for _ in range(12)))

    late = [answer for answer in answers if answer.status_code == 503]
    assert {answer.json()["code"] for answer in late} == {"deadline-passed"}
    assert {answer.status_code for answer in answers} <= {500, 503}
    assert all("retry-after" in answer.headers for answer in answers)

    proxy.resume()
    again = await asyncio.gather(*(owner.get("/tasks") for _ in range(12)))
    assert {answer.status_code for answer in again} == {200}


async def test_a_slow_database_is_waited_for(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await owner.get("/tasks")

    proxy.delay_seconds = 0.3

    assert (await owner.post("/tasks", json={"title": "Slow"})).status_code == 201


@pytest.mark.scenario("S002-SC-008", "S002-SC-009")
async def test_a_write_whose_answer_is_lost_is_not_sent_twice(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await owner.post("/tasks", json={"title": "First"})

    async with await psycopg.AsyncConnection.connect(proxy.server_url) as other:
        await other.execute(LOCK_EVERYBODY)
        request = asyncio.create_task(owner.post("/tasks", json={"title": "Once"}))
        await wait_for_blocked_statements(proxy.server_url)
        proxy.close_connections()
        answer = await request

    assert (answer.status_code, answer.headers["retry-after"]) == (500, "1")
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as last:
        await last.execute(LOCK_EVERYBODY)  # behind everybody who waits for it
    assert [task["title"] for task in (await owner.get("/tasks")).json()] == ["First", "Once"]


@pytest.mark.scenario("S002-SC-001", "S002-SC-008")
async def test_a_service_is_there_before_its_database_and_ready_with_it(
    processes: ProcessGroup, databases: MigratedDatabases, platform: Platform, keys: PassportKeys
) -> None:
    async with run_fault_proxy(await databases.create("tasks")) as proxy:
        await proxy.stop_listening()
        told = {"PASSPORT_PUBLIC_KEYS": keys.public, "USERS_URL": platform.users.url}
        environment = database_environment({"tasks": proxy.url}, minimal_environment()) | told
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
