"""How addresses may be spelled and asked for, what is not to be reached, and the id of every request."""

from typing import Final

import httpx
import pytest

from e2e.support.contract import (
    PROBLEM_TYPE,
    PROTECTED_PATHS,
    PUBLIC_PATHS,
    REQUEST_ID,
    UNKNOWN_ID,
    assert_problem,
)
from e2e.support.user_client import UserClient, UserClientFactory

EXCHANGED: Final = {"/users/me/export", "/users/me/import"}
"""An export is another one each time, and an import shows nothing."""

READABLE: Final = (*(PROTECTED_PATHS.keys() - EXCHANGED), *PUBLIC_PATHS, "/problems/not-found")

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


async def some_addresses(user: UserClient) -> list[str]:
    task = (await user.create_task())["id"]
    return [path.format(task=task, user=user.id) for path in READABLE]


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_what_is_internal_cannot_be_reached(
    as_user: UserClientFactory, spelling: str
) -> None:
    ann = as_user("ann")

    for path in INTERNAL:
        for method in ("GET", "PUT", "POST", "DELETE"):
            response = await ann.request(method, "/", extensions=at(spelling.format(path)))
            # What lies below /users/ whatever it is called has verbs of its own.
            assert response.status_code in {400, 404, 405}, (
                f"{method} {path}: {response.status_code}"
            )


@pytest.mark.parametrize("path", INTERNAL)
async def test_what_is_internal_cannot_be_reached_in_other_letters(
    as_user: UserClientFactory, path: str
) -> None:
    ann = as_user("ann")
    encoded = "".join(f"%{letter:02x}" if letter != ord("/") else "/" for letter in path.encode())

    for spelled in (path.upper(), path.title(), encoded, encoded.upper(), encoded[:3] + path[1:]):
        for before in ("/", "/users/../", "/users/%2e%2e/"):
            response = await ann.put("/", extensions=at(f"{before}{spelled}"))
            assert response.status_code in {400, 404}


@pytest.mark.parametrize(
    "name", ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-HTTP-Method-Override"]
)
async def test_no_header_leads_somewhere_else(as_user: UserClientFactory, name: str) -> None:
    ann = as_user("ann")
    task = await ann.create_task()

    for value in ("/internal/users/me", "/edge-errors/502", "DELETE"):
        response = await ann.get(f"/tasks/{task['id']}", headers={name: value})
        assert response.json() == task
    assert await ann.list_tasks() == [task]


@pytest.mark.parametrize(
    "target",
    ["//tasks", "/./tasks", "/x/../tasks", "/%74asks", "http://localhost/tasks", "/tasks?"],
)
async def test_an_address_has_one_meaning_however_it_is_spelled(
    as_user: UserClientFactory, target: str
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()

    response = await ann.get("/", extensions=at(target))

    assert response.json() == [task] or response.status_code in {400, 404}


async def test_a_closing_slash_is_served(as_user: UserClientFactory) -> None:
    ann = as_user("ann")

    for path in await some_addresses(ann):
        plain, slashed = await ann.get(path), await ann.get(f"{path}/")
        assert (slashed.status_code, slashed.content) == (plain.status_code, plain.content)


async def test_a_closing_slash_is_served_with_every_verb(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    made = await ann.post("/tasks/", json={"title": "x"})
    path = f"{made.headers['location']}/"

    assert (made.status_code, path) == (201, f"/tasks/{made.json()['id']}/")
    assert (await ann.patch(path, json={"title": "y"})).json()["title"] == "y"
    assert (await ann.put(path, json={"title": "z"})).json()["title"] == "z"
    assert (await ann.patch("/users/me/", json={"time_zone": "Europe/Berlin"})).status_code == 200
    assert (await ann.get("/tasks/", params={"limit": 1})).json()[0]["title"] == "z"
    assert (await ann.delete(path)).status_code == 204


async def test_head_is_get_without_a_body(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    ann.headers["X-Request-ID"] = "the-same-for-both"

    for path in [*await some_addresses(ann), f"/tasks/{UNKNOWN_ID}", "/tasks?limit=0", "/nothing"]:
        get, head = await ann.get(path), await ann.head(path)
        for response in (get, head):
            response.headers.pop("date", None)
        assert (head.status_code, head.headers, head.content) == (get.status_code, get.headers, b"")


async def test_head_needs_a_token_as_get_does(anonymous: httpx.AsyncClient) -> None:
    for path in ("/tasks", f"/tasks/{UNKNOWN_ID}", "/users/me"):
        response = await anonymous.head(path)
        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("path", PUBLIC_PATHS)
async def test_what_concerns_nobody_needs_no_token(anonymous: httpx.AsyncClient, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        assert (await anonymous.get(path, headers=headers)).status_code == 200


async def test_health_readiness_and_version_say_what_they_are_for(
    anonymous: httpx.AsyncClient,
) -> None:
    health, ready, version = [
        (await anonymous.get(path)).json() for path in ("/healthz", "/readyz", "/version")
    ]

    assert health == {"status": "ok"}
    assert {"tasks": "ok", "users": "ok"}.items() <= ready.items()
    assert set(version) == {"name", "version"}


async def answers_of_all_kinds(
    user: UserClient, anonymous: httpx.AsyncClient, request_id: str
) -> list[httpx.Response]:
    headers = {"X-Request-ID": request_id}
    task = await user.create_task()
    return [
        await user.post("/tasks", json={"title": "x"}, headers=headers),
        await user.get("/tasks", headers=headers),
        await user.head("/tasks", headers=headers),
        await user.delete(f"/tasks/{task['id']}", headers=headers),
        await user.get(f"/tasks/{UNKNOWN_ID}", headers=headers),
        await user.post("/tasks", json={}, headers=headers),
        await user.put("/tasks", headers=headers),
        await user.options("/tasks", headers=headers),
        await user.get("/users/me", headers=headers),
        await user.get("/nothing", headers=headers),
        await anonymous.get("/tasks", headers=headers),
        await anonymous.get("/healthz", headers=headers),
        await anonymous.get("/docs", headers=headers),
    ]


@pytest.mark.parametrize(
    "request_id",
    ["12345678", "x" * 128, "a1.B2_c3:d4-e5", "00-0af7651916cd43dd8448eb211c80319c-01"],
)
async def test_a_plain_request_id_is_kept(
    as_user: UserClientFactory, anonymous: httpx.AsyncClient, request_id: str
) -> None:
    for response in await answers_of_all_kinds(as_user("ann"), anonymous, request_id):
        assert response.headers.get_list("x-request-id") == [request_id]


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
    as_user: UserClientFactory, anonymous: httpx.AsyncClient, request_id: str
) -> None:
    responses = await answers_of_all_kinds(as_user("ann"), anonymous, request_id)

    made = [response.headers["x-request-id"] for response in responses]
    assert request_id not in made
    assert all(REQUEST_ID.fullmatch(each) for each in made)
    assert len(set(made)) == len(made)


async def test_a_refusal_names_the_request_that_it_refuses(
    as_user: UserClientFactory, anonymous: httpx.AsyncClient
) -> None:
    for response in await answers_of_all_kinds(as_user("ann"), anonymous, "request-1"):
        if response.headers.get("content-type") == PROBLEM_TYPE:
            assert assert_problem(response, response.status_code)["request_id"] == "request-1"
