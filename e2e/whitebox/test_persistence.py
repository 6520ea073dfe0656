"""What was acknowledged is there after a kill, and a look into the database shows it."""

import asyncio

import httpx
import pytest

from devkit.platform.services import PACKAGES
from e2e.support.contract import Task
from e2e.support.isolated_platform import OwnPlatform, OwnPostgres, kill
from e2e.support.user_client import Person

TASK = "SELECT title, is_completed, version FROM tasks WHERE id = %s"
TOMBSTONE = "SELECT kind FROM task_tombstones WHERE id = %s"


async def everything_of(person: Person) -> list[object]:
    return [await person.tasks(), (await person.get("/users/me")).json()]


@pytest.mark.scenario("S001-SC-004", "S002-US3.1", "S002-FR-006")
async def test_what_was_written_outlives_a_kill_of_all_services(own: OwnPlatform) -> None:
    ann = own.speak_as("ann")
    await ann.add("Kept", description="The ferns, too")
    await ann.add("Done", is_completed=True)
    await ann.patch("/users/me", json={"time_zone": "Europe/Berlin"})
    before = await everything_of(ann)

    own.kill(*PACKAGES)
    await own.start(*PACKAGES)

    assert await everything_of(ann) == before
    assert len(await ann.tasks()) == 2


@pytest.mark.scenario("S001-SC-004", "S002-US3.1", "S002-FR-006")
async def test_what_was_written_outlives_a_kill_of_the_database(
    own: OwnPlatform, server: OwnPostgres
) -> None:
    ben = own.speak_as("ben")
    await ben.add("Kept")
    before = await everything_of(ben)

    kill(server.server.process)
    await server.start()

    await own.until_ready()
    assert await everything_of(ben) == before


@pytest.mark.scenario("S002-US3.2")
@pytest.mark.parametrize("verb", ["PATCH", "PUT"])
async def test_a_change_is_in_the_database(own: OwnPlatform, verb: str) -> None:
    cleo = own.speak_as("cleo")
    task = await cleo.add("Old")

    changed: Task = (
        await cleo.request(
            verb, f"/tasks/{task['id']}", json={"title": "New", "is_completed": True}
        )
    ).json()

    stored = await own.stored("tasks", TASK, task["id"])
    assert stored == [{"title": "New", "is_completed": True, "version": changed["version"]}]


@pytest.mark.scenario("S002-US3.3")
async def test_a_deleted_task_is_not_in_the_database(own: OwnPlatform) -> None:
    dan = own.speak_as("dan")
    task = await dan.add("Gone")
    assert len(await own.stored("tasks", TASK, task["id"])) == 1

    await dan.delete(f"/tasks/{task['id']}")

    assert await own.stored("tasks", TASK, task["id"]) == []
    assert await own.stored("tasks", TOMBSTONE, task["id"]) == [{"kind": "task"}]


async def go_on_writing(person: Person, acknowledged: list[Task], enough: asyncio.Event) -> None:
    """Write whatever happens, and remember what was promised."""
    while not enough.is_set():
        try:
            answer = await person.post("/tasks", json={"title": "Once"})
        except httpx.TransportError:
            answer = httpx.Response(502)
        if answer.status_code == 201:
            acknowledged.append(answer.json())
        assert answer.status_code in {201, 502, 503}, answer.text
        await asyncio.sleep(0.01)


@pytest.mark.scenario("S001-SC-004", "S002-SC-001")
async def test_a_kill_under_load_loses_nothing_that_was_acknowledged(own: OwnPlatform) -> None:
    people = [own.speak_as(f"writer-{number}") for number in range(3)]
    acknowledged: list[list[Task]] = [[] for _ in people]
    enough = asyncio.Event()

    async with asyncio.TaskGroup() as load:
        for person, tasks in zip(people, acknowledged, strict=True):
            load.create_task(go_on_writing(person, tasks, enough))
        for name in PACKAGES:
            await asyncio.sleep(0.3)
            own.kill(name)
            await own.start(name)
        enough.set()

    for person, tasks in zip(people, acknowledged, strict=True):
        assert tasks
        kept = await person.tasks()
        assert [task for task in tasks if task not in kept] == []
