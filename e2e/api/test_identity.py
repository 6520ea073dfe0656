"""Who asks is said by the token alone: a `user_id` elsewhere may only agree, and a foreign task looks missing."""

from collections.abc import Callable
from secrets import token_hex
from uuid import UUID, uuid4

import httpx
import pytest

from e2e.support.contract import SOME_ID, problem_of
from e2e.support.user_client import AsUser, Person

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


def a_body(verb: str, **more: object) -> dict[str, object]:
    return more if verb == "DELETE" else {"title": "Water the plants", **more}


async def ask(person: Person, verb: str, path: str, **more: object) -> httpx.Response:
    """Ask for something with such a body, about a task of one's own."""
    address = path.format(id=(await person.add())["id"])
    return await person.request(verb, address, json=a_body(verb, **more))


@pytest.mark.parametrize(("verb", "path"), WRITES)
async def test_callers_may_name_themselves_in_a_body(as_user: AsUser, verb: str, path: str) -> None:
    ann = as_user("ann")

    for name in (ann.id, ann.id.upper(), ann.id.title(), None):
        assert (await ask(ann, verb, path, user_id=name)).is_success


@pytest.mark.parametrize(("verb", "path"), CALLS)
async def test_callers_may_name_themselves_in_the_query(
    as_user: AsUser, verb: str, path: str
) -> None:
    ann = as_user("ann")

    for name in (ann.id, ann.id.upper(), ann.id.title()):
        address = path.format(id=(await ann.add())["id"])
        body = a_body(verb, user_id=name) if verb in {"POST", "PATCH", "PUT"} else None
        assert (await ann.request(verb, address, params={"user_id": name}, json=body)).is_success


@pytest.mark.parametrize(
    "name",
    ["Ann|", "https://id.example/Ann?a=b&c=%2F+", "Ann==", "".join(map(chr, range(0x21, 0x7F)))],
)
async def test_callers_may_name_themselves_as_their_token_does(
    as_subject: AsUser, name: str
) -> None:
    ann = as_subject(name + token_hex(8))

    assert (await ann.get("/users/me")).json()["auth_subject"] == ann.subject
    assert (await ann.get("/tasks", params={"user_id": ann.subject})).status_code == 200
    assert (await ann.add(user_id=ann.subject))["user_id"] == ann.id
    assert (await ann.add(user_id=ann.id))["user_id"] == ann.id
    problem_of(await ann.get("/tasks", params={"user_id": ann.subject.upper()}), 403, "other-user")


@pytest.mark.parametrize("name", OTHERS.values(), ids=OTHERS.keys())
@pytest.mark.parametrize(("verb", "path"), WRITES)
async def test_a_body_that_names_somebody_else_is_forbidden(
    as_user: AsUser, verb: str, path: str, name: str
) -> None:
    ann = as_user("ann")
    task = await ann.add()

    answer = await ann.request(verb, path.format(id=task["id"]), json=a_body(verb, user_id=name))

    problem_of(answer, 403, "other-user")
    assert await ann.tasks() == [task]


@pytest.mark.parametrize("name", OTHERS.values(), ids=OTHERS.keys())
@pytest.mark.parametrize(("verb", "path"), [call for call in CALLS if call[0] != "HEAD"])
async def test_a_query_that_names_somebody_else_is_forbidden(
    as_user: AsUser, verb: str, path: str, name: str
) -> None:
    ann = as_user("ann")
    task = await ann.add()
    body = a_body(verb, user_id=ann.id) if verb in {"POST", "PATCH", "PUT"} else None

    answer = await ann.request(
        verb, path.format(id=task["id"]), params={"user_id": name}, json=body
    )

    problem_of(answer, 403, "other-user")
    assert await ann.tasks() == [task]


@pytest.mark.parametrize(
    "spell", [str.upper, without_hyphens, "{{{}}}".format, "urn:uuid:{}".format]
)
async def test_another_user_is_refused_in_every_spelling(as_user: AsUser, spell: Spell) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    task = await ben.add()

    problem_of(await ann.get("/tasks", params={"user_id": spell(ben.id)}), 403, "other-user")
    problem_of(
        await ann.post("/tasks", json={"title": "Mine", "user_id": spell(ben.id)}),
        403,
        "other-user",
    )
    assert (await ann.tasks(), await ben.tasks()) == ([], [task])


