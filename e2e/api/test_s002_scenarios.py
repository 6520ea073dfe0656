"""Backend API & Database Layer: its acceptance scenarios. What outlives a restart is in `whitebox`."""

from uuid import UUID

import httpx
import pytest

from e2e.support.contract import INSTANT, PROTECTED, SOME_ID, Profile, Task, problem_of
from e2e.support.user_client import AsUser, Person

CALLS = [(verb, path) for path, verbs in PROTECTED.items() for verb in verbs]


@pytest.mark.scenario("S002-US1.1", "S002-FR-004", "S002-SC-003")
@pytest.mark.parametrize(("verb", "path"), CALLS)
async def test_nothing_protected_is_done_without_a_token(
    as_user: AsUser, nobody: httpx.AsyncClient, verb: str, path: str
) -> None:
    ann = as_user("ann")
    task = await ann.add()
    address = path.format(task=task["id"], user=ann.id)

    problem_of(await nobody.request(verb, address, json={"title": "Mine"}), 401, "token-missing")
    assert await ann.tasks() == [task]


@pytest.mark.scenario("S002-US1.1", "S002-FR-001", "S002-SC-003")
async def test_a_token_that_another_secret_signed_opens_nothing(
    base_url: str, transport: httpx.AsyncHTTPTransport, as_user: AsUser
) -> None:
    ann = as_user("ann")
    forger = Person(base_url, transport, "another secret, which is long enough", ann.subject)

    for path in ("/tasks", "/users/me"):
        assert (await ann.get(path)).status_code == 200
        problem_of(await forger.get(path), 401, "token-invalid")


@pytest.mark.scenario("S002-US1.2", "S002-FR-001")
async def test_a_valid_token_opens_its_own_users_data(as_user: AsUser) -> None:
    ann = as_user("ann")
    task = await ann.add()

    for path, expected in (("/tasks", [task]), (f"/tasks/{task['id']}", task)):
        answer = await ann.get(path)
        assert (answer.status_code, answer.json()) == (200, expected)
    me = await ann.get("/users/me")
    assert (me.status_code, me.json()["id"]) == (200, ann.id)


@pytest.mark.scenario("S002-US1.3")
@pytest.mark.parametrize(
    ("verb", "path", "body"),
    [
        ("GET", "/users/{other}", None),
        ("GET", "/tasks?user_id={other}", None),
        ("POST", "/tasks", {"title": "Water the plants", "user_id": "{other}"}),
    ],
)
async def test_naming_another_user_is_forbidden(
    as_user: AsUser, verb: str, path: str, body: dict[str, str] | None
) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    task = await ben.add()
    named = {name: text.format(other=ben.id) for name, text in body.items()} if body else None

    problem_of(await ann.request(verb, path.format(other=ben.id), json=named), 403, "other-user")
    assert (await ann.tasks(), await ben.tasks()) == ([], [task])


@pytest.mark.scenario("S002-US2.1", "S002-SC-005")
async def test_a_new_task_is_stored_with_the_id_of_its_user(as_user: AsUser) -> None:
    ann = as_user("ann")
    task = await ann.add("Water the plants", description="The ferns, too")

    assert task["user_id"] == ann.id
    assert await ann.read(task) == task


@pytest.mark.scenario("S002-US2.2", "S002-FR-003", "S002-SC-006")
async def test_the_list_has_only_the_callers_tasks(as_user: AsUser) -> None:
    people = [as_user(name) for name in ("ann", "ben", "eve")]
    made = [[await person.add(f"Number {number}") for number in range(3)] for person in people]

    assert [await person.tasks() for person in people] == made


@pytest.mark.scenario("S002-US2.3")
@pytest.mark.parametrize("verb", ["PATCH", "PUT"])
async def test_a_change_touches_one_task_of_one_user(as_user: AsUser, verb: str) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    task, other, of_ben = await ann.add("One"), await ann.add("Two"), await ben.add("One")

    answer = await ann.request(
        verb, f"/tasks/{task['id']}", json={"title": "Three", "status": "completed"}
    )

    assert answer.status_code == 200
    assert (answer.json()["title"], answer.json()["status"]) == ("Three", "completed")
    assert await ann.tasks() == [answer.json(), other]
    assert await ben.tasks() == [of_ben]


