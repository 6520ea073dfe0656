"""Acknowledged writes survive a kill, and the database shows them."""

import asyncio

import httpx
import pytest

from devkit.platform.services import PACKAGES
from e2e.support.contract import Task
from e2e.support.isolated_platform import IsolatedPlatform, IsolatedPostgres, kill_process
from e2e.support.user_client import UserClient

STORED_TASK = "SELECT title, is_completed, version FROM tasks WHERE id = %s"
TOMBSTONE = "SELECT kind FROM task_tombstones WHERE id = %s"


async def read_all_data(user: UserClient) -> tuple[list[Task], object]:
    """Return the tasks and the profile."""
    tasks = await user.list_tasks()
    profile = await user.get("/users/me")
    return tasks, profile.json()


@pytest.mark.scenario("S001-SC-004", "S002-US3.1", "S002-FR-006")
async def test_data_survives_a_kill_of_all_services(isolated_platform: IsolatedPlatform) -> None:
    ann = isolated_platform.client_for("ann")
    await ann.create_task("Kept", description="The ferns, too")
    await ann.create_task("Done", is_completed=True)
    await ann.patch("/users/me", json={"time_zone": "Europe/Berlin"})
    before = await read_all_data(ann)

    isolated_platform.kill(*PACKAGES)
    await isolated_platform.start(*PACKAGES)

    assert await read_all_data(ann) == before
    assert len(await ann.list_tasks()) == 2


@pytest.mark.scenario("S001-SC-004", "S002-US3.1", "S002-FR-006")
async def test_data_survives_a_kill_of_the_database(
    isolated_platform: IsolatedPlatform, server: IsolatedPostgres
) -> None:
    ben = isolated_platform.client_for("ben")
    await ben.create_task("Kept")
    before = await read_all_data(ben)

    kill_process(server.server.process)
    await server.start()

    await isolated_platform.wait_until_ready()
    assert await read_all_data(ben) == before


@pytest.mark.scenario("S002-US3.2")
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_a_change_is_in_the_database(
    isolated_platform: IsolatedPlatform, method: str
) -> None:
    cleo = isolated_platform.client_for("cleo")
    task = await cleo.create_task("Old")

    change = {"title": "New", "is_completed": True}
    response = await cleo.request(method, f"/tasks/{task['id']}", json=change)

    rows = await isolated_platform.fetch_rows("tasks", STORED_TASK, task["id"])
    assert rows == [change | {"version": response.json()["version"]}]


@pytest.mark.scenario("S002-US3.3")
async def test_a_deleted_task_is_not_in_the_database(isolated_platform: IsolatedPlatform) -> None:
    dan = isolated_platform.client_for("dan")
    task = await dan.create_task("Gone")
    assert len(await isolated_platform.fetch_rows("tasks", STORED_TASK, task["id"])) == 1

    await dan.delete(f"/tasks/{task['id']}")

    assert await isolated_platform.fetch_rows("tasks", STORED_TASK, task["id"]) == []
    assert await isolated_platform.fetch_rows("tasks", TOMBSTONE, task["id"]) == [{"kind": "task"}]


async def create_tasks(user: UserClient, acknowledged: list[Task], stop: asyncio.Event) -> None:
    """Create tasks until the event is set, and collect those that were acknowledged."""
    while not stop.is_set():
        try:
            response = await user.post("/tasks", json={"title": "Once"})
        except httpx.TransportError:
            response = httpx.Response(502)
        if response.status_code == 201:
            acknowledged.append(response.json())
        assert response.status_code in {201, 502, 503}, response.text
        await asyncio.sleep(0.01)


@pytest.mark.scenario("S001-SC-004", "S002-SC-001")
async def test_a_kill_under_load_loses_no_acknowledged_task(
    isolated_platform: IsolatedPlatform,
) -> None:
    users = [isolated_platform.client_for(f"writer-{number}") for number in range(3)]
    acknowledged: dict[str, list[Task]] = {user.subject: [] for user in users}
    stop = asyncio.Event()

    async with asyncio.TaskGroup() as group:
        for user in users:
            group.create_task(create_tasks(user, acknowledged[user.subject], stop))
        for name in PACKAGES:
            await asyncio.sleep(0.3)
            isolated_platform.kill(name)
            await isolated_platform.start(name)
        stop.set()

    for user in users:
        created = acknowledged[user.subject]
        stored = await user.list_tasks()
        assert created
        assert [task for task in created if task not in stored] == []
