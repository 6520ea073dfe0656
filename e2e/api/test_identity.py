"""Who asks is said by the token alone: a `user_id` elsewhere may only agree, and a foreign task looks missing."""

from collections.abc import Callable
from secrets import token_hex
from uuid import UUID, uuid4

import httpx
import pytest

from e2e.support.contract import UNKNOWN_ID, assert_problem
from e2e.support.user_client import UserClient, UserClientFactory

WRITES = [
    ("POST", "/tasks"),
    ("PATCH", "/tasks/{id}"),
    ("PUT", "/tasks/{id}"),
    ("DELETE", "/tasks/{id}"),
]
CALLS = [
    *WRITES,
    ("GET", "/tasks"),
    ("GET", "/tasks/{id}"),
    ("HEAD", "/tasks"),
    ("HEAD", "/tasks/{id}"),
]

OTHERS = {
    "nobody": "",
    "null as text": "null",
    "me": "me",
    "zero": "0",
    "nil": "00000000-0000-0000-0000-000000000000",
    "space": " ",
    "long": "x" * 5000,
}
"""Texts that name another user than anybody in these tests, though they name none."""

Spell = Callable[[str], str]

NO_TEXT: list[object] = [1, 0, 1.5, True, False, [], {}, ["x"]]


def without_hyphens(text: str) -> str:
    return text.replace("-", "")


def a_body(method: str, **more: object) -> dict[str, object]:
    return more if method == "DELETE" else {"title": "Water the plants", **more}


async def ask(user: UserClient, method: str, path: str, **more: object) -> httpx.Response:
    """Ask for something with such a body, about a task of one's own."""
    path = path.format(id=(await user.create_task())["id"])
    return await user.request(method, path, json=a_body(method, **more))


@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_callers_may_name_themselves_in_a_body(
    as_user: UserClientFactory, method: str, path: str
) -> None:
    ann = as_user("ann")

    for name in (ann.id, ann.id.upper(), ann.id.title(), None):
        assert (await ask(ann, method, path, user_id=name)).is_success


@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_callers_may_name_themselves_in_the_query(
    as_user: UserClientFactory, method: str, path: str
) -> None:
    ann = as_user("ann")

    for name in (ann.id, ann.id.upper(), ann.id.title()):
        path = path.format(id=(await ann.create_task())["id"])
        body = a_body(method, user_id=name) if method in {"POST", "PATCH", "PUT"} else None
        assert (await ann.request(method, path, params={"user_id": name}, json=body)).is_success


@pytest.mark.parametrize(
    "name",
    ["Ann|", "https://id.example/Ann?a=b&c=%2F+", "Ann==", "".join(map(chr, range(0x21, 0x7F)))],
)
async def test_callers_may_name_themselves_as_their_token_does(
    as_subject: UserClientFactory, name: str
) -> None:
    ann = as_subject(name + token_hex(8))

    assert (await ann.get("/users/me")).json()["auth_subject"] == ann.subject
    assert (await ann.get("/tasks", params={"user_id": ann.subject})).status_code == 200
    assert (await ann.create_task(user_id=ann.subject))["user_id"] == ann.id
    assert (await ann.create_task(user_id=ann.id))["user_id"] == ann.id
    assert_problem(
        await ann.get("/tasks", params={"user_id": ann.subject.upper()}), 403, "other-user"
    )


