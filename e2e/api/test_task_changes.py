"""Changes: PATCH merges, PUT replaces, and a version counts what really changed."""

import asyncio
from typing import Final, cast

import pytest
from httpx import Response

from e2e.support.contract import UNKNOWN_ID, Task, assert_problem, error_locations
from e2e.support.user_client import UserClient, UserClientFactory

OLD: Final = "2020-01-01T00:00:00.000000Z"

BOTH: Final = pytest.mark.parametrize("method", ["PATCH", "PUT"])

CHANGING: Final = ("version", "updated_at")
"""What moves with every change, and only then."""


async def send(user: UserClient, method: str, task: Task, body: object) -> Response:
    return await user.request(method, f"/tasks/{task['id']}", json=body)


async def change(user: UserClient, method: str, task: Task, body: object) -> Task:
    response = await send(user, method, task, body)
    assert response.status_code == 200, response.text
    changed = cast("Task", response.json())
    assert await user.get_task(task) == changed
    return changed


def differences(old: Task, new: Task) -> dict[str, object]:
    return {
        name: value for name, value in new.items() if value != old[name] and name not in CHANGING
    }


async def a_task(user: UserClient, *, completed: bool = False) -> Task:
    return await user.create_task(description="The ferns, too", is_completed=completed)


@pytest.mark.parametrize(
    ("sent", "changed"),
    [
        ({"title": " Water the garden "}, {"title": "Water the garden"}),
        ({"description": "Not today"}, {"description": "Not today"}),
        ({"description": ""}, {"description": ""}),
        ({"description": None}, {"description": None}),
        ({"title": "Both", "description": None}, {"title": "Both", "description": None}),
    ],
)
@pytest.mark.parametrize("media_type", ["application/json", "application/merge-patch+json"])
async def test_a_patch_changes_what_it_names_and_null_clears(
    as_user: UserClientFactory,
    media_type: str,
    sent: dict[str, str | None],
    changed: dict[str, str | None],
) -> None:
    ann = as_user("ann")
    task = await a_task(ann, completed=True)
    ann.headers["Content-Type"] = media_type

    assert differences(task, await change(ann, "PATCH", task, sent)) == changed


