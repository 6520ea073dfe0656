"""Acceptance scenarios of "Backend API & Database Layer"; those with restarts are in `whitebox`."""

from uuid import UUID

import httpx
import pytest

from e2e.support.contract import (
    PROTECTED_PATHS,
    TIMESTAMP,
    UNKNOWN_ID,
    Profile,
    Task,
    assert_problem,
)
from e2e.support.user_client import UserClient, UserClientFactory

ENDPOINTS = [(method, path) for path, methods in PROTECTED_PATHS.items() for method in methods]


@pytest.mark.scenario("S002-US1.1", "S002-FR-004", "S002-SC-003")
@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
async def test_every_endpoint_needs_a_token(
    as_user: UserClientFactory, anonymous: httpx.AsyncClient, method: str, path: str
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()
    url = path.format(task=task["id"], user=ann.id)

    response = await anonymous.request(method, url, json={"title": "Mine"})

    assert_problem(response, 401, "token-missing")
    assert await ann.list_tasks() == [task]


@pytest.mark.scenario("S002-US1.1", "S002-FR-001", "S002-SC-003")
async def test_a_token_of_another_secret_is_invalid(
    base_url: str, transport: httpx.AsyncHTTPTransport, as_user: UserClientFactory
) -> None:
    ann = as_user("ann")
    forger = UserClient(base_url, transport, "another secret, which is long enough", ann.subject)

    for path in ("/tasks", "/users/me"):
        accepted = await ann.get(path)
        rejected = await forger.get(path)
        assert accepted.status_code == 200
        assert_problem(rejected, 401, "token-invalid")


@pytest.mark.scenario("S002-US1.2", "S002-FR-001")
async def test_a_valid_token_gives_access_to_the_users_data(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await ann.create_task()

    assert await ann.list_tasks() == [task]
    assert await ann.get_task(task) == task
    profile = await ann.get("/users/me")
    assert profile.status_code == 200
    assert profile.json()["id"] == ann.id


@pytest.mark.scenario("S002-US1.3")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/users/{other}", {}),
        ("GET", "/tasks?user_id={other}", {}),
        ("POST", "/tasks", {"title": "Water the plants", "user_id": "{other}"}),
    ],
)
async def test_naming_another_user_is_forbidden(
    as_user: UserClientFactory, method: str, path: str, body: dict[str, str]
) -> None:
    ann = as_user("ann")
    ben = as_user("ben")
    task = await ben.create_task()

    formatted_body = {name: text.format(other=ben.id) for name, text in body.items()}
    response = await ann.request(method, path.format(other=ben.id), json=formatted_body or None)

    assert_problem(response, 403, "other-user")
    assert await ann.list_tasks() == []
    assert await ben.list_tasks() == [task]


@pytest.mark.scenario("S002-US2.1", "S002-SC-005")
async def test_a_new_task_is_stored_with_the_id_of_its_user(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await ann.create_task("Water the plants", description="The ferns, too")

    assert task["user_id"] == ann.id
    assert await ann.get_task(task) == task


@pytest.mark.scenario("S002-US2.2", "S002-FR-003", "S002-SC-006")
async def test_a_list_contains_only_the_users_own_tasks(as_user: UserClientFactory) -> None:
    users = [as_user(name) for name in ("ann", "ben", "eve")]
    created: dict[str, list[Task]] = {}
    for user in users:
        created[user.id] = [await user.create_task(f"Number {number}") for number in range(3)]

    for user in users:
        assert await user.list_tasks() == created[user.id]


@pytest.mark.scenario("S002-US2.3")
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_a_change_affects_one_task_of_one_user(
    as_user: UserClientFactory, method: str
) -> None:
    ann = as_user("ann")
    ben = as_user("ben")
    task = await ann.create_task("One")
    other_task = await ann.create_task("Two")
    task_of_ben = await ben.create_task("One")

    body = {"title": "Three", "status": "completed"}
    response = await ann.request(method, f"/tasks/{task['id']}", json=body)

    assert response.status_code == 200
    changed = response.json()
    assert changed["title"] == "Three"
    assert changed["status"] == "completed"
    assert await ann.list_tasks() == [changed, other_task]
    assert await ben.list_tasks() == [task_of_ben]


@pytest.mark.scenario("S002-US2.4")
async def test_a_deletion_affects_one_task_of_one_user(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    ben = as_user("ben")
    task = await ann.create_task("One")
    other_task = await ann.create_task("Two")
    task_of_ben = await ben.create_task("One")

    response = await ann.delete(f"/tasks/{task['id']}")

    assert response.status_code == 204
    assert await ann.list_tasks() == [other_task]
    assert await ben.list_tasks() == [task_of_ben]


@pytest.mark.scenario("S002-US4.1", "S002-SC-002")
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"title": 1}', b'{"title": "x", "is_completed": "no"}']
)
async def test_a_body_of_the_wrong_format_is_a_bad_request(
    as_user: UserClientFactory, body: bytes
) -> None:
    ann = as_user("ann")

    response = await ann.post("/tasks", content=body)

    assert_problem(response, 400, "bad-request")
    assert await ann.list_tasks() == []


