"""How addresses may be spelled and asked for, what is not to be reached, and the id of every request."""

from typing import Final

import httpx
import pytest

from e2e.support.contract import PROBLEM_TYPE, PROTECTED, PUBLIC, REQUEST_ID, SOME_ID, problem_of
from e2e.support.user_client import AsUser, Person

EXCHANGED: Final = {"/users/me/export", "/users/me/import"}
"""An export is another one each time, and an import shows nothing."""

READABLE: Final = (*(PROTECTED.keys() - EXCHANGED), *PUBLIC, "/problems/not-found")

INTERNAL: Final = ("internal/users/me", "internal/owner", "edge-errors/502", "decide", "metrics")

SPELLINGS: Final = (
    "/{}",
    "/{}/",
    "//{}",
    "/./{}",
    "/../{}",
    "/tasks/../{}",
    "/users/../{}",
    "/users/me/../../{}",
    "/users//..//{}",
    "/users/./../{}",
    "/users/%2e%2e/{}",
    "/users/.%2E/{}",
    "/users/..%2f{}",
    "/users/..%5c{}",
    "/users\\..\\{}",
    "/users/..;/{}",
    "/users;/../{}",
    "/users/%252e%252e/{}",
    "/users/..%c0%af{}",
    "/%2f{}",
    "/%2e/{}",
    "/{}%00",
    "/{}%20",
    "/{};x",
    "/{}.",
    "/{}?x=/users/me",
    "http://users/{}",
    "http://localhost/users/../{}",
    "/users/http://users/{}",
)


def at(target: str) -> dict[str, bytes]:
    """Ask for exactly this, whatever a client would make of it."""
    return {"target": target.encode()}


async def some_addresses(person: Person) -> list[str]:
    task = (await person.add())["id"]
    return [path.format(task=task, user=person.id) for path in READABLE]


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_what_is_internal_cannot_be_reached(as_user: AsUser, spelling: str) -> None:
    ann = as_user("ann")

    for path in INTERNAL:
        for verb in ("GET", "PUT", "POST", "DELETE"):
            answer = await ann.request(verb, "/", extensions=at(spelling.format(path)))
            # What lies below /users/ whatever it is called has verbs of its own.
            assert answer.status_code in {400, 404, 405}, f"{verb} {path}: {answer.status_code}"


@pytest.mark.parametrize("path", INTERNAL)
async def test_what_is_internal_cannot_be_reached_in_other_letters(
    as_user: AsUser, path: str
) -> None:
    ann = as_user("ann")
    encoded = "".join(f"%{letter:02x}" if letter != ord("/") else "/" for letter in path.encode())

    for spelled in (path.upper(), path.title(), encoded, encoded.upper(), encoded[:3] + path[1:]):
        for before in ("/", "/users/../", "/users/%2e%2e/"):
            answer = await ann.put("/", extensions=at(f"{before}{spelled}"))
            assert answer.status_code in {400, 404}


@pytest.mark.parametrize(
    "name", ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-HTTP-Method-Override"]
)
async def test_no_header_leads_somewhere_else(as_user: AsUser, name: str) -> None:
    ann = as_user("ann")
    task = await ann.add()

    for value in ("/internal/users/me", "/edge-errors/502", "DELETE"):
        answer = await ann.get(f"/tasks/{task['id']}", headers={name: value})
        assert answer.json() == task
    assert await ann.tasks() == [task]


@pytest.mark.parametrize(
    "target",
    ["//tasks", "/./tasks", "/x/../tasks", "/%74asks", "http://localhost/tasks", "/tasks?"],
)
async def test_an_address_has_one_meaning_however_it_is_spelled(
    as_user: AsUser, target: str
) -> None:
    ann = as_user("ann")
    task = await ann.add()

    answer = await ann.get("/", extensions=at(target))

    assert answer.json() == [task] or answer.status_code in {400, 404}


async def test_a_closing_slash_is_served(as_user: AsUser) -> None:
    ann = as_user("ann")

    for address in await some_addresses(ann):
        plain, slashed = await ann.get(address), await ann.get(f"{address}/")
        assert (slashed.status_code, slashed.content) == (plain.status_code, plain.content)


