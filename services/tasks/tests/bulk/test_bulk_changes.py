"""PATCH /tasks changes all tasks that match, or none."""

from collections.abc import Mapping
from uuid import uuid4

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
    list_titles,
    problem_code,
)
from ..support.import_export import run_sql

DUE = {"date": "2026-11-30", "time": None, "time_zone": None, "at": None}


@pytest.fixture
def owner(as_user: ClientFactory) -> AsyncClient:
    """Return a client of a user who has nothing yet."""
    return as_user("owner")


async def _change(owner: AsyncClient, query: str, **fields: object) -> JsonObject:
    """Change the tasks that match and return the response."""
    return await json_object(await owner.patch(f"/tasks?{query}", json=fields))


async def _by_title(owner: AsyncClient) -> Mapping[str, JsonObject]:
    """Return all tasks by their titles."""
    return {task["title"]: task for task in (await owner.get("/tasks")).json()}


def _counts(result: JsonObject) -> tuple[object, object]:
    return result["matched"], result["changed"]


@pytest.mark.scenario("S007-AC-12")
async def test_all_tasks_of_a_list_are_completed_and_the_completed_ones_cleared(
    as_user: ClientFactory,
) -> None:
    owner, neighbour = as_user("owner"), as_user("neighbour")
    garden = await create_list(owner)
    await create_task(owner, "1", list_id=garden["id"])
    await create_task(owner, "2", list_id=garden["id"], is_completed=True)
    await create_task(owner, "elsewhere")
    of_neighbour = await create_task(neighbour, "1")
    since = (await owner.get("/tasks/changes")).json()["next"]

    completed = await _change(owner, f"list_id={garden['id']}", status="completed")
    changes = (await owner.get(f"/tasks/changes?since={since}")).json()

    assert _counts(completed) == (2, 1)
    assert field_values(changes["tasks"], "title") == ["1"]
    assert changes["tasks"][0]["completed_at"] is not None

    cleared = await owner.delete(f"/tasks?list_id={garden['id']}&is_completed=true")
    deletions = (await owner.get(f"/tasks/changes?since={changes['next']}")).json()

    assert cleared.json() == {"matched": 2, "deleted": 2, "version": int(deletions["next"])}
    assert len(deletions["deleted"]) == 2
    assert await list_titles(owner) == ["elsewhere"]
    assert (await neighbour.get("/tasks")).json() == [of_neighbour]


async def test_each_field_is_set(owner: AsyncClient) -> None:
    garden = await create_list(owner)
    task = await create_task(owner, description="Kept", labels=["x", "y"])

    await _change(
        owner,
        f"id={task['id']}",
        is_completed=True,
        list_id=garden["id"],
        priority="high",
        due={"date": "2026-11-30"},
        labels_add=["z", "X"],
        labels_remove=["Y", "unknown"],
    )

    changed = (await owner.get(f"/tasks/{task['id']}")).json()
    assert changed == task | {
        "is_completed": True,
        "status": "completed",
        "completed_at": changed["updated_at"],
        "updated_at": changed["updated_at"],
        "version": changed["version"],
        "list_id": garden["id"],
        "priority": "high",
        "due": DUE,
        "labels": ["x", "z"],
    }
    assert set(field_values((await owner.get("/labels")).json(), "name")) == {"x", "y", "z"}


async def test_null_clears_and_absent_fields_stay(owner: AsyncClient) -> None:
    garden = await create_list(owner)
    task = await create_task(
        owner, list_id=garden["id"], due={"date": "2026-11-30"}, priority="low", labels=["x"]
    )

    await _change(owner, f"list_id={garden['id']}", list_id=None, due=None)

    changed = (await owner.get(f"/tasks/{task['id']}")).json()
    assert (changed["list_id"], changed["due"]) == (None, None)
    assert (changed["priority"], changed["labels"]) == ("low", ["x"])


