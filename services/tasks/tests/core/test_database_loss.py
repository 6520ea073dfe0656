"""Responses while the database is unreachable, slow or silent, and afterwards."""

import asyncio

import psycopg
import pytest
from httpx import AsyncClient, Response, TransportError

from devkit.platform.databases import MigratedDatabases, database_environment
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform, free_ports, start_service
from devkit.testing.auth_headers import ClientFactory, passport_headers
from devkit.testing.fault_proxy import FaultProxy, run_fault_proxy
from devkit.testing.lock_waits import wait_for_blocked_statements

from ..support.helpers import field_values, problem_code, status_codes

LOCK_ALL_OWNERS = "SELECT id FROM owners FOR UPDATE"
WAIT_MAX_SECONDS = 10
"""Twice the deadline, but less than the driver waits for a server that ignores "cancel"."""


async def _get_tasks_concurrently(owner: AsyncClient, count: int) -> list[Response]:
    requests = [owner.get("/tasks") for _ in range(count)]
    return await asyncio.gather(*requests)


@pytest.mark.scenario("S001-FR-009", "S002-SC-008")
async def test_a_lost_database_is_an_opaque_error_until_it_returns(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    created = await owner.post("/tasks", json={"title": "Stays"})

    await proxy.stop_listening()
    responses = [await owner.get("/tasks"), await owner.post("/tasks", json={"title": "Lost"})]

    for response in responses:
        assert problem_code(response) == (500, "internal-server-error")
        assert response.headers["retry-after"] == "1"
    assert (await owner.get("/readyz")).status_code == 503
    assert (await owner.get("/healthz")).status_code == 200

    await proxy.start_listening()
    assert (await owner.get("/tasks")).json() == [created.json()]
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
        responses = await _get_tasks_concurrently(owner, 12)

    statuses = status_codes(responses)
    assert 503 in statuses
    for response in responses:
        assert response.status_code in {500, 503}
        assert "retry-after" in response.headers
        if response.status_code == 503:
            assert response.json()["code"] == "deadline-passed"

    proxy.resume()
    responses = await _get_tasks_concurrently(owner, 12)
    assert status_codes(responses) == [200] * 12


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

    assert response.status_code == 500
    assert response.headers["retry-after"] == "1"
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as last:
        await last.execute(LOCK_ALL_OWNERS)  # waits until every other statement has ended
    assert field_values((await owner.get("/tasks")).json(), "title") == ["First", "Once"]


@pytest.mark.scenario("S002-SC-001", "S002-SC-008")
async def test_a_service_starts_without_its_database_and_becomes_ready_with_it(
    processes: ProcessGroup, databases: MigratedDatabases, platform: Platform, keys: PassportKeys
) -> None:
    async with run_fault_proxy(await databases.create("tasks")) as proxy:
        await proxy.stop_listening()
        environment = database_environment({"tasks": proxy.url}, minimal_environment())
        environment["PASSPORT_PUBLIC_KEYS"] = keys.public
        environment["USERS_URL"] = platform.users.url
        [port] = free_ports(1)
        service = start_service(processes, "tasks", environment, port)
        async with AsyncClient(
            base_url=service.url, headers=passport_headers(keys, "owner")
        ) as owner:

            async def is_running() -> bool:
                try:
                    return (await owner.get("/healthz")).is_success
                except TransportError:
                    return False

            await service.process.wait_until(is_running)
            assert (await owner.get("/readyz")).status_code == 503
            assert (await owner.get("/tasks")).status_code == 500
            await proxy.start_listening()
            await service.wait_until_ready()
            assert (await owner.get("/tasks")).json() == []
        await service.process.stop()
