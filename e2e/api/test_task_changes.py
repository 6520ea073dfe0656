"""Changing a task: PATCH merges, PUT replaces, and the version counts real changes only."""

import asyncio
from typing import Final, cast

import pytest
from httpx import Response

from e2e.support.contract import UNKNOWN_ID, Task, assert_problem, error_locations
from e2e.support.user_client import UserClient, UserClientFactory

Fields = dict[str, object]

OLD_TIMESTAMP: Final = "2020-01-01T00:00:00.000000Z"

WITH_PATCH_AND_PUT: Final = pytest.mark.parametrize("method", ["PATCH", "PUT"])

CHANGE_FIELDS: Final = ("version", "updated_at")
"""Fields that differ after every change, and only then."""

STATUSES: Final = {True: "completed", False: "pending"}


async def send_change(user: UserClient, method: str, task: Task, body: object) -> Response:
    return await user.request(method, f"/tasks/{task['id']}", json=body)


async def change(user: UserClient, method: str, task: Task, body: object) -> Task:
    """Change a task, check that it can be read as returned, and return it."""
    response = await send_change(user, method, task, body)
    assert response.status_code == 200, response.text
    changed = cast("Task", response.json())
    assert await user.get_task(task) == changed
    return changed


def differences(old: Task, new: Task) -> Fields:
    """Return the fields that differ, without those that differ after every change."""
    different_fields: Fields = {}
    for name, value in new.items():
        if value != old[name] and name not in CHANGE_FIELDS:
            different_fields[name] = value
    return different_fields


def whole_task(task: Task, **fields: object) -> Fields:
    """Return a body with all fields of a task, some of them changed."""
    return dict(task) | fields


def assert_pending(task: Task) -> None:
    assert task["is_completed"] is False
    assert task["status"] == "pending"
    assert task["completed_at"] is None


async def create_task(user: UserClient, *, is_completed: bool = False) -> Task:
    return await user.create_task(description="The ferns, too", is_completed=is_completed)


@pytest.mark.parametrize(
    ("body", "changed_fields"),
    [
        ({"title": " Water the garden "}, {"title": "Water the garden"}),
        ({"description": "Not today"}, {"description": "Not today"}),
        ({"description": ""}, {"description": ""}),
        ({"description": None}, {"description": None}),
        ({"title": "Both", "description": None}, {"title": "Both", "description": None}),
    ],
)
@pytest.mark.parametrize("media_type", ["application/json", "application/merge-patch+json"])
async def test_a_patch_changes_the_fields_in_it_and_null_clears(
    as_user: UserClientFactory, media_type: str, body: Fields, changed_fields: Fields
) -> None:
    ann = as_user("ann")
    task = await create_task(ann, is_completed=True)
    ann.headers["Content-Type"] = media_type

    changed = await change(ann, "PATCH", task, body)

    assert differences(task, changed) == changed_fields


