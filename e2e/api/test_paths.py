"""Spellings of paths, paths that must not be reachable, HEAD, and request ids."""

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

TRANSFER_PATHS: Final = {"/users/me/export", "/users/me/import"}
"""Paths that are not compared: every export differs, and GET of an import is no success."""

READABLE_PATHS: Final = (
    *(PROTECTED_PATHS.keys() - TRANSFER_PATHS),
    *PUBLIC_PATHS,
    "/problems/not-found",
)

INTERNAL_PATHS: Final = (
    "internal/users/me",
    "internal/owner",
    "edge-errors/502",
    "decide",
    "metrics",
)

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


def raw_target(target: str) -> dict[str, bytes]:
    """Return the extension of httpx that sends this request target without normalizing it."""
    return {"target": target.encode()}


async def readable_paths(user: UserClient) -> list[str]:
    """Return paths that the user can read."""
    task = await user.create_task()
    return [path.format(task=task["id"], user=user.id) for path in READABLE_PATHS]


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_internal_paths_are_not_reachable(as_user: UserClientFactory, spelling: str) -> None:
    ann = as_user("ann")

    for path in INTERNAL_PATHS:
        target = raw_target(spelling.format(path))
        for method in ("GET", "PUT", "POST", "DELETE"):
            response = await ann.request(method, "/", extensions=target)
            # A path below /users/ has the methods of /users/{id}, whatever its last part is.
            assert response.status_code in {400, 404, 405}, f"{method} {path}"


@pytest.mark.parametrize("path", INTERNAL_PATHS)
async def test_internal_paths_are_not_reachable_in_other_letters(
    as_user: UserClientFactory, path: str
) -> None:
    ann = as_user("ann")
    segments = ["".join(f"%{byte:02x}" for byte in segment.encode()) for segment in path.split("/")]
    encoded = "/".join(segments)
    first_letter_encoded = encoded[:3] + path[1:]

    for spelling in (path.upper(), path.title(), encoded, encoded.upper(), first_letter_encoded):
        for prefix in ("/", "/users/../", "/users/%2e%2e/"):
            response = await ann.put("/", extensions=raw_target(prefix + spelling))
            assert response.status_code in {400, 404}


@pytest.mark.parametrize(
    "name", ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-HTTP-Method-Override"]
)
async def test_no_header_changes_the_path_or_the_method(
    as_user: UserClientFactory, name: str
) -> None:
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
async def test_every_spelling_of_a_path_means_the_same_or_is_rejected(
    as_user: UserClientFactory, target: str
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()

    response = await ann.get("/", extensions=raw_target(target))

    if response.status_code not in {400, 404}:
        assert response.json() == [task]


async def test_a_trailing_slash_is_accepted(as_user: UserClientFactory) -> None:
    ann = as_user("ann")

    for path in await readable_paths(ann):
        without_slash = await ann.get(path)
        with_slash = await ann.get(f"{path}/")
        assert with_slash.status_code == without_slash.status_code
        assert with_slash.content == without_slash.content


async def test_a_trailing_slash_is_accepted_with_every_method(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    created = await ann.post("/tasks/", json={"title": "x"})
    path = f"/tasks/{created.json()['id']}/"
    patched = await ann.patch(path, json={"title": "y"})
    replaced = await ann.put(path, json={"title": "z"})
    profile = await ann.patch("/users/me/", json={"time_zone": "Europe/Berlin"})
    listed = await ann.get("/tasks/", params={"limit": 1})
    deleted = await ann.delete(path)

    assert created.status_code == 201
    assert f"{created.headers['location']}/" == path
    assert patched.json()["title"] == "y"
    assert replaced.json()["title"] == "z"
    assert profile.status_code == 200
    assert listed.json()[0]["title"] == "z"
    assert deleted.status_code == 204


async def test_head_is_get_without_a_body(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    ann.headers["X-Request-ID"] = "the-same-for-both"
    paths = await readable_paths(ann)
    paths += [f"/tasks/{UNKNOWN_ID}", "/tasks?limit=0", "/nothing"]

    for path in paths:
        get_response = await ann.get(path)
        get_response.headers.pop("date", None)
        head_response = await ann.head(path)
        head_response.headers.pop("date", None)
        assert head_response.status_code == get_response.status_code
        assert head_response.headers == get_response.headers
        assert head_response.content == b""


async def test_head_needs_a_token_as_get_does(anonymous: httpx.AsyncClient) -> None:
    for path in ("/tasks", f"/tasks/{UNKNOWN_ID}", "/users/me"):
        response = await anonymous.head(path)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", PUBLIC_PATHS)
async def test_public_paths_need_no_token(anonymous: httpx.AsyncClient, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        response = await anonymous.get(path, headers=headers)
        assert response.status_code == 200


async def test_health_readiness_and_version(anonymous: httpx.AsyncClient) -> None:
    health = await anonymous.get("/healthz")
    readiness = await anonymous.get("/readyz")
    version = await anonymous.get("/version")

    assert health.json() == {"status": "ok"}
    assert readiness.json()["tasks"] == "ok"
    assert readiness.json()["users"] == "ok"
    assert set(version.json()) == {"name", "version"}


async def collect_responses(
    user: UserClient, anonymous: httpx.AsyncClient, request_id: str
) -> list[httpx.Response]:
    """Return responses of every kind to requests with this id."""
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
async def test_a_valid_request_id_is_returned(
    as_user: UserClientFactory, anonymous: httpx.AsyncClient, request_id: str
) -> None:
    for response in await collect_responses(as_user("ann"), anonymous, request_id):
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
async def test_an_invalid_request_id_is_replaced(
    as_user: UserClientFactory, anonymous: httpx.AsyncClient, request_id: str
) -> None:
    responses = await collect_responses(as_user("ann"), anonymous, request_id)

    returned_ids = [response.headers["x-request-id"] for response in responses]
    assert request_id not in returned_ids
    for returned_id in returned_ids:
        assert REQUEST_ID.fullmatch(returned_id)
    assert len(set(returned_ids)) == len(returned_ids)


async def test_a_problem_contains_the_request_id(
    as_user: UserClientFactory, anonymous: httpx.AsyncClient
) -> None:
    for response in await collect_responses(as_user("ann"), anonymous, "request-1"):
        if response.headers.get("content-type") == PROBLEM_TYPE:
            problem = assert_problem(response, response.status_code)
            assert problem["request_id"] == "request-1"