async def test_a_put_sends_what_it_does_not_name_to_its_default(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await a_task(ann, completed=True)

    replaced = await change(ann, "PUT", task, {"title": "Water the garden"})

    assert (replaced["title"], replaced["description"]) == ("Water the garden", None)
    assert (replaced["is_completed"], replaced["status"], replaced["completed_at"]) == (
        False,
        "pending",
        None,
    )
    assert (replaced["id"], replaced["created_at"]) == (task["id"], task["created_at"])


async def test_a_put_needs_a_title(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await a_task(ann)

    problem = assert_problem(
        await send(ann, "PUT", task, {"is_completed": True}), 422, "invalid-body"
    )
    assert error_locations(problem) == [["body", "title"]]
    assert await ann.get_task(task) == task


async def test_a_put_makes_nothing(as_user: UserClientFactory) -> None:
    ann = as_user("ann")

    assert_problem(
        await ann.put(f"/tasks/{UNKNOWN_ID}", json={"title": "New"}), 404, "task-not-found"
    )
    assert await ann.list_tasks() == []


@pytest.mark.parametrize("sent", [{"is_completed": True}, {"status": "completed"}])
@pytest.mark.parametrize("undone", [{"is_completed": False}, {"status": "pending"}])
async def test_completion_has_two_spellings_and_a_time(
    as_user: UserClientFactory, sent: dict[str, object], undone: dict[str, object]
) -> None:
    ann = as_user("ann")
    task = await a_task(ann)

    done = await change(ann, "PATCH", task, sent)
    renamed = await change(ann, "PATCH", task, {"title": "Renamed", **sent})
    reopened = await change(ann, "PUT", task, {"title": "Renamed", **undone})

    assert (done["is_completed"], done["status"]) == (True, "completed")
    assert done["completed_at"] is not None
    assert renamed["completed_at"] == done["completed_at"]
    assert (reopened["is_completed"], reopened["status"], reopened["completed_at"]) == (
        False,
        "pending",
        None,
    )


@pytest.mark.parametrize("completed", [True, False])
async def test_a_new_task_may_be_completed_in_either_spelling(
    as_user: UserClientFactory, *, completed: bool
) -> None:
    ann = as_user("ann")
    word = "completed" if completed else "pending"

    for fields in (
        {"is_completed": completed},
        {"status": word},
        {"is_completed": completed, "status": word},
    ):
        task = (await ann.post("/tasks", json={"title": "New", **fields})).json()
        assert (task["is_completed"], task["status"]) == (completed, word)
        assert (task["completed_at"] is not None) is completed


@pytest.mark.parametrize(("completed", "status"), [(True, "pending"), (False, "completed")])
async def test_spellings_that_contradict_each_other_are_refused(
    as_user: UserClientFactory, *, completed: bool, status: str
) -> None:
    ann = as_user("ann")
    task = await a_task(ann)
    body = {"title": "Both", "is_completed": completed, "status": status}

    assert_problem(await ann.post("/tasks", json=body), 422, "contradiction")
    for method in ("PATCH", "PUT"):
        assert_problem(await send(ann, method, task, body), 422, "contradiction")
    assert await ann.list_tasks() == [task]


@BOTH
@pytest.mark.parametrize("completed", [True, False])
@pytest.mark.parametrize("field", ["is_completed", "status"])
async def test_whoever_sends_a_whole_task_back_may_flip_the_field_they_know(
    as_user: UserClientFactory, method: str, field: str, *, completed: bool
) -> None:
    ann = as_user("ann")
    task = await a_task(ann, completed=completed)
    flipped = {"is_completed": not completed, "status": "pending" if completed else "completed"}

    changed = await change(ann, method, task, {**task, field: flipped[field]})

    assert (changed["is_completed"], changed["status"]) == (
        flipped["is_completed"],
        flipped["status"],
    )
    assert (changed["title"], changed["description"]) == (task["title"], task["description"])


@BOTH
@pytest.mark.parametrize("completed", [True, False])
@pytest.mark.parametrize("field", ["is_completed", "status"])
async def test_what_was_read_says_which_field_was_flipped_whatever_became_of_the_task(
    as_user: UserClientFactory, method: str, field: str, *, completed: bool
) -> None:
    ann = as_user("ann")
    read = await a_task(ann, completed=completed)
    elsewhere = await change(ann, "PATCH", read, {"is_completed": not completed})
    flipped = {"is_completed": not completed, "status": "pending" if completed else "completed"}

    assert await change(ann, method, read, {**read, field: flipped[field]}) == elsewhere


@BOTH
async def test_a_whole_task_sent_back_changes_only_what_differs(
    as_user: UserClientFactory, method: str
) -> None:
    ann = as_user("ann")
    task = await a_task(ann, completed=True)

    assert await change(ann, method, task, task) == task
    assert differences(task, await change(ann, method, task, {**task, "title": "New"})) == {
        "title": "New"
    }


@BOTH
@pytest.mark.parametrize(
    "read_only",
    [
        {"created_at": OLD},
        {"updated_at": OLD},
        {"version": 1},
        {"completed_at": OLD},
        {"completed_at": None},
    ],
)
@pytest.mark.parametrize("completed", [True, False])
async def test_what_the_service_writes_may_be_sent_and_is_ignored(
    as_user: UserClientFactory, method: str, read_only: dict[str, object], *, completed: bool
) -> None:
    ann = as_user("ann")
    task = await a_task(ann, completed=completed)
    body = {
        "title": "New",
        "description": task["description"],
        "is_completed": completed,
        **read_only,
    }

    assert differences(task, await change(ann, method, task, body)) == {"title": "New"}


@BOTH
async def test_the_id_may_be_sent_but_not_another_one(
    as_user: UserClientFactory, method: str
) -> None:
    ann = as_user("ann")
    task, other = await a_task(ann), await ann.create_task("Other")

    for named in (task["id"], task["id"].upper()):
        assert (await change(ann, method, task, {"title": "New", "id": named}))["title"] == "New"
    for named in (other["id"], UNKNOWN_ID):
        assert_problem(
            await send(ann, method, task, {"title": "Newer", "id": named}), 422, "id-mismatch"
        )
    assert [each["title"] for each in await ann.list_tasks()] == ["New", "Other"]


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
async def test_a_change_that_changes_nothing_leaves_no_trace(
    as_user: UserClientFactory, method: str, body: dict[str, object]
) -> None:
    ann = as_user("ann")
    task = await a_task(ann, completed=True)

    assert await change(ann, method, task, body) == task
    assert (await ann.create_task())["version"] == task["version"] + 1


async def test_every_write_of_a_user_raises_the_version_by_one(as_user: UserClientFactory) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    one, two = await ann.create_task("One"), await ann.create_task("Two")
    await ben.create_task("Something else")

    changed = await change(ann, "PATCH", one, {"title": "Three"})
    replaced = await change(ann, "PUT", two, {"title": "Four"})
    await ann.delete(f"/tasks/{one['id']}")
    assert_problem(await send(ann, "PATCH", one, {"title": "Five"}), 404, "task-not-found")
    assert_problem(await send(ann, "PATCH", two, {"title": ""}), 422, "invalid-body")
    last = await ann.create_task("Six")

    versions = [task["version"] for task in (one, two, changed, replaced, last)]
    assert versions == [one["version"] + step for step in (0, 1, 2, 3, 5)]


async def test_version_and_time_of_change_move_together(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await a_task(ann)

    changed = await change(ann, "PATCH", task, {"title": "New"})

    assert changed["updated_at"] != task["updated_at"]
    assert (changed["version"], changed["created_at"]) == (task["version"] + 1, task["created_at"])


@pytest.mark.scenario("S002-SC-009")
async def test_changes_of_different_fields_at_the_same_time_are_all_kept(
    as_user: UserClientFactory,
) -> None:
    ann = as_user("ann")
    task = await a_task(ann)
    bodies = [{"title": "New"}, {"description": "New, too"}, {"is_completed": True}]

    changed = await asyncio.gather(*(send(ann, "PATCH", task, body) for body in bodies))

    assert sorted(response.json()["version"] - task["version"] for response in changed) == [1, 2, 3]
    last = await ann.get_task(task)
    assert (last["title"], last["description"], last["is_completed"]) == ("New", "New, too", True)


async def test_writes_at_the_same_time_take_a_version_each(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    first = await ann.create_task()

    tasks = await asyncio.gather(*(ann.create_task(f"Number {number}") for number in range(20)))

    assert sorted(task["version"] for task in tasks) == [
        first["version"] + step for step in range(1, 21)
    ]
    assert sorted(task["id"] for task in await ann.list_tasks()) == sorted(
        task["id"] for task in [first, *tasks]
    )


async def test_of_many_deletions_at_the_same_time_one_finds_the_task(
    as_user: UserClientFactory,
) -> None:
    ann = as_user("ann")
    task = await a_task(ann)

    responses = await asyncio.gather(*(ann.delete(f"/tasks/{task['id']}") for _ in range(8)))

    assert sorted(response.status_code for response in responses) == [204, *[404] * 7]
    assert (await ann.create_task())["version"] == task["version"] + 2