async def test_reopening_clears_the_time_of_completion(owner: AsyncClient) -> None:
    await create_task(owner, "done", is_completed=True)

    await _change(owner, "status=completed", status="pending")

    assert (await _by_title(owner))["done"]["completed_at"] is None


async def test_unchanged_tasks_keep_their_version_and_the_counter_its_value(
    owner: AsyncClient,
) -> None:
    low = await create_task(owner, "low", priority="low", labels=["Home"])
    before = await _by_title(owner)

    unchanged = await _change(owner, "status=pending", priority="low", labels_add=["hOME"])
    unmatched = await _change(owner, "status=completed", labels_add=["new"])
    empty = await _change(owner, "status=pending", labels_add=[], labels_remove=[])

    assert _counts(unchanged) == (1, 0)
    assert _counts(unmatched) == (0, 0)
    assert _counts(empty) == (1, 0)
    assert unchanged["version"] == unmatched["version"] == empty["version"] == low["version"]
    assert await _by_title(owner) == before
    assert field_values((await owner.get("/labels")).json(), "name") == ["Home"]


async def test_each_changed_task_has_a_version_of_its_own_in_the_order_of_position(
    owner: AsyncClient,
) -> None:
    tasks = [await create_task(owner, title) for title in "abc"]
    moved = await owner.post(f"/tasks/{tasks[2]['id']}/move", json={"after": None})
    assert moved.status_code == 200
    since = (await owner.get("/tasks/changes")).json()["next"]

    result = await _change(owner, "status=pending", labels_add=["one", "two"])
    changes = (await owner.get(f"/tasks/changes?since={since}")).json()

    assert field_values(changes["tasks"], "title") == ["c", "a", "b"]
    versions = field_values(changes["labels"] + changes["tasks"], "version")
    assert versions == list(range(int(since) + 1, int(since) + 6))
    assert result["version"] == versions[-1] == int(changes["next"])


async def test_the_version_is_the_tag_of_the_list(owner: AsyncClient) -> None:
    await create_task(owner)

    response = await owner.patch("/tasks?status=pending", json={"priority": "low"})
    listed = await owner.get("/tasks")

    assert response.headers["etag"] == f'"{response.json()["version"]}"' == listed.headers["etag"]


async def test_if_match_is_the_tag_of_the_list(owner: AsyncClient) -> None:
    await create_task(owner, "1")
    old = {"If-Match": (await owner.get("/tasks")).headers["etag"]}
    await create_task(owner, "2")
    before = (await owner.get("/tasks")).json()

    changed = await owner.patch("/tasks?status=pending", json={"priority": "low"}, headers=old)
    deleted = await owner.delete("/tasks?status=pending", headers=old)

    assert problem_code(changed) == (412, "version-mismatch")
    assert problem_code(deleted) == (412, "version-mismatch")
    assert (await owner.get("/tasks")).json() == before

    current = {"If-Match": (await owner.get("/tasks")).headers["etag"]}
    changed = await owner.patch("/tasks?status=pending", json={"priority": "low"}, headers=current)
    deleted = await owner.delete(
        "/tasks?status=pending", headers={"If-Match": f'"1", {changed.headers["etag"]}'}
    )

    assert (changed.status_code, deleted.status_code) == (200, 200)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("is_completed=true", ["B"]),
        ("status=pending", ["A", "C"]),
        ("q=b", ["B"]),
        ("list_id=none", ["A", "C"]),
        ("list_id={garden}", ["B"]),
        ("label=X", ["A", "B"]),
        ("label=x&label=y", ["B"]),
        ("priority=low&priority=high", ["A", "B"]),
        ("due_before=2026-01-01", ["A"]),
        ("due_after=2026-01-01", ["B"]),
        ("overdue=true&time_zone=Europe/Berlin", ["A"]),
        ("overdue=false", ["B", "C"]),
        ("parent_id=none", ["A", "B", "C"]),
        ("parent_id={garden}", []),
        ("label=x&priority=high", ["B"]),
        ("id={garden}", []),
    ],
)
async def test_the_filters_are_those_of_the_list(
    owner: AsyncClient, query: str, titles: list[str]
) -> None:
    garden = await create_list(owner)
    await create_task(owner, "A", labels=["x"], priority="low", due={"date": "2020-01-01"})
    await create_task(
        owner,
        "B",
        labels=["x", "y"],
        priority="high",
        due={"date": "2199-01-01"},
        list_id=garden["id"],
        is_completed=True,
    )
    await create_task(owner, "C")

    result = await _change(owner, query.format(garden=garden["id"]), labels_add=["changed"])

    assert await list_titles(owner, label="changed") == titles
    assert _counts(result) == (len(titles), len(titles))