@pytest.mark.scenario("S002-US4.2", "S002-SC-002")
async def test_a_missing_field_is_named(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await ann.create_task()

    created = await ann.post("/tasks", json={})
    replaced = await ann.put(f"/tasks/{task['id']}", json={})

    for response in (created, replaced):
        problem = assert_problem(response, 422, "invalid-body")
        [error] = problem.get("errors", [])
        assert error["location"] == ["body", "title"]
        assert error["code"] == "missing"
    assert await ann.list_tasks() == [task]


@pytest.mark.scenario("S002-US4.3", "S002-FR-008", "S002-FR-012")
async def test_a_task_has_every_field_with_its_type(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    pending = await ann.create_task()
    completed = await ann.create_task(description="The ferns, too", is_completed=True)

    for task in (pending, completed):
        assert set(task) == Task.__required_keys__
        assert str(UUID(task["id"])) == task["id"]
        assert UUID(task["id"]).version == 7
        assert TIMESTAMP.fullmatch(task["created_at"])
        assert type(task["version"]) is int
    assert pending["description"] is None
    assert pending["is_completed"] is False
    assert pending["status"] == "pending"
    assert pending["completed_at"] is None
    assert completed["description"] == "The ferns, too"
    assert completed["is_completed"] is True
    assert completed["status"] == "completed"
    assert completed["completed_at"] is not None


@pytest.mark.scenario("S002-US4.3", "S002-FR-008", "S002-SC-004")
async def test_a_profile_has_every_field_with_its_type(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    profile: Profile = (await ann.get("/users/me")).json()

    assert set(profile) == Profile.__required_keys__
    assert profile["id"] == ann.id
    assert profile["auth_subject"] == ann.subject
    task = await ann.create_task()
    assert task["user_id"] == profile["id"]


@pytest.mark.scenario("S002-FR-005", "S002-SC-007")
async def test_every_kind_of_response_has_its_status(
    as_user: UserClientFactory, anonymous: httpx.AsyncClient
) -> None:
    ann = as_user("ann")
    ben = as_user("ben")
    responses = {
        201: await ann.post("/tasks", json={"title": "Water the plants"}),
        200: await ann.get("/tasks"),
        400: await ann.get("/tasks", params={"limit": "none"}),
        401: await anonymous.get("/tasks"),
        403: await ann.get(f"/users/{ben.id}"),
        404: await ann.get(f"/tasks/{UNKNOWN_ID}"),
    }

    for status, response in responses.items():
        assert response.status_code == status


@pytest.mark.scenario("S002-FR-007")
async def test_a_replaced_task_keeps_its_path(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await ann.create_task(description="The ferns, too")

    response = await ann.put(
        f"/tasks/{task['id']}", json={"title": "Water the garden", "status": "completed"}
    )

    assert response.status_code == 200
    replaced = await ann.get_task(task)
    assert replaced == response.json()
    assert replaced["title"] == "Water the garden"
    assert replaced["description"] is None
    assert replaced["is_completed"] is True


@pytest.mark.scenario("S002-FR-002", "S002-FR-003", "S002-SC-006")
async def test_no_header_chooses_the_user(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    ben = as_user("ben")
    task = await ben.create_task()
    headers = {"X-User-Id": ben.id, "X-Forwarded-User": ben.id, "Cookie": f"user_id={ben.id}"}

    listed = await ann.get("/tasks", headers=headers)
    foreign = await ann.get(f"/tasks/{task['id']}", headers=headers)
    created = await ann.post("/tasks", headers=headers, json={"title": "Mine"})

    assert listed.json() == []
    assert_problem(foreign, 404, "task-not-found")
    assert created.json()["user_id"] == ann.id
    assert await ben.list_tasks() == [task]
