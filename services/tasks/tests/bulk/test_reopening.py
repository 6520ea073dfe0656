"""Reopening many tasks takes their successors back, unless somebody has changed them."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import psycopg
import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.helpers import (
    JsonObject,
    create_list,
    create_task,
    field_values,
    json_object,
    problem_code,
)
from ..support.import_export import run_sql
from ..support.recurring import change, complete, create_recurring, successor_id

POINT_TO_PREVIOUS = "UPDATE tasks SET previous_id = %s WHERE id = %s"


@pytest.fixture
async def database(proxy: FaultProxy) -> AsyncGenerator[psycopg.AsyncConnection]:
    """Connect to the database of this test's own service."""
    async with await psycopg.AsyncConnection.connect(
        proxy.server_url, autocommit=True
    ) as connection:
        yield connection


@pytest.fixture
async def owner(as_isolated_user: ClientFactory, proxy: FaultProxy) -> AsyncClient:
    """Return the client of the only user, who has room for some more tasks than in other tests."""
    client = as_isolated_user("owner")
    await create_task(client)
    await run_sql(proxy, "DELETE FROM tasks")
    await run_sql(proxy, "UPDATE owners SET task_count = -100")
    return client


async def _reopen(
    owner: AsyncClient, *tasks: JsonObject, **fields: object
) -> tuple[object, object]:
    query = "&".join(f"id={task['id']}" for task in tasks)
    body = {"is_completed": False, **fields}
    result = await json_object(await owner.patch(f"/tasks?{query}", json=body))
    assert result["version"] == await _counter(owner)
    return result["matched"], result["changed"]


async def _counter(owner: AsyncClient) -> int:
    return int((await owner.get("/tasks/changes")).json()["next"])


async def _changes_since(owner: AsyncClient, since: int) -> dict[str, Any]:
    return await json_object(await owner.get(f"/tasks/changes?since={since}"))


async def _create_completed(
    owner: AsyncClient, labels: Sequence[str] = ()
) -> tuple[JsonObject, JsonObject, JsonObject]:
    """Return a completed task with a subtask, its successor, and the copy of the subtask."""
    parent = await create_recurring(owner, labels=labels)
    subtask = await create_task(owner, "subtask", parent_id=parent["id"])
    successor = await complete(owner, parent)
    assert successor is not None
    copy = await json_object(await owner.get(f"/tasks/{successor_id(subtask)}"))
    return parent, successor, copy


def _check_versions(changes: dict[str, Any]) -> None:
    versions = field_values(changes["tasks"] + changes["labels"] + changes["deleted"], "version")
    assert len(versions) == len(set(versions))


@pytest.mark.scenario("S007-AC-6")
@pytest.mark.parametrize("body", [{"is_completed": False}, {"status": "pending"}])
async def test_what_nobody_has_changed_is_taken_back(
    owner: AsyncClient, proxy: FaultProxy, body: dict[str, object]
) -> None:
    pairs = [await _create_completed(owner) for _ in range(2)]
    since = await _counter(owner)

    query = "&".join(f"id={parent['id']}" for parent, _, _ in pairs)
    result = await json_object(await owner.patch(f"/tasks?{query}", json=body))

    assert (result["matched"], result["changed"]) == (2, 2)
    changes = await _changes_since(owner, since)
    _check_versions(changes)
    assert result["version"] == int(changes["next"])
    assert set(field_values(changes["tasks"], "id")) == {parent["id"] for parent, _, _ in pairs}
    assert not any(field_values(changes["tasks"], "is_completed"))
    taken_back = {task["id"] for _, successor, copy in pairs for task in (successor, copy)}
    assert set(field_values(changes["deleted"], "id")) == taken_back
    assert len((await owner.get("/tasks")).json()) == 4
    assert await run_sql(proxy, "SELECT task_count FROM owners") == [(-96,)]


@pytest.mark.scenario("S007-AC-6")
@pytest.mark.parametrize("touched", ["successor", "copy", "new subtask", "lost copy"])
async def test_what_somebody_has_changed_is_kept(owner: AsyncClient, touched: str) -> None:
    parent, successor, copy = await _create_completed(owner)
    other, taken_back, _ = await _create_completed(owner)
    match touched:
        case "successor":
            await change(owner, successor, title="New")
        case "copy":
            await change(owner, copy, title="New")
        case "new subtask":
            await create_task(owner, parent_id=successor["id"])
        case _:
            await owner.delete(f"/tasks/{copy['id']}")
    kept = (await owner.get("/tasks?status=pending")).json()

    assert await _reopen(owner, parent, other) == (2, 2)

    ids = set(field_values((await owner.get("/tasks")).json(), "id"))
    gone = {taken_back["id"], *field_values(_subtasks(kept, taken_back), "id")}
    assert ids == {parent["id"], other["id"], *field_values(kept, "id")} - gone


def _subtasks(tasks: list[JsonObject], parent: JsonObject) -> list[JsonObject]:
    return [task for task in tasks if task["parent_id"] == parent["id"]]


async def test_what_is_taken_back_is_not_changed_otherwise_or_counted(
    owner: AsyncClient,
) -> None:
    garden = await create_list(owner)
    parent, successor, copy = await _create_completed(owner, labels=["old"])
    since = await _counter(owner)

    # The copy matches as well, and its parent, which is taken back, does not.
    counts = await _reopen(
        owner,
        parent,
        copy,
        list_id=garden["id"],
        priority="high",
        due={"date": "2126-01-01"},
        labels_add=["new"],
        labels_remove=["old"],
    )

    assert counts == (2, 1)
    changes = await _changes_since(owner, since)
    _check_versions(changes)
    assert set(field_values(changes["deleted"], "id")) == {successor["id"], copy["id"]}
    tasks = (await owner.get(f"/tasks?list_id={garden['id']}")).json()
    assert set(field_values(changes["tasks"], "id")) == set(field_values(tasks, "id"))
    reopened, subtask = sorted(tasks, key=lambda task: str(task["title"]))
    assert (reopened["labels"], reopened["priority"]) == (["new"], "high")
    assert (subtask["parent_id"], subtask["priority"]) == (parent["id"], "none")
    assert len((await owner.get("/tasks")).json()) == 2