async def test_ids_may_be_repeated_and_of_another_user(as_user: ClientFactory) -> None:
    owner, neighbour = as_user("owner"), as_user("neighbour")
    task = await create_task(owner)
    foreign = await create_task(neighbour)
    ids = [task["id"], str(task["id"]).upper(), foreign["id"], uuid4()]
    query = "&".join([f"id={task_id}" for task_id in ids])

    assert _counts(await _change(owner, query, priority="high")) == (1, 1)
    assert (await owner.delete(f"/tasks?{query}")).json()["deleted"] == 1
    assert (await neighbour.get("/tasks")).json() == [foreign]


async def test_a_list_that_the_user_does_not_have_changes_nothing(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    foreign = await create_list(as_user("neighbour"))
    task = await create_task(owner)

    for list_id in (foreign["id"], str(uuid4())):
        response = await owner.patch(
            "/tasks?status=pending", json={"list_id": list_id, "priority": "low"}
        )
        assert problem_code(response) == (422, "list-not-found")

    assert (await owner.get("/tasks")).json() == [task]


async def test_a_task_has_twenty_labels_at_most(owner: AsyncClient) -> None:
    names = [f"{number:02}" for number in range(20)]
    await create_task(owner, "full", labels=names)
    await create_task(owner, "empty")
    before = await _by_title(owner)

    full = await owner.patch("/tasks?status=pending", json={"labels_add": ["one more"]})

    assert problem_code(full) == (422, "quota-exceeded")
    assert await _by_title(owner) == before

    swapped = await _change(owner, "label=00", labels_add=["one more"], labels_remove=["00"])
    readded = await _change(owner, "label=01", labels_add=["01", "02"])

    assert (_counts(swapped), _counts(readded)) == ((1, 1), (1, 0))
    assert (await _by_title(owner))["full"]["labels"] == [*names[1:], "one more"]


async def test_a_user_has_five_hundred_labels_at_most(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    task = await create_task(owner, labels=["old"])
    await run_sql(proxy, "UPDATE owners SET label_count = 499")

    full = await owner.patch("/tasks?status=pending", json={"labels_add": ["new", "newer"]})
    assert problem_code(full) == (422, "quota-exceeded")
    assert (await owner.get("/tasks")).json() == [task]

    # Nothing matches, so that no label would be made.
    assert _counts(await _change(owner, "status=completed", labels_add=["new", "newer"])) == (0, 0)
    assert _counts(await _change(owner, "status=pending", labels_add=["new", "old"])) == (1, 1)
    assert await run_sql(proxy, "SELECT label_count FROM owners") == [(500,)]


async def test_a_task_that_repeats_keeps_a_due_date(owner: AsyncClient) -> None:
    recurrence = {"rule": "FREQ=DAILY", "from": "due"}
    await create_task(owner, "once", due={"date": "2026-11-30"})
    await create_task(owner, "daily", due={"date": "2026-11-30"}, recurrence=recurrence)
    before = await _by_title(owner)

    response = await owner.patch("/tasks?status=pending", json={"due": None, "priority": "low"})

    assert problem_code(response) == (422, "recurrence-without-due")
    assert await _by_title(owner) == before
    postponed = await _change(owner, "status=pending", due={"date": "2026-12-24"})
    assert _counts(postponed) == (2, 2)
    assert (await _by_title(owner))["daily"]["recurrence"] == recurrence