async def test_a_put_resets_missing_fields_to_their_defaults(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await create_task(ann, is_completed=True)

    replaced = await change(ann, "PUT", task, {"title": "Water the garden"})

    assert replaced["title"] == "Water the garden"
    assert replaced["description"] is None
    assert_pending(replaced)
    assert replaced["id"] == task["id"]
    assert replaced["created_at"] == task["created_at"]


async def test_a_put_needs_a_title(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await create_task(ann)

    response = await send_change(ann, "PUT", task, {"is_completed": True})

    problem = assert_problem(response, 422, "invalid-body")
    assert error_locations(problem) == [["body", "title"]]
    assert await ann.get_task(task) == task


async def test_a_put_does_not_create_a_task(as_user: UserClientFactory) -> None:
    ann = as_user("ann")

    response = await ann.put(f"/tasks/{UNKNOWN_ID}", json={"title": "New"})

    assert_problem(response, 404, "task-not-found")
    assert await ann.list_tasks() == []


@pytest.mark.parametrize("completed", [{"is_completed": True}, {"status": "completed"}])
@pytest.mark.parametrize("pending", [{"is_completed": False}, {"status": "pending"}])
async def test_completion_has_two_fields_and_a_time(
    as_user: UserClientFactory, completed: Fields, pending: Fields
) -> None:
    ann = as_user("ann")
    task = await create_task(ann)

    completed_task = await change(ann, "PATCH", task, completed)
    renamed_task = await change(ann, "PATCH", task, completed | {"title": "Renamed"})
    reopened_task = await change(ann, "PUT", task, pending | {"title": "Renamed"})

    assert completed_task["is_completed"] is True
    assert completed_task["status"] == "completed"
    assert completed_task["completed_at"] is not None
    assert renamed_task["completed_at"] == completed_task["completed_at"]
    assert_pending(reopened_task)


@pytest.mark.parametrize("is_completed", [True, False])
async def test_a_new_task_may_be_completed_by_either_field(
    as_user: UserClientFactory, *, is_completed: bool
) -> None:
    ann = as_user("ann")
    status = STATUSES[is_completed]

    for completion in (
        {"is_completed": is_completed},
        {"status": status},
        {"is_completed": is_completed, "status": status},
    ):
        response = await ann.post("/tasks", json=completion | {"title": "New"})
        task = response.json()
        assert task["is_completed"] is is_completed
        assert task["status"] == status
        assert (task["completed_at"] is not None) is is_completed


@pytest.mark.parametrize(("is_completed", "status"), [(True, "pending"), (False, "completed")])
async def test_contradictory_completion_fields_are_rejected(
    as_user: UserClientFactory, *, is_completed: bool, status: str
) -> None:
    ann = as_user("ann")
    task = await create_task(ann)
    body = {"title": "Both", "is_completed": is_completed, "status": status}

    assert_problem(await ann.post("/tasks", json=body), 422, "contradiction")
    for method in ("PATCH", "PUT"):
        response = await send_change(ann, method, task, body)
        assert_problem(response, 422, "contradiction")
    assert await ann.list_tasks() == [task]


@WITH_PATCH_AND_PUT
@pytest.mark.parametrize("is_completed", [True, False])
@pytest.mark.parametrize("field", ["is_completed", "status"])
async def test_a_client_may_send_a_whole_task_with_one_completion_field_changed(
    as_user: UserClientFactory, method: str, field: str, *, is_completed: bool
) -> None:
    ann = as_user("ann")
    task = await create_task(ann, is_completed=is_completed)
    opposite: Fields = {"is_completed": not is_completed, "status": STATUSES[not is_completed]}

    body = whole_task(task)
    body[field] = opposite[field]
    changed = await change(ann, method, task, body)

    assert changed["is_completed"] == opposite["is_completed"]
    assert changed["status"] == opposite["status"]
    assert changed["title"] == task["title"]
    assert changed["description"] == task["description"]


@WITH_PATCH_AND_PUT
@pytest.mark.parametrize("is_completed", [True, False])
@pytest.mark.parametrize("field", ["is_completed", "status"])
async def test_a_changed_completion_field_is_recognized_after_changes_elsewhere(
    as_user: UserClientFactory, method: str, field: str, *, is_completed: bool
) -> None:
    ann = as_user("ann")
    old_task = await create_task(ann, is_completed=is_completed)
    changed_elsewhere = await change(ann, "PATCH", old_task, {"is_completed": not is_completed})
    opposite: Fields = {"is_completed": not is_completed, "status": STATUSES[not is_completed]}

    body = whole_task(old_task)
    body[field] = opposite[field]

    assert await change(ann, method, old_task, body) == changed_elsewhere


@WITH_PATCH_AND_PUT
async def test_a_whole_task_changes_only_the_fields_that_differ(
    as_user: UserClientFactory, method: str
) -> None:
    ann = as_user("ann")
    task = await create_task(ann, is_completed=True)

    assert await change(ann, method, task, task) == task
    changed = await change(ann, method, task, whole_task(task, title="New"))
    assert differences(task, changed) == {"title": "New"}


@WITH_PATCH_AND_PUT
@pytest.mark.parametrize(
    "read_only",
    [
        {"created_at": OLD_TIMESTAMP},
        {"updated_at": OLD_TIMESTAMP},
        {"version": 1},
        {"completed_at": OLD_TIMESTAMP},
        {"completed_at": None},
    ],
)
@pytest.mark.parametrize("is_completed", [True, False])
async def test_read_only_fields_are_ignored(
    as_user: UserClientFactory, method: str, read_only: Fields, *, is_completed: bool
) -> None:
    ann = as_user("ann")
    task = await create_task(ann, is_completed=is_completed)
    body = {
        "title": "New",
        "description": task["description"],
        "is_completed": is_completed,
    }

    changed = await change(ann, method, task, body | read_only)

    assert differences(task, changed) == {"title": "New"}


@WITH_PATCH_AND_PUT
async def test_a_body_may_contain_the_id_but_no_other(
    as_user: UserClientFactory, method: str
) -> None:
    ann = as_user("ann")
    task = await create_task(ann)
    other = await ann.create_task("Other")

    for task_id in (task["id"], task["id"].upper()):
        changed = await change(ann, method, task, {"title": "New", "id": task_id})
        assert changed["title"] == "New"
    for task_id in (other["id"], UNKNOWN_ID):
        response = await send_change(ann, method, task, {"title": "Newer", "id": task_id})
        assert_problem(response, 422, "id-mismatch")
    assert [task["title"] for task in await ann.list_tasks()] == ["New", "Other"]


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("PATCH", {}),
        ("PATCH", {"title": "Water the plants"}),
        ("PATCH", {"title": "\u3000Water the plants\n"}),
        ("PATCH", {"description": "The ferns, too", "status": "completed"}),
        ("PATCH", {"is_completed": True, "status": "completed", "version": 1}),
        (
            "PUT",
            {"title": "Water the plants", "description": "The ferns, too", "is_completed": True},
        ),
        (
            "PUT",
            {"title": " Water the plants", "description": "The ferns, too", "status": "completed"},
        ),
    ],
)
async def test_a_change_without_effect_takes_no_version(
    as_user: UserClientFactory, method: str, body: Fields
) -> None:
    ann = as_user("ann")
    task = await create_task(ann, is_completed=True)

    assert await change(ann, method, task, body) == task
    next_task = await ann.create_task()
    assert next_task["version"] == task["version"] + 1


