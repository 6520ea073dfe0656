"""Acceptance scenarios of "Backend Core & Data Layer", with the requests of that specification.

Its requests contain `user_id`; here the token identifies the user, and `user_id` may repeat it.
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
async def test_a_task_is_created_for_the_named_user(as_user: UserClientFactory) -> None:
    ann = as_user("ann")

    response = await ann.post("/tasks", json={"title": "Water the plants", "user_id": ann.id})

    assert response.status_code == 201
    task: Task = response.json()
    assert task["title"] == "Water the plants"
    assert task["is_completed"] is False
    assert task["user_id"] == ann.id
    assert response.headers["location"] == f"/tasks/{task['id']}"
    assert await ann.list_tasks() == [task]


@pytest.mark.scenario("S001-US1.2")
async def test_a_task_without_a_title_is_not_created(as_user: UserClientFactory) -> None:
    ann = as_user("ann")

    response = await ann.post("/tasks", json={"user_id": ann.id})

    problem = assert_problem(response, 422, "invalid-body")
    assert error_locations(problem) == [["body", "title"]]
    assert await ann.list_tasks() == []


@pytest.mark.scenario("S001-US2.1", "S001-SC-003")
async def test_a_list_contains_the_tasks_of_the_named_user_and_no_others(
    as_user: UserClientFactory,
) -> None:
    ann = as_user("ann")
    ben = as_user("ben")
    first = await ann.create_task("One")
    second = await ann.create_task("Two")
    third = await ben.create_task("Three")

    assert await ann.list_tasks(user_id=ann.id) == [first, second]
    assert await ben.list_tasks(user_id=ben.id) == [third]


@pytest.mark.scenario("S001-US2.2")
async def test_the_list_of_a_user_without_tasks_is_an_empty_array(
    as_user: UserClientFactory,
) -> None:
    ann = as_user("ann")

    response = await ann.get("/tasks", params={"user_id": ann.id})

    assert response.status_code == 200
    assert response.content == b"[]"


@pytest.mark.scenario("S001-FR-005")
async def test_another_users_task_looks_missing(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    ben = as_user("ben")
    task = await ann.create_task()
    path = f"/tasks/{task['id']}"

    own = await ann.get(path, params={"user_id": ann.id})
    foreign = await ben.get(path, params={"user_id": ben.id})

    assert own.status_code == 200
    assert_problem(foreign, 404, "task-not-found")


@pytest.mark.scenario("S001-US3.1")
@pytest.mark.parametrize("change", [{"is_completed": True}, {"title": "Water the garden"}])
async def test_users_change_their_tasks(
    as_user: UserClientFactory, change: dict[str, object]
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()

    response = await ann.patch(f"/tasks/{task['id']}", json=change | {"user_id": ann.id})

    assert response.status_code == 200
    assert change.items() <= response.json().items()
    assert await ann.get_task(task) == response.json()


@pytest.mark.scenario("S001-US3.2")
async def test_another_users_task_is_not_changed(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    ben = as_user("ben")
    task = await ann.create_task()
    task_of_ben = await ben.create_task()

    response = await ben.patch(f"/tasks/{task['id']}", json={"title": "Mine", "user_id": ben.id})

    assert_problem(response, 404, "task-not-found")
    assert await ann.list_tasks() == [task]
    assert await ben.list_tasks() == [task_of_ben]


@pytest.mark.scenario("S001-US3.3")
async def test_a_task_that_does_not_exist_is_not_changed(as_user: UserClientFactory) -> None:
    ann = as_user("ann")

    response = await ann.patch(f"/tasks/{UNKNOWN_ID}", json={"is_completed": True})

    assert_problem(response, 404, "task-not-found")
    assert await ann.list_tasks() == []


@pytest.mark.scenario("S001-US4.1")
async def test_users_delete_their_tasks(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await ann.create_task("One")
    other_task = await ann.create_task("Two")

    response = await ann.request("DELETE", f"/tasks/{task['id']}", json={"user_id": ann.id})

    assert response.status_code == 204
    assert response.content == b""
    assert await ann.list_tasks() == [other_task]


@pytest.mark.scenario("S001-US4.2")
async def test_another_users_task_is_not_deleted(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    ben = as_user("ben")
    task = await ann.create_task()
    task_of_ben = await ben.create_task()

    response = await ben.request("DELETE", f"/tasks/{task['id']}", json={"user_id": ben.id})

    assert_problem(response, 404, "task-not-found")
    assert await ann.list_tasks() == [task]
    assert await ben.list_tasks() == [task_of_ben]


@pytest.mark.scenario("S001-US4.3")
async def test_a_task_that_does_not_exist_is_not_deleted(as_user: UserClientFactory) -> None:
    response = await as_user("ann").delete(f"/tasks/{UNKNOWN_ID}")

    assert_problem(response, 404, "task-not-found")


@pytest.mark.scenario("S001-FR-001", "S001-FR-006", "S001-FR-007", "S001-SC-001")
async def test_a_task_is_created_read_changed_replaced_and_deleted(
    as_user: UserClientFactory,
) -> None:
    ann = as_user("ann")
    created = await ann.post("/tasks", json={"title": "Water the plants"})
    path: str = created.headers["location"]

    responses = [
        created,
        await ann.get(path),
        await ann.patch(path, json={"is_completed": True}),
        await ann.put(path, json={"title": "Water the garden"}),
        await ann.delete(path),
        await ann.get(path),
        await ann.delete(path),
    ]

    statuses = [response.status_code for response in responses]
    assert statuses == [201, 200, 200, 200, 204, 404, 404]


@pytest.mark.scenario("S001-FR-008")
async def test_timestamps_are_in_utc_with_microseconds(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await ann.create_task(is_completed=True)
    profile = (await ann.get("/users/me")).json()

    timestamps = [
        task["created_at"],
        task["updated_at"],
        task["completed_at"],
        profile["created_at"],
        profile["updated_at"],
    ]

    for timestamp in timestamps:
        assert isinstance(timestamp, str)
        assert TIMESTAMP.fullmatch(timestamp)
        assert datetime.fromisoformat(timestamp).utcoffset() == timedelta(0)


@pytest.mark.scenario("S001-SC-005")
async def test_the_openapi_document_contains_every_path(as_user: UserClientFactory) -> None:
    response = await as_user("ann").get("/openapi.json")

    documented_methods: dict[str, set[str]] = {}
    for path, operations in response.json()["paths"].items():
        documented_methods[without_parameter_names(path)] = set(operations)
    for path, methods in PROTECTED_PATHS.items():
        for method in methods:
            assert method.lower() in documented_methods[without_parameter_names(path)]


def without_parameter_names(path: str) -> str:
    """Replace every `{name}` in a path by `{}`."""
    return re.sub(r"\{.*?\}", "{}", path)
