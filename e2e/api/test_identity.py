"""The token alone identifies the user: a `user_id` elsewhere may only agree with it."""

from collections.abc import Callable
from secrets import token_hex
from typing import Final
from uuid import UUID, uuid4

import httpx
import pytest

from e2e.support.contract import UNKNOWN_ID, assert_problem
from e2e.support.user_client import UserClient, UserClientFactory

WRITES: Final = [
    ("POST", "/tasks"),
    ("PATCH", "/tasks/{id}"),
    ("PUT", "/tasks/{id}"),
    ("DELETE", "/tasks/{id}"),
]
READS: Final = [("GET", "/tasks"), ("GET", "/tasks/{id}")]
HEAD_READS: Final = [("HEAD", "/tasks"), ("HEAD", "/tasks/{id}")]

OTHER_NAMES: Final = {
    "nobody": "",
    "null as text": "null",
    "me": "me",
    "zero": "0",
    "nil": "00000000-0000-0000-0000-000000000000",
    "space": " ",
    "long": "x" * 5000,
}
"""Values of `user_id` that are not the user's; no user has them."""

NO_TEXT: Final[list[object]] = [1, 0, 1.5, True, False, [], {}, ["x"]]

ALL_PRINTABLE_ASCII: Final = "".join(chr(code) for code in range(0x21, 0x7F))

Spelling = Callable[[str], str]


def without_hyphens(text: str) -> str:
    return text.replace("-", "")


def write_body(method: str, **fields: object) -> dict[str, object]:
    """Return a valid body for a write: a deletion has no title."""
    if method == "DELETE":
        return fields
    return {"title": "Water the plants"} | fields


def optional_body(method: str, **fields: object) -> dict[str, object] | None:
    """Return a valid body for methods that need one, otherwise None."""
    if method in {"POST", "PATCH", "PUT"}:
        return write_body(method, **fields)
    return None


@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_a_body_may_contain_the_users_own_id(
    as_user: UserClientFactory, method: str, path: str
) -> None:
    ann = as_user("ann")

    for user_id in (ann.id, ann.id.upper(), ann.id.title(), None):
        task = await ann.create_task()
        body = write_body(method, user_id=user_id)
        response = await ann.request(method, path.format(id=task["id"]), json=body)
        assert response.is_success


@pytest.mark.parametrize(("method", "path"), WRITES + READS + HEAD_READS)
async def test_a_query_may_contain_the_users_own_id(
    as_user: UserClientFactory, method: str, path: str
) -> None:
    ann = as_user("ann")

    for user_id in (ann.id, ann.id.upper(), ann.id.title()):
        task = await ann.create_task()
        url = path.format(id=task["id"])
        body = optional_body(method, user_id=user_id)
        response = await ann.request(method, url, params={"user_id": user_id}, json=body)
        assert response.is_success


@pytest.mark.parametrize(
    "name", ["Ann|", "https://id.example/Ann?a=b&c=%2F+", "Ann==", ALL_PRINTABLE_ASCII]
)
async def test_the_subject_of_the_token_may_stand_for_the_users_id(
    as_subject: UserClientFactory, name: str
) -> None:
    ann = as_subject(name + token_hex(8))

    profile = await ann.get("/users/me")
    by_subject = await ann.get("/tasks", params={"user_id": ann.subject})
    by_other_case = await ann.get("/tasks", params={"user_id": ann.subject.upper()})

    assert profile.json()["auth_subject"] == ann.subject
    assert by_subject.status_code == 200
    assert (await ann.create_task(user_id=ann.subject))["user_id"] == ann.id
    assert (await ann.create_task(user_id=ann.id))["user_id"] == ann.id
    assert_problem(by_other_case, 403, "other-user")