async def test_every_write_of_a_user_increments_the_version(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    first = await ann.create_task("One")
    second = await ann.create_task("Two")
    await as_user("ben").create_task("Something else")

    changed = await change(ann, "PATCH", first, {"title": "Three"})
    replaced = await change(ann, "PUT", second, {"title": "Four"})
    await ann.delete(f"/tasks/{first['id']}")
    missing = await send_change(ann, "PATCH", first, {"title": "Five"})
    assert_problem(missing, 404, "task-not-found")
    invalid = await send_change(ann, "PATCH", second, {"title": ""})
    assert_problem(invalid, 422, "invalid-body")
    last = await ann.create_task("Six")

    assert second["version"] == first["version"] + 1
    assert changed["version"] == first["version"] + 2
    assert replaced["version"] == first["version"] + 3
    # The deletion took one version, too.
    assert last["version"] == first["version"] + 5


async def test_version_and_time_of_change_differ_together(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await create_task(ann)

    changed = await change(ann, "PATCH", task, {"title": "New"})

    assert changed["updated_at"] != task["updated_at"]
    assert changed["version"] == task["version"] + 1
    assert changed["created_at"] == task["created_at"]


@pytest.mark.scenario("S002-SC-009")
async def test_concurrent_changes_of_different_fields_are_all_kept(
    as_user: UserClientFactory,
) -> None:
    ann = as_user("ann")
    task = await create_task(ann)

    responses = await asyncio.gather(
        send_change(ann, "PATCH", task, {"title": "New"}),
        send_change(ann, "PATCH", task, {"description": "New, too"}),
        send_change(ann, "PATCH", task, {"is_completed": True}),
    )

    increments = [response.json()["version"] - task["version"] for response in responses]
    assert sorted(increments) == [1, 2, 3]
    changed = await ann.get_task(task)
    assert changed["title"] == "New"
    assert changed["description"] == "New, too"
    assert changed["is_completed"] is True


async def test_concurrent_creations_take_a_version_each(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    first = await ann.create_task()

    requests = [ann.create_task(f"Number {number}") for number in range(20)]
    tasks = await asyncio.gather(*requests)

    increments = [task["version"] - first["version"] for task in tasks]
    assert sorted(increments) == list(range(1, 21))
    stored_ids = {task["id"] for task in await ann.list_tasks()}
    assert stored_ids == {task["id"] for task in [first, *tasks]}
    assert len(stored_ids) == 21


async def test_of_concurrent_deletions_one_finds_the_task(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await create_task(ann)

    requests = [ann.delete(f"/tasks/{task['id']}") for _ in range(8)]
    responses = await asyncio.gather(*requests)

    statuses = [response.status_code for response in responses]
    assert statuses.count(204) == 1
    assert statuses.count(404) == 7
    next_task = await ann.create_task()
    assert next_task["version"] == task["version"] + 2