@pytest.mark.parametrize("name", OTHERS.values(), ids=OTHERS.keys())
@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_a_body_that_names_somebody_else_is_forbidden(
    as_user: UserClientFactory, method: str, path: str, name: str
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()

    response = await ann.request(
        method, path.format(id=task["id"]), json=a_body(method, user_id=name)
    )

    assert_problem(response, 403, "other-user")
    assert await ann.list_tasks() == [task]


@pytest.mark.parametrize("name", OTHERS.values(), ids=OTHERS.keys())
@pytest.mark.parametrize(("method", "path"), [call for call in CALLS if call[0] != "HEAD"])
async def test_a_query_that_names_somebody_else_is_forbidden(
    as_user: UserClientFactory, method: str, path: str, name: str
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()
    body = a_body(method, user_id=ann.id) if method in {"POST", "PATCH", "PUT"} else None

    response = await ann.request(
        method, path.format(id=task["id"]), params={"user_id": name}, json=body
    )

    assert_problem(response, 403, "other-user")
    assert await ann.list_tasks() == [task]


@pytest.mark.parametrize(
    "spell", [str.upper, without_hyphens, "{{{}}}".format, "urn:uuid:{}".format]
)
async def test_another_user_is_refused_in_every_spelling(
    as_user: UserClientFactory, spell: Spell
) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    task = await ben.create_task()

    assert_problem(await ann.get("/tasks", params={"user_id": spell(ben.id)}), 403, "other-user")
    assert_problem(
        await ann.post("/tasks", json={"title": "Mine", "user_id": spell(ben.id)}),
        403,
        "other-user",
    )
    assert (await ann.list_tasks(), await ben.list_tasks()) == ([], [task])


async def test_another_user_is_refused_the_same_way_whether_or_not_there_is_one(
    as_user: UserClientFactory,
) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    await ben.create_task()
    ann.headers["X-Request-ID"] = "the-same-for-both"

    responses = [
        await ann.get("/tasks", params={"user_id": name}) for name in (ben.id, str(uuid4()))
    ]

    assert responses[0].status_code == 403
    assert responses[0].content == responses[1].content


@pytest.mark.parametrize("name", NO_TEXT)
@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_a_name_that_is_no_text_cannot_be_read(
    as_user: UserClientFactory, method: str, path: str, name: object
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()

    assert_problem(
        await ann.request(method, path.format(id=task["id"]), json=a_body(method, user_id=name)),
        400,
    )
    assert await ann.list_tasks() == [task]


async def test_one_that_is_right_does_not_excuse_one_that_is_wrong(
    as_user: UserClientFactory,
) -> None:
    ann, ben = as_user("ann"), as_user("ben")

    for query, body in ((ann.id, ben.id), (ben.id, ann.id)):
        response = await ann.post(
            "/tasks", params={"user_id": query}, json={"title": "Mine", "user_id": body}
        )
        assert_problem(response, 403, "other-user")
    assert_problem(await ann.get(f"/tasks?user_id={ann.id}&user_id={ann.id}"), 400)
    assert await ann.list_tasks() == await ben.list_tasks() == []


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
async def test_somebody_elses_task_looks_missing_byte_for_byte(
    as_user: UserClientFactory, method: str
) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    task, deleted = await ann.create_task(), await ben.create_task()
    await ben.delete(f"/tasks/{deleted['id']}")
    ben.headers["X-Request-ID"] = "the-same-for-all"
    body = {"title": "Mine"} if method in {"PATCH", "PUT"} else None

    ids = (task["id"], UNKNOWN_ID, deleted["id"])
    responses = [await ben.request(method, f"/tasks/{each}", json=body) for each in ids]

    for response in responses:
        response.headers.pop("date", None)
        assert_problem(response, 404, "task-not-found")
    assert len({response.content for response in responses}) == 1
    assert responses[0].headers == responses[1].headers == responses[2].headers
    assert await ann.list_tasks() == [task]


async def test_nothing_of_other_users_shows_in_any_list(as_user: UserClientFactory) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    for number in range(3):
        await ann.create_task(f"Secret {number}", is_completed=number == 1)
    cursor = (await ann.get("/tasks", params={"limit": 1})).links["next"]["url"]
    mine = await ben.create_task("Mine")

    for query in ({"q": "secret"}, {"is_completed": "true"}, {"status": "completed"}):
        assert await ben.list_tasks(**query) == []
    assert await ben.list_tasks(limit="500") == [mine]
    assert (await ben.get(cursor)).json() == [mine]


FORGED = [
    "X-User-Id",
    "x-user-id",
    "X-USER-ID",
    "X_User_Id",
    "X.User.Id",
    "X-User_Id",
    "Remote-User",
    "X-Forwarded-User",
]


@pytest.mark.parametrize("name", FORGED)
async def test_a_forged_header_never_makes_somebody_else_of_a_caller(
    as_user: UserClientFactory, anonymous: httpx.AsyncClient, name: str
) -> None:
    ann, ben = as_user("ann"), as_user("ben")

    for headers in (
        [(name, ben.id)],
        [(name, ben.id), (name, ann.id)],
        [("Connection", "X-User-Id"), (name, ben.id)],
    ):
        response = await ann.get("/users/me", headers=headers)
        assert response.status_code in {400, 401} or response.json()["id"] == ann.id
    assert (await anonymous.get("/users/me", headers={name: ben.id})).status_code in {400, 401}


@pytest.mark.parametrize(
    "option", ["X-User-Id", "Authorization", "close, x-user-id, authorization", "X-Request-ID"]
)
async def test_the_gateways_own_word_cannot_be_struck_out(
    as_user: UserClientFactory, option: str
) -> None:
    ann, ben = as_user("ann"), as_user("ben")

    response = await ann.get("/users/me", headers={"Connection": option, "X-User-Id": ben.id})

    assert response.status_code in {400, 401} or response.json()["id"] == ann.id


async def test_a_subject_that_is_a_uuid_is_the_users_id(as_subject: UserClientFactory) -> None:
    ann = as_subject(str(uuid4()))

    assert (await ann.get("/users/me")).json()["id"] == ann.subject


@pytest.mark.parametrize("spell", [str.upper, without_hyphens, "user:{}".format])
async def test_any_other_subject_has_an_id_of_its_own_that_never_changes(
    as_subject: UserClientFactory, spell: Spell
) -> None:
    plain = str(uuid4())
    ids = [
        (await as_subject(subject).get("/users/me")).json()["id"]
        for subject in (plain, *[spell(plain)] * 2)
    ]

    assert ids[1] == ids[2] != ids[0]
    assert UUID(ids[1]).version == 5