@pytest.mark.parametrize("name", OTHER_NAMES.values(), ids=OTHER_NAMES.keys())
@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_another_user_in_a_body_is_forbidden(
    as_user: UserClientFactory, method: str, path: str, name: str
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()

    body = write_body(method, user_id=name)
    response = await ann.request(method, path.format(id=task["id"]), json=body)

    assert_problem(response, 403, "other-user")
    assert await ann.list_tasks() == [task]


@pytest.mark.parametrize("name", OTHER_NAMES.values(), ids=OTHER_NAMES.keys())
@pytest.mark.parametrize(("method", "path"), WRITES + READS)
async def test_another_user_in_a_query_is_forbidden(
    as_user: UserClientFactory, method: str, path: str, name: str
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()

    url = path.format(id=task["id"])
    body = optional_body(method, user_id=ann.id)
    response = await ann.request(method, url, params={"user_id": name}, json=body)

    assert_problem(response, 403, "other-user")
    assert await ann.list_tasks() == [task]


@pytest.mark.parametrize(
    "spell", [str.upper, without_hyphens, "{{{}}}".format, "urn:uuid:{}".format]
)
async def test_another_user_is_forbidden_in_every_spelling(
    as_user: UserClientFactory, spell: Spelling
) -> None:
    ann = as_user("ann")
    ben = as_user("ben")
    task = await ben.create_task()
    spelling = spell(ben.id)

    listed = await ann.get("/tasks", params={"user_id": spelling})
    created = await ann.post("/tasks", json={"title": "Mine", "user_id": spelling})

    assert_problem(listed, 403, "other-user")
    assert_problem(created, 403, "other-user")
    assert await ann.list_tasks() == []
    assert await ben.list_tasks() == [task]


async def test_the_response_does_not_tell_whether_another_user_exists(
    as_user: UserClientFactory,
) -> None:
    ann = as_user("ann")
    ben = as_user("ben")
    await ben.create_task()
    ann.headers["X-Request-ID"] = "the-same-for-both"

    existing = await ann.get("/tasks", params={"user_id": ben.id})
    missing = await ann.get("/tasks", params={"user_id": str(uuid4())})

    assert existing.status_code == 403
    assert existing.content == missing.content


@pytest.mark.parametrize("user_id", NO_TEXT)
@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_a_user_id_that_is_no_text_is_a_bad_request(
    as_user: UserClientFactory, method: str, path: str, user_id: object
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()

    body = write_body(method, user_id=user_id)
    response = await ann.request(method, path.format(id=task["id"]), json=body)

    assert_problem(response, 400)
    assert await ann.list_tasks() == [task]


async def test_query_and_body_must_both_agree_with_the_token(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    ben = as_user("ben")

    for in_query, in_body in ((ann.id, ben.id), (ben.id, ann.id)):
        body = {"title": "Mine", "user_id": in_body}
        response = await ann.post("/tasks", params={"user_id": in_query}, json=body)
        assert_problem(response, 403, "other-user")
    repeated = await ann.get(f"/tasks?user_id={ann.id}&user_id={ann.id}")
    assert_problem(repeated, 400)
    assert await ann.list_tasks() == []
    assert await ben.list_tasks() == []


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
async def test_another_users_task_looks_missing_byte_for_byte(
    as_user: UserClientFactory, method: str
) -> None:
    ann = as_user("ann")
    ben = as_user("ben")
    task = await ann.create_task()
    deleted = await ben.create_task()
    await ben.delete(f"/tasks/{deleted['id']}")
    ben.headers["X-Request-ID"] = "the-same-for-all"
    body = None
    if method in {"PATCH", "PUT"}:
        body = {"title": "Mine"}

    responses: list[httpx.Response] = []
    for task_id in (task["id"], UNKNOWN_ID, deleted["id"]):
        response = await ben.request(method, f"/tasks/{task_id}", json=body)
        assert_problem(response, 404, "task-not-found")
        response.headers.pop("date", None)
        responses.append(response)

    for response in responses:
        assert response.content == responses[0].content
        assert response.headers == responses[0].headers
    assert await ann.list_tasks() == [task]


async def test_no_list_contains_tasks_of_other_users(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    ben = as_user("ben")
    for number in range(3):
        await ann.create_task(f"Secret {number}", is_completed=number == 1)
    first_page_of_ann = await ann.get("/tasks", params={"limit": 1})
    task = await ben.create_task("Mine")

    for query in ({"q": "secret"}, {"is_completed": "true"}, {"status": "completed"}):
        assert await ben.list_tasks(**query) == []
    assert await ben.list_tasks(limit="500") == [task]
    next_page = await ben.get(first_page_of_ann.links["next"]["url"])
    assert next_page.json() == [task]


FORGED_HEADERS: Final = [
    "X-User-Id",
    "x-user-id",
    "X-USER-ID",
    "X_User_Id",
    "X.User.Id",
    "X-User_Id",
    "Remote-User",
    "X-Forwarded-User",
]


async def assert_not_impersonated(user: UserClient, headers: list[tuple[str, str]]) -> None:
    """Check that a request with these headers is rejected, or processed for the token's user."""
    response = await user.get("/users/me", headers=headers)
    if response.status_code not in {400, 401}:
        assert response.json()["id"] == user.id


@pytest.mark.parametrize("name", FORGED_HEADERS)
async def test_a_forged_header_does_not_change_the_user(
    as_user: UserClientFactory, anonymous: httpx.AsyncClient, name: str
) -> None:
    ann = as_user("ann")
    ben = as_user("ben")

    await assert_not_impersonated(ann, [(name, ben.id)])
    await assert_not_impersonated(ann, [(name, ben.id), (name, ann.id)])
    await assert_not_impersonated(ann, [("Connection", "X-User-Id"), (name, ben.id)])
    without_token = await anonymous.get("/users/me", headers={name: ben.id})
    assert without_token.status_code in {400, 401}


@pytest.mark.parametrize(
    "option", ["X-User-Id", "Authorization", "close, x-user-id, authorization", "X-Request-ID"]
)
async def test_a_connection_header_does_not_remove_the_gateways_headers(
    as_user: UserClientFactory, option: str
) -> None:
    ann = as_user("ann")
    ben = as_user("ben")

    await assert_not_impersonated(ann, [("Connection", option), ("X-User-Id", ben.id)])


async def test_a_subject_that_is_a_uuid_is_the_users_id(as_subject: UserClientFactory) -> None:
    ann = as_subject(str(uuid4()))

    profile = await ann.get("/users/me")

    assert profile.json()["id"] == ann.subject


@pytest.mark.parametrize("spell", [str.upper, without_hyphens, "user:{}".format])
async def test_any_other_subject_has_a_derived_id_that_never_changes(
    as_subject: UserClientFactory, spell: Spelling
) -> None:
    uuid = str(uuid4())
    ids: list[str] = []
    for subject in (uuid, spell(uuid), spell(uuid)):
        profile = await as_subject(subject).get("/users/me")
        ids.append(profile.json()["id"])

    assert ids[0] != ids[1]
    assert ids[1] == ids[2]
    assert UUID(ids[1]).version == 5