async def test_another_user_is_refused_the_same_way_whether_or_not_there_is_one(
    as_user: AsUser,
) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    await ben.add()
    ann.headers["X-Request-ID"] = "the-same-for-both"

    answers = [await ann.get("/tasks", params={"user_id": name}) for name in (ben.id, str(uuid4()))]

    assert answers[0].status_code == 403
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize("name", NO_TEXT)
@pytest.mark.parametrize(("verb", "path"), WRITES)
async def test_a_name_that_is_no_text_cannot_be_read(
    as_user: AsUser, verb: str, path: str, name: object
) -> None:
    ann = as_user("ann")
    task = await ann.add()

    problem_of(
        await ann.request(verb, path.format(id=task["id"]), json=a_body(verb, user_id=name)), 400
    )
    assert await ann.tasks() == [task]


async def test_one_that_is_right_does_not_excuse_one_that_is_wrong(as_user: AsUser) -> None:
    ann, ben = as_user("ann"), as_user("ben")

    for query, body in ((ann.id, ben.id), (ben.id, ann.id)):
        answer = await ann.post(
            "/tasks", params={"user_id": query}, json={"title": "Mine", "user_id": body}
        )
        problem_of(answer, 403, "other-user")
    problem_of(await ann.get(f"/tasks?user_id={ann.id}&user_id={ann.id}"), 400)
    assert await ann.tasks() == await ben.tasks() == []


@pytest.mark.parametrize("verb", ["GET", "PATCH", "PUT", "DELETE"])
async def test_somebody_elses_task_looks_missing_byte_for_byte(as_user: AsUser, verb: str) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    task, deleted = await ann.add(), await ben.add()
    await ben.delete(f"/tasks/{deleted['id']}")
    ben.headers["X-Request-ID"] = "the-same-for-all"
    body = {"title": "Mine"} if verb in {"PATCH", "PUT"} else None

    ids = (task["id"], SOME_ID, deleted["id"])
    answers = [await ben.request(verb, f"/tasks/{each}", json=body) for each in ids]

    for answer in answers:
        answer.headers.pop("date", None)
        problem_of(answer, 404, "task-not-found")
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].headers == answers[1].headers == answers[2].headers
    assert await ann.tasks() == [task]


async def test_nothing_of_other_users_shows_in_any_list(as_user: AsUser) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    for number in range(3):
        await ann.add(f"Secret {number}", is_completed=number == 1)
    cursor = (await ann.get("/tasks", params={"limit": 1})).links["next"]["url"]
    mine = await ben.add("Mine")

    for query in ({"q": "secret"}, {"is_completed": "true"}, {"status": "completed"}):
        assert await ben.tasks(**query) == []
    assert await ben.tasks(limit="500") == [mine]
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
    as_user: AsUser, nobody: httpx.AsyncClient, name: str
) -> None:
    ann, ben = as_user("ann"), as_user("ben")

    for headers in (
        [(name, ben.id)],
        [(name, ben.id), (name, ann.id)],
        [("Connection", "X-User-Id"), (name, ben.id)],
    ):
        answer = await ann.get("/users/me", headers=headers)
        assert answer.status_code in {400, 401} or answer.json()["id"] == ann.id
    assert (await nobody.get("/users/me", headers={name: ben.id})).status_code in {400, 401}


@pytest.mark.parametrize(
    "option", ["X-User-Id", "Authorization", "close, x-user-id, authorization", "X-Request-ID"]
)
async def test_the_gateways_own_word_cannot_be_struck_out(as_user: AsUser, option: str) -> None:
    ann, ben = as_user("ann"), as_user("ben")

    answer = await ann.get("/users/me", headers={"Connection": option, "X-User-Id": ben.id})

    assert answer.status_code in {400, 401} or answer.json()["id"] == ann.id


async def test_a_subject_that_is_a_uuid_is_the_users_id(as_subject: AsUser) -> None:
    ann = as_subject(str(uuid4()))

    assert (await ann.get("/users/me")).json()["id"] == ann.subject


@pytest.mark.parametrize("spell", [str.upper, without_hyphens, "user:{}".format])
async def test_any_other_subject_has_an_id_of_its_own_that_never_changes(
    as_subject: AsUser, spell: Spell
) -> None:
    plain = str(uuid4())
    ids = [
        (await as_subject(subject).get("/users/me")).json()["id"]
        for subject in (plain, *[spell(plain)] * 2)
    ]

    assert ids[1] == ids[2] != ids[0]
    assert UUID(ids[1]).version == 5
