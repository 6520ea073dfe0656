"""Backend API & Database Layer: its acceptance scenarios. What outlives a restart is in `whitebox`."""

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

CALLS = [(method, path) for path, methods in PROTECTED_PATHS.items() for method in methods]


@pytest.mark.scenario("S002-US1.1", "S002-FR-004", "S002-SC-003")
@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_nothing_protected_is_done_without_a_token(
    as_user: UserClientFactory, anonymous: httpx.AsyncClient, method: str, path: str
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()
    path = path.format(task=task["id"], user=ann.id)

    assert_problem(
        await anonymous.request(method, path, json={"title": "Mine"}), 401, "token-missing"
    )
    assert await ann.list_tasks() == [task]


@pytest.mark.scenario("S002-US1.1", "S002-FR-001", "S002-SC-003")
async def test_a_token_that_another_secret_signed_opens_nothing(
    base_url: str, transport: httpx.AsyncHTTPTransport, as_user: UserClientFactory
) -> None:
    ann = as_user("ann")
    forger = UserClient(base_url, transport, "another secret, which is long enough", ann.subject)

    for path in ("/tasks", "/users/me"):
        assert (await ann.get(path)).status_code == 200
        assert_problem(await forger.get(path), 401, "token-invalid")


@pytest.mark.scenario("S002-US1.2", "S002-FR-001")
async def test_a_valid_token_opens_its_own_users_data(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await ann.create_task()

    for path, expected in (("/tasks", [task]), (f"/tasks/{task['id']}", task)):
        response = await ann.get(path)
        assert (response.status_code, response.json()) == (200, expected)
    me = await ann.get("/users/me")
    assert (me.status_code, me.json()["id"]) == (200, ann.id)


@pytest.mark.scenario("S002-US1.3")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/users/{other}", None),
        ("GET", "/tasks?user_id={other}", None),
        ("POST", "/tasks", {"title": "Water the plants", "user_id": "{other}"}),
    ],
)
async def test_naming_another_user_is_forbidden(
    as_user: UserClientFactory, method: str, path: str, body: dict[str, str] | None
) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    task = await ben.create_task()
    named = {name: text.format(other=ben.id) for name, text in body.items()} if body else None

    assert_problem(
        await ann.request(method, path.format(other=ben.id), json=named), 403, "other-user"
    )
    assert (await ann.list_tasks(), await ben.list_tasks()) == ([], [task])


@pytest.mark.scenario("S002-US2.1", "S002-SC-005")
async def test_a_new_task_is_stored_with_the_id_of_its_user(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await ann.create_task("Water the plants", description="The ferns, too")

    assert task["user_id"] == ann.id
    assert await ann.get_task(task) == task


@pytest.mark.scenario("S002-US2.2", "S002-FR-003", "S002-SC-006")
async def test_the_list_has_only_the_callers_tasks(as_user: UserClientFactory) -> None:
    users = [as_user(name) for name in ("ann", "ben", "eve")]
    made = [[await user.create_task(f"Number {number}") for number in range(3)] for user in users]

    assert [await user.list_tasks() for user in users] == made


@pytest.mark.scenario("S002-US2.3")
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_a_change_touches_one_task_of_one_user(
    as_user: UserClientFactory, method: str
) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    task, other, of_ben = (
        await ann.create_task("One"),
        await ann.create_task("Two"),
        await ben.create_task("One"),
    )

    response = await ann.request(
        method, f"/tasks/{task['id']}", json={"title": "Three", "status": "completed"}
    )

    assert response.status_code == 200
    assert (response.json()["title"], response.json()["status"]) == ("Three", "completed")
    assert await ann.list_tasks() == [response.json(), other]
    assert await ben.list_tasks() == [of_ben]


@pytest.mark.scenario("S002-US2.4")
async def test_a_deletion_touches_one_task_of_one_user(as_user: UserClientFactory) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    task, other, of_ben = (
        await ann.create_task("One"),
        await ann.create_task("Two"),
        await ben.create_task("One"),
    )

    assert (await ann.delete(f"/tasks/{task['id']}")).status_code == 204
    assert (await ann.list_tasks(), await ben.list_tasks()) == ([other], [of_ben])


@pytest.mark.scenario("S002-US4.1", "S002-SC-002")
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"title": 1}', b'{"title": "x", "is_completed": "no"}']
)
async def test_a_body_of_the_wrong_format_is_a_bad_request(
    as_user: UserClientFactory, body: bytes
) -> None:
    ann = as_user("ann")

    assert_problem(await ann.post("/tasks", content=body), 400, "bad-request")
    assert await ann.list_tasks() == []


