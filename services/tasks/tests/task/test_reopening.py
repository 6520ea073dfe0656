"""Reopening a task that repeats: its successor is taken back, unless somebody has changed it."""

from collections.abc import Awaitable, Callable

import psycopg
import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.helpers import (
    IF_ABSENT,
    JsonObject,
    create_list,
    create_task,
    field_values,
    json_object,
    move_task,
)
from ..support.recurring import change, complete, create_recurring, successor_id
from ..support.service import TASKS_MAX

Touch = Callable[[AsyncClient, JsonObject, JsonObject], Awaitable[object]]
"""Does something to a successor or to the copy of a subtask."""


async def _create_completed(owner: AsyncClient) -> tuple[JsonObject, JsonObject, JsonObject]:
    """Return a completed task with a subtask, its successor, and the copy of the subtask."""
    parent = await create_recurring(owner, labels=["home"])
    subtask = await create_task(owner, "subtask", parent_id=parent["id"])
    successor = await complete(owner, parent)
    assert successor is not None
    copy = await json_object(await owner.get(f"/tasks/{successor_id(subtask)}"))
    return parent, successor, copy


@pytest.mark.scenario("S007-AC-6")
@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("PATCH", {"is_completed": False}),
        ("PATCH", {"status": "pending", "title": "New", "labels": ["new"]}),
        ("PUT", {"title": "Task"}),
        ("PUT", {"title": "Task", "status": "pending"}),
    ],
)
async def test_reopening_takes_back_what_nobody_has_changed(
    as_user: ClientFactory, method: str, body: dict[str, object]
) -> None:
    owner = as_user("owner")
    parent, successor, copy = await _create_completed(owner)
    since = (await owner.get("/tasks/changes")).json()["next"]

    response = await owner.request(method, f"/tasks/{parent['id']}", json=body)

    reopened = await json_object(response)
    assert (reopened["is_completed"], "link" in response.headers) == (False, False)
    assert response.headers["etag"] == f'"{reopened["version"]}"'
    tasks = (await owner.get("/tasks")).json()
    assert tasks[0] == reopened
    assert len(tasks) == 2
    changes = (await owner.get(f"/tasks/changes?since={since}")).json()
    assert field_values(changes["tasks"], "id") == [parent["id"]]
    assert field_values(changes["deleted"], "id") == [successor["id"], copy["id"]]
    versions = field_values(changes["tasks"] + changes["deleted"] + changes["labels"], "version")
    assert len(versions) == len(set(versions))
    for _ in range(TASKS_MAX - 2):
        await create_task(owner)
    assert (await owner.post("/tasks", json={"title": "x"})).status_code == 422

    changes = (await owner.get(f"/tasks/changes?since={changes['next']}")).json()
    assert changes["deleted"] == []


async def _rename(owner: AsyncClient, successor: JsonObject, _: JsonObject) -> object:
    return await change(owner, successor, title="New")


async def _complete(owner: AsyncClient, successor: JsonObject, _: JsonObject) -> object:
    return await change(owner, successor, is_completed=True, recurrence=None)


async def _move(owner: AsyncClient, successor: JsonObject, _: JsonObject) -> object:
    return await move_task(owner, successor, after=None)


async def _rename_copy(owner: AsyncClient, _: JsonObject, copy: JsonObject) -> object:
    return await change(owner, copy, title="New")


async def _delete_copy(owner: AsyncClient, _: JsonObject, copy: JsonObject) -> object:
    return await owner.delete(f"/tasks/{copy['id']}")


async def _detach_copy(owner: AsyncClient, _: JsonObject, copy: JsonObject) -> object:
    return await change(owner, copy, parent_id=None)


async def _add_subtask(owner: AsyncClient, successor: JsonObject, _: JsonObject) -> object:
    return await create_task(owner, parent_id=successor["id"])


async def _rename_label(owner: AsyncClient, _: JsonObject, __: JsonObject) -> object:
    [label] = (await owner.get("/labels")).json()
    return await owner.patch(f"/labels/{label['id']}", json={"name": "house"})


