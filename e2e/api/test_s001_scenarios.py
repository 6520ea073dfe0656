"""Backend Core & Data Layer: its acceptance scenarios, with requests as that specification writes them.

It passes `user_id`; here a token says who that is, and `user_id` may say it once more.
"""

import re
from datetime import datetime, timedelta

import pytest

from e2e.support.contract import (
    PROTECTED_PATHS,
    TIMESTAMP,
    UNKNOWN_ID,
    Task,
    assert_problem,
    error_locations,
)
from e2e.support.user_client import UserClientFactory


@pytest.mark.scenario("S001-US1.1", "S001-FR-004")
async def test_a_task_is_created_for_the_user_who_is_named(as_user: UserClientFactory) -> None:
    ann = as_user("ann")

    response = await ann.post("/tasks", json={"title": "Water the plants", "user_id": ann.id})

    assert response.status_code == 201
    task: Task = response.json()
    assert (task["title"], task["is_completed"], task["user_id"]) == (
        "Water the plants",
        False,
        ann.id,
    )
    assert response.headers["location"] == f"/tasks/{task['id']}"
    assert await ann.list_tasks() == [task]


@pytest.mark.scenario("S001-US1.2")
async def test_a_task_without_a_title_is_not_created(as_user: UserClientFactory) -> None:
    ann = as_user("ann")

    response = await ann.post("/tasks", json={"user_id": ann.id})

    assert error_locations(assert_problem(response, 422, "invalid-body")) == [["body", "title"]]
    assert await ann.list_tasks() == []


@pytest.mark.scenario("S001-US2.1", "S001-SC-003")
async def test_the_list_has_the_tasks_of_the_user_who_is_named_and_no_others(
    as_user: UserClientFactory,
) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    of_ann = [await ann.create_task("One"), await ann.create_task("Two")]
    of_ben = [await ben.create_task("Three")]

    for user, tasks in ((ann, of_ann), (ben, of_ben)):
        response = await user.get("/tasks", params={"user_id": user.id})
        assert (response.status_code, response.json()) == (200, tasks)


@pytest.mark.scenario("S001-US2.2")
async def test_the_list_of_a_user_without_tasks_is_an_empty_array(
    as_user: UserClientFactory,
) -> None:
    ann = as_user("ann")

    response = await ann.get("/tasks", params={"user_id": ann.id})

    assert (response.status_code, response.content) == (200, b"[]")


@pytest.mark.scenario("S001-FR-005")
async def test_one_task_is_shown_to_its_owner_and_missing_for_everybody_else(
    as_user: UserClientFactory,
) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    path = f"/tasks/{(await ann.create_task())['id']}"

    assert (await ann.get(path, params={"user_id": ann.id})).status_code == 200
    assert_problem(await ben.get(path, params={"user_id": ben.id}), 404, "task-not-found")


@pytest.mark.scenario("S001-US3.1")
@pytest.mark.parametrize("change", [{"is_completed": True}, {"title": "Water the garden"}])
async def test_owners_change_their_task(
    as_user: UserClientFactory, change: dict[str, object]
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()

    response = await ann.patch(f"/tasks/{task['id']}", json={**change, "user_id": ann.id})

    assert response.status_code == 200
    assert change.items() <= response.json().items()
    assert await ann.get_task(task) == response.json()


@pytest.mark.scenario("S001-US3.2")
async def test_somebody_elses_task_is_not_changed(as_user: UserClientFactory) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    task, of_ben = await ann.create_task(), await ben.create_task()

    response = await ben.patch(f"/tasks/{task['id']}", json={"title": "Mine", "user_id": ben.id})

    assert_problem(response, 404, "task-not-found")
    assert (await ann.list_tasks(), await ben.list_tasks()) == ([task], [of_ben])


@pytest.mark.scenario("S001-US3.3")
async def test_a_task_that_does_not_exist_is_not_changed(as_user: UserClientFactory) -> None:
    ann = as_user("ann")

    assert_problem(
        await ann.patch(f"/tasks/{UNKNOWN_ID}", json={"is_completed": True}), 404, "task-not-found"
    )
    assert await ann.list_tasks() == []


@pytest.mark.scenario("S001-US4.1")
async def test_owners_delete_their_task(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task, other = await ann.create_task("One"), await ann.create_task("Two")

    response = await ann.request("DELETE", f"/tasks/{task['id']}", json={"user_id": ann.id})

    assert (response.status_code, response.content) == (204, b"")
    assert await ann.list_tasks() == [other]


@pytest.mark.scenario("S001-US4.2")
async def test_somebody_elses_task_is_not_deleted(as_user: UserClientFactory) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    task, of_ben = await ann.create_task(), await ben.create_task()

    response = await ben.request("DELETE", f"/tasks/{task['id']}", json={"user_id": ben.id})

    assert_problem(response, 404, "task-not-found")
    assert (await ann.list_tasks(), await ben.list_tasks()) == ([task], [of_ben])


@pytest.mark.scenario("S001-US4.3")
async def test_a_task_that_does_not_exist_is_not_deleted(as_user: UserClientFactory) -> None:
    assert_problem(await as_user("ann").delete(f"/tasks/{UNKNOWN_ID}"), 404, "task-not-found")


@pytest.mark.scenario("S001-FR-001", "S001-FR-006", "S001-FR-007", "S001-SC-001")
async def test_a_task_lives_its_whole_life_over_http(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    made = await ann.post("/tasks", json={"title": "Water the plants"})
    path: str = made.headers["location"]

    steps = [
        made,
        await ann.get(path),
        await ann.patch(path, json={"is_completed": True}),
        await ann.put(path, json={"title": "Water the garden"}),
        await ann.delete(path),
        await ann.get(path),
        await ann.delete(path),
    ]

    assert [step.status_code for step in steps] == [201, 200, 200, 200, 204, 404, 404]


@pytest.mark.scenario("S001-FR-008")
async def test_times_are_in_utc_with_microseconds(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await ann.create_task(is_completed=True)
    profile = (await ann.get("/users/me")).json()

    times = [
        task["created_at"],
        task["updated_at"],
        task["completed_at"],
        profile["created_at"],
        profile["updated_at"],
    ]

    for time in times:
        assert isinstance(time, str)
        assert TIMESTAMP.fullmatch(time)
        assert datetime.fromisoformat(time).utcoffset() == timedelta(0)


@pytest.mark.scenario("S001-SC-005")
async def test_the_documentation_lists_every_address(as_user: UserClientFactory) -> None:
    document = (await as_user("ann").get("/openapi.json")).json()

    listed = {
        re.sub(r"\{.*?\}", "{}", path): set(methods) for path, methods in document["paths"].items()
    }
    for path, methods in PROTECTED_PATHS.items():
        assert {method.lower() for method in methods} <= listed[re.sub(r"\{.*?\}", "{}", path)]