async def test_all_that_match_are_reopened_and_their_successors_taken_back(
    owner: AsyncClient,
) -> None:
    parent, _, _ = await _create_completed(owner)
    since = await _counter(owner)

    body = {"status": "pending", "list_id": None, "labels_add": ["new"]}
    result = await json_object(await owner.patch("/tasks?list_id=none", json=body))

    assert (result["matched"], result["changed"]) == (4, 2)
    changes = await _changes_since(owner, since)
    _check_versions(changes)
    assert (len(changes["tasks"]), len(changes["deleted"])) == (2, 2)
    assert parent["id"] in field_values(changes["tasks"], "id")


@pytest.mark.parametrize("is_matched", [False, True])
async def test_what_points_to_a_task_that_is_taken_back_is_unlinked(
    owner: AsyncClient, database: psycopg.AsyncConnection, *, is_matched: bool
) -> None:
    parent, successor, copy = await _create_completed(owner)
    others = [await create_task(owner, "other", is_completed=True) for _ in range(3)]
    for other, target in zip(others, (successor, copy, parent), strict=True):
        # As an import may have it.
        await database.execute(POINT_TO_PREVIOUS, (target["id"], other["id"]))
    since = await _counter(owner)

    await _reopen(owner, parent, *(others if is_matched else []))

    changes = await _changes_since(owner, since)
    _check_versions(changes)
    changed = {task["id"]: task for task in changes["tasks"]}
    unlinked = [changed[other["id"]] for other in others[:2]]
    assert field_values(unlinked, "previous_id") == [None, None]
    assert field_values(unlinked, "is_completed") == [not is_matched] * 2
    last = (await owner.get(f"/tasks/{others[2]['id']}")).json()
    assert last["previous_id"] == parent["id"]
    assert set(field_values(changes["deleted"], "id")) == {successor["id"], copy["id"]}


async def test_a_subtask_that_follows_to_another_list_is_unlinked(
    owner: AsyncClient, database: psycopg.AsyncConnection
) -> None:
    garden = await create_list(owner)
    parent, successor, _ = await _create_completed(owner)
    [subtask] = (await owner.get(f"/tasks?parent_id={parent['id']}")).json()
    await database.execute(POINT_TO_PREVIOUS, (successor["id"], subtask["id"]))
    since = await _counter(owner)

    assert await _reopen(owner, parent, list_id=garden["id"]) == (1, 1)

    changes = await _changes_since(owner, since)
    _check_versions(changes)
    moved = {task["id"]: task for task in changes["tasks"]}[subtask["id"]]
    assert (moved["list_id"], moved["previous_id"]) == (garden["id"], None)


async def test_a_task_that_names_its_successor_as_its_predecessor_keeps_it(
    owner: AsyncClient, database: psycopg.AsyncConnection
) -> None:
    task = await create_recurring(owner)
    successor = await complete(owner, task)
    assert successor is not None
    await database.execute(POINT_TO_PREVIOUS, (successor["id"], task["id"]))

    assert await _reopen(owner, task) == (1, 1)

    assert len((await owner.get("/tasks")).json()) == 2


async def test_reopening_deletes_nothing_else(owner: AsyncClient) -> None:
    plain = await create_task(owner, is_completed=True)
    parent, _, _ = await _create_completed(owner)
    open_task = await create_recurring(owner)
    await change(owner, parent, is_completed=False)
    before = len((await owner.get("/tasks")).json())

    assert await _reopen(owner, plain, open_task, parent) == (3, 1)

    assert len((await owner.get("/tasks")).json()) == before


async def test_nothing_is_taken_back_if_the_change_is_rejected(owner: AsyncClient) -> None:
    parent, _, _ = await _create_completed(owner)
    tasks = (await owner.get("/tasks")).json()
    url = f"/tasks?id={parent['id']}"
    body = {"is_completed": False}

    late = await owner.patch(url, json=body, headers={"If-Match": '"1"'})
    wrong = await owner.patch(url, json={**body, "due": None})

    assert problem_code(late) == (412, "version-mismatch")
    assert problem_code(wrong) == (422, "recurrence-without-due")
    assert (await owner.get("/tasks")).json() == tasks
    assert (await owner.get("/tasks/changes")).json()["deleted"] == []


async def test_completing_again_makes_what_was_taken_back(owner: AsyncClient) -> None:
    parent, successor, copy = await _create_completed(owner)
    before = {task["id"] for task in (await owner.get("/tasks")).json()}

    await _reopen(owner, parent)
    await json_object(await owner.patch(f"/tasks?id={parent['id']}", json={"is_completed": True}))

    assert {task["id"] for task in (await owner.get("/tasks")).json()} == before
    assert {successor["id"], copy["id"]} <= before
    assert (await owner.get("/tasks/changes")).json()["deleted"] == []


async def test_reopening_takes_one_round_trip(owner: AsyncClient, proxy: FaultProxy) -> None:
    counts: list[int] = []
    for _ in range(8):
        task = await create_recurring(owner)
        await complete(owner, task)
        proxy.round_trips = 0
        await _reopen(owner, task)
        counts.append(proxy.round_trips)

    assert counts[-1] <= 4