@pytest.mark.scenario("S002-US2.4")
async def test_a_deletion_touches_one_task_of_one_user(as_user: AsUser) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    task, other, of_ben = await ann.add("One"), await ann.add("Two"), await ben.add("One")

    assert (await ann.delete(f"/tasks/{task['id']}")).status_code == 204
    assert (await ann.tasks(), await ben.tasks()) == ([other], [of_ben])


@pytest.mark.scenario("S002-US4.1", "S002-SC-002")
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"title": 1}', b'{"title": "x", "is_completed": "no"}']
)
async def test_a_body_of_the_wrong_format_is_a_bad_request(as_user: AsUser, body: bytes) -> None:
    ann = as_user("ann")

    problem_of(await ann.post("/tasks", content=body), 400, "bad-request")
    assert await ann.tasks() == []


@pytest.mark.scenario("S002-US4.2", "S002-SC-002")
async def test_a_missing_field_is_named(as_user: AsUser) -> None:
    ann = as_user("ann")
    task = await ann.add()

    for answer in (
        await ann.post("/tasks", json={}),
        await ann.put(f"/tasks/{task['id']}", json={}),
    ):
        faults = problem_of(answer, 422, "invalid-body").get("errors", [])
        assert [(fault["location"], fault["code"]) for fault in faults] == [
            (["body", "title"], "missing")
        ]
    assert await ann.tasks() == [task]


@pytest.mark.scenario("S002-US4.3", "S002-FR-008", "S002-FR-012")
async def test_a_task_has_every_field_with_its_type(as_user: AsUser) -> None:
    ann = as_user("ann")
    plain, full = await ann.add(), await ann.add(description="The ferns, too", is_completed=True)

    for task in (plain, full):
        assert set(task) == Task.__required_keys__
        assert str(UUID(task["id"])) == task["id"]
        assert UUID(task["id"]).version == 7
        assert (task["is_completed"], task["status"]) in {(True, "completed"), (False, "pending")}
        assert (task["completed_at"] is None) is not task["is_completed"]
        assert INSTANT.fullmatch(task["created_at"])
        assert type(task["version"]) is int
    assert (plain["description"], full["description"]) == (None, "The ferns, too")


@pytest.mark.scenario("S002-US4.3", "S002-FR-008", "S002-SC-004")
async def test_a_profile_has_every_field_with_its_type(as_user: AsUser) -> None:
    ann = as_user("ann")
    profile: Profile = (await ann.get("/users/me")).json()

    assert set(profile) == Profile.__required_keys__
    assert (profile["id"], profile["auth_subject"]) == (ann.id, ann.subject)
    assert (await ann.add())["user_id"] == profile["id"]


@pytest.mark.scenario("S002-FR-005", "S002-SC-007")
async def test_every_outcome_has_its_status(as_user: AsUser, nobody: httpx.AsyncClient) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    answers = {
        201: await ann.post("/tasks", json={"title": "Water the plants"}),
        200: await ann.get("/tasks"),
        400: await ann.get("/tasks", params={"limit": "none"}),
        401: await nobody.get("/tasks"),
        403: await ann.get(f"/users/{ben.id}"),
        404: await ann.get(f"/tasks/{SOME_ID}"),
    }

    assert [answer.status_code for answer in answers.values()] == list(answers)


@pytest.mark.scenario("S002-FR-007")
async def test_a_replaced_task_keeps_its_address(as_user: AsUser) -> None:
    ann = as_user("ann")
    task = await ann.add(description="The ferns, too")

    answer = await ann.put(
        f"/tasks/{task['id']}", json={"title": "Water the garden", "status": "completed"}
    )

    assert answer.status_code == 200
    replaced = await ann.read(task)
    assert replaced == answer.json()
    assert (replaced["title"], replaced["description"], replaced["is_completed"]) == (
        "Water the garden",
        None,
        True,
    )


@pytest.mark.scenario("S002-FR-002", "S002-FR-003", "S002-SC-006")
async def test_nothing_in_a_request_can_choose_whose_data_it_is_about(as_user: AsUser) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    task = await ben.add()
    claims = {"X-User-Id": ben.id, "X-Forwarded-User": ben.id, "Cookie": f"user_id={ben.id}"}

    assert (await ann.get("/tasks", headers=claims)).json() == []
    problem_of(await ann.get(f"/tasks/{task['id']}", headers=claims), 404, "task-not-found")
    made = await ann.post("/tasks", headers=claims, json={"title": "Mine"})
    assert made.json()["user_id"] == ann.id
    assert await ben.tasks() == [task]