@pytest.mark.scenario("S007-AC-6")
@pytest.mark.parametrize(
    "touch",
    [
        _rename,
        _complete,
        _move,
        _rename_copy,
        _delete_copy,
        _detach_copy,
        _add_subtask,
        _rename_label,
    ],
)
async def test_reopening_keeps_what_somebody_has_changed(
    as_user: ClientFactory, touch: Touch
) -> None:
    owner = as_user("owner")
    parent, successor, copy = await _create_completed(owner)
    await touch(owner, successor, copy)
    kept = (await owner.get("/tasks")).json()[1:]

    reopened = await change(owner, parent, is_completed=False)

    assert reopened.json()["is_completed"] is False
    tasks = (await owner.get("/tasks")).json()
    assert tasks[1:] == kept
    again = await complete(owner, parent)
    assert again is not None
    assert again["id"] == successor["id"]
    assert (await owner.get("/tasks")).json()[1:] == kept


async def test_completing_again_makes_what_was_taken_back(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    parent, successor, copy = await _create_completed(owner)

    for day in ("2126-12-24", "2126-12-30"):
        await change(owner, parent, is_completed=False)
        again = await complete(owner, parent, due={"date": day})
        assert again is not None
        assert again["id"] == successor["id"]
        assert again["due"] != successor["due"]
        changes = (await owner.get("/tasks/changes")).json()
        assert changes["deleted"] == []
        assert field_values(changes["tasks"], "id")[-2:] == [successor["id"], copy["id"]]


async def test_completing_again_makes_a_deleted_successor_again(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    parent, successor, copy = await _create_completed(owner)
    await owner.delete(f"/tasks/{successor['id']}")
    orphan = (await owner.get(f"/tasks/{copy['id']}")).json()

    assert "link" not in (await change(owner, parent, title="New")).headers
    await change(owner, parent, is_completed=False)
    again = await complete(owner, parent)

    assert again is not None
    assert again["id"] == successor["id"]
    assert (await owner.get(f"/tasks/{copy['id']}")).json() == orphan
    assert (await owner.get("/tasks/changes")).json()["deleted"] == []


async def test_reopening_deletes_nothing_else(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    plain = await create_task(owner, "plain", is_completed=True)
    task = await create_recurring(owner, is_completed=True)
    own = {"title": "own", "due": task["due"], "recurrence": task["recurrence"]}
    await owner.put(f"/tasks/{successor_id(task)}", json=own, headers=IF_ABSENT)

    for completed in (plain, task):
        await change(owner, completed, is_completed=False)

    assert len((await owner.get("/tasks")).json()) == 3
    assert (await owner.get("/tasks/changes")).json()["deleted"] == []


async def test_deleting_a_list_counts_as_a_change_of_the_successor(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    garden = await create_list(owner)
    task = await create_recurring(owner, list_id=garden["id"])
    successor = await complete(owner, task)
    assert successor is not None
    await owner.delete(f"/lists/{garden['id']}")

    await change(owner, task, is_completed=False)

    assert (await owner.get(f"/tasks/{successor['id']}")).json()["list_id"] is None


async def test_a_task_that_names_its_successor_as_its_predecessor_keeps_it(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    task = await create_recurring(owner)
    successor = await complete(owner, task)
    assert successor is not None
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        # As an import may have it.
        await connection.execute(
            "UPDATE tasks SET previous_id = %s WHERE id = %s", (successor["id"], task["id"])
        )

    reopened = await change(owner, task, is_completed=False)

    assert reopened.json()["previous_id"] == successor["id"]
    assert len((await owner.get("/tasks")).json()) == 2


async def test_what_is_made_again_leaves_no_tombstone(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    parent, _, _ = await _create_completed(owner)
    await change(owner, parent, is_completed=False)

    counts: list[int] = []
    async with await psycopg.AsyncConnection.connect(proxy.server_url, autocommit=True) as other:
        for _ in range(2):
            cursor = await other.execute("SELECT count(*) FROM task_tombstones")
            [(count,)] = await cursor.fetchall()
            counts.append(count)
            await complete(owner, parent)

    assert counts == [2, 0]