async def test_a_closing_slash_is_served_with_every_verb(as_user: AsUser) -> None:
    ann = as_user("ann")
    made = await ann.post("/tasks/", json={"title": "x"})
    address = f"{made.headers['location']}/"

    assert (made.status_code, address) == (201, f"/tasks/{made.json()['id']}/")
    assert (await ann.patch(address, json={"title": "y"})).json()["title"] == "y"
    assert (await ann.put(address, json={"title": "z"})).json()["title"] == "z"
    assert (await ann.patch("/users/me/", json={"time_zone": "Europe/Berlin"})).status_code == 200
    assert (await ann.get("/tasks/", params={"limit": 1})).json()[0]["title"] == "z"
    assert (await ann.delete(address)).status_code == 204


async def test_head_is_get_without_a_body(as_user: AsUser) -> None:
    ann = as_user("ann")
    ann.headers["X-Request-ID"] = "the-same-for-both"

    for address in [*await some_addresses(ann), f"/tasks/{SOME_ID}", "/tasks?limit=0", "/nothing"]:
        get, head = await ann.get(address), await ann.head(address)
        for answer in (get, head):
            answer.headers.pop("date", None)
        assert (head.status_code, head.headers, head.content) == (get.status_code, get.headers, b"")


async def test_head_needs_a_token_as_get_does(nobody: httpx.AsyncClient) -> None:
    for address in ("/tasks", f"/tasks/{SOME_ID}", "/users/me"):
        answer = await nobody.head(address)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("path", PUBLIC)
async def test_what_concerns_nobody_needs_no_token(nobody: httpx.AsyncClient, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        assert (await nobody.get(path, headers=headers)).status_code == 200


async def test_health_readiness_and_version_say_what_they_are_for(
    nobody: httpx.AsyncClient,
) -> None:
    health, ready, version = [
        (await nobody.get(path)).json() for path in ("/healthz", "/readyz", "/version")
    ]

    assert health == {"status": "ok"}
    assert {"tasks": "ok", "users": "ok"}.items() <= ready.items()
    assert set(version) == {"name", "version"}


async def answers_of_all_kinds(
    person: Person, nobody: httpx.AsyncClient, request_id: str
) -> list[httpx.Response]:
    headers = {"X-Request-ID": request_id}
    task = await person.add()
    return [
        await person.post("/tasks", json={"title": "x"}, headers=headers),
        await person.get("/tasks", headers=headers),
        await person.head("/tasks", headers=headers),
        await person.delete(f"/tasks/{task['id']}", headers=headers),
        await person.get(f"/tasks/{SOME_ID}", headers=headers),
        await person.post("/tasks", json={}, headers=headers),
        await person.put("/tasks", headers=headers),
        await person.options("/tasks", headers=headers),
        await person.get("/users/me", headers=headers),
        await person.get("/nothing", headers=headers),
        await nobody.get("/tasks", headers=headers),
        await nobody.get("/healthz", headers=headers),
        await nobody.get("/docs", headers=headers),
    ]


@pytest.mark.parametrize(
    "request_id",
    ["12345678", "x" * 128, "a1.B2_c3:d4-e5", "00-0af7651916cd43dd8448eb211c80319c-01"],
)
async def test_a_plain_request_id_is_kept(
    as_user: AsUser, nobody: httpx.AsyncClient, request_id: str
) -> None:
    for answer in await answers_of_all_kinds(as_user("ann"), nobody, request_id):
        assert answer.headers.get_list("x-request-id") == [request_id]


@pytest.mark.parametrize(
    "request_id",
    [
        "",
        "1234567",
        "x" * 129,
        "with a space",
        "semi;colon",
        "back\\slash",
        "<script>alert",
        "comma,comma",
    ],
)
async def test_any_other_request_id_is_replaced(
    as_user: AsUser, nobody: httpx.AsyncClient, request_id: str
) -> None:
    answers = await answers_of_all_kinds(as_user("ann"), nobody, request_id)

    made = [answer.headers["x-request-id"] for answer in answers]
    assert request_id not in made
    assert all(REQUEST_ID.fullmatch(each) for each in made)
    assert len(set(made)) == len(made)


async def test_a_refusal_names_the_request_that_it_refuses(
    as_user: AsUser, nobody: httpx.AsyncClient
) -> None:
    for answer in await answers_of_all_kinds(as_user("ann"), nobody, "request-1"):
        if answer.headers.get("content-type") == PROBLEM_TYPE:
            assert problem_of(answer, answer.status_code)["request_id"] == "request-1"