@pytest.mark.scenario("S002-US4.2", "S002-SC-002")
async def test_a_missing_field_is_named(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await ann.create_task()

    for response in (
        await ann.post("/tasks", json={}),
        await ann.put(f"/tasks/{task['id']}", json={}),
    ):
        faults = assert_problem(response, 422, "invalid-body").get("errors", [])
        assert [(fault["location"], fault["code"]) for fault in faults] == [
            (["body", "title"], "missing")
        ]
    assert await ann.list_tasks() == [task]


@pytest.mark.scenario("S002-US4.3", "S002-FR-008", "S002-FR-012")
async def test_a_task_has_every_field_with_its_type(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    plain, full = (
        await ann.create_task(),
        await ann.create_task(description="The ferns, too", is_completed=True),
    )

    for task in (plain, full):
        assert set(task) == Task.__required_keys__
        assert str(UUID(task["id"])) == task["id"]
        assert UUID(task["id"]).version == 7
        assert (task["is_completed"], task["status"]) in {(True, "completed"), (False, "pending")}
        assert (task["completed_at"] is None) is not task["is_completed"]
        assert TIMESTAMP.fullmatch(task["created_at"])
        assert type(task["version"]) is int
    assert (plain["description"], full["description"]) == (None, "The ferns, too")


@pytest.mark.scenario("S002-US4.3", "S002-FR-008", "S002-SC-004")
async def test_a_profile_has_every_field_with_its_type(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    profile: Profile = (await ann.get("/users/me")).json()

    assert set(profile) == Profile.__required_keys__
    assert (profile["id"], profile["auth_subject"]) == (ann.id, ann.subject)
    assert (await ann.create_task())["user_id"] == profile["id"]


@pytest.mark.scenario("S002-FR-005", "S002-SC-007")
async def test_every_outcome_has_its_status(
    as_user: UserClientFactory, anonymous: httpx.AsyncClient
) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    responses = {
        201: await ann.post("/tasks", json={"title": "Water the plants"}),
        200: await ann.get("/tasks"),
        400: await ann.get("/tasks", params={"limit": "none"}),
        401: await anonymous.get("/tasks"),
        403: await ann.get(f"/users/{ben.id}"),
        404: await ann.get(f"/tasks/{UNKNOWN_ID}"),
    }

    assert [response.status_code for response in responses.values()] == list(responses)


@pytest.mark.scenario("S002-FR-007")
async def test_a_replaced_task_keeps_its_address(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    task = await ann.create_task(description="The ferns, too")

    response = await ann.put(
        f"/tasks/{task['id']}", json={"title": "Water the garden", "status": "completed"}
    )

    assert response.status_code == 200
    replaced = await ann.get_task(task)
    assert replaced == response.json()
    assert (replaced["title"], replaced["description"], replaced["is_completed"]) == (
        "Water the garden",
        None,
        True,
    )


@pytest.mark.scenario("S002-FR-002", "S002-FR-003", "S002-SC-006")
async def test_nothing_in_a_request_can_choose_whose_data_it_is_about(
    as_user: UserClientFactory,
) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    task = await ben.create_task()
    claims = {"X-User-Id": ben.id, "X-Forwarded-User": ben.id, "Cookie": f"user_id={ben.id}"}

    assert (await ann.get("/tasks", headers=claims)).json() == []
    assert_problem(await ann.get(f"/tasks/{task['id']}", headers=claims), 404, "task-not-found")
    made = await ann.post("/tasks", headers=claims, json={"title": "Mine"})
    assert made.json()["user_id"] == ann.id
    assert await ben.list_tasks() == [task]
