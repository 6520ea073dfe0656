"""Refusals: one shape everywhere, the right status, and the order in which things are looked at."""

from collections.abc import AsyncIterator
from typing import Final, NamedTuple

import httpx
import pytest

from e2e.support.contract import (
    PROTECTED_PATHS,
    PUBLIC_PATHS,
    UNKNOWN_ID,
    allowed_methods,
    assert_problem,
)
from e2e.support.user_client import UserClientFactory

METHODS: Final = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "PROPFIND",
    "PURGE",
)

ALL_PATHS: Final = {
    **PROTECTED_PATHS,
    **dict.fromkeys([*PUBLIC_PATHS, "/problems/not-found"], ("GET",)),
}

UNKNOWN: Final = (
    "/",
    "/nothing",
    "/task",
    "/tasksx",
    "/TASKS",
    "/tasks;x",
    f"/tasks/{UNKNOWN_ID}/title",
    "/users",
    "/users/me/tasks",
    "/user/me",
    "/api/tasks",
    "/problems",
    "/problems/not-found/x",
    "/docs/x",
    "/openapi.yaml",
    "/redoc",
    "/favicon.ico",
    "/robots.txt",
    "/.env",
    "/" + "x" * 2_000,
    "/" + "x/" * 1_000,
)

NO_IDS: Final = (
    "x",
    "0",
    "None",
    "null",
    UNKNOWN_ID[:-1],
    UNKNOWN_ID + "0",
    UNKNOWN_ID[:-1] + "g",
    "\u0661" * 36,
    f"{UNKNOWN_ID};x",
    "{x}",
)


class Flawed(NamedTuple):
    """A request with several things wrong, and the first of them that is found."""

    wrong: str
    status: int
    code: str
    method: str = "POST"
    path: str = "/tasks"
    media_type: str = "application/json"
    body: bytes = b'{"title": "x"}'


OTHER: Final = UNKNOWN_ID.encode()
LONG: Final = b'{"title": "x", "user_id": "' + OTHER + b'"'.ljust(70_000)

FLAWED: Final = (
    Flawed("length, type, form", 413, "content-too-large", media_type="text/plain", body=LONG),
    Flawed("length, address", 413, "content-too-large", "PATCH", "/tasks/x?x=1", body=LONG),
    Flawed("type, form", 415, "unsupported-media-type", media_type="text/plain", body=b"{"),
    Flawed(
        "type, query", 415, "unsupported-media-type", path="/tasks?x=1", media_type="text/plain"
    ),
    Flawed("type, address", 415, "unsupported-media-type", "PATCH", "/tasks/x", "text/plain"),
    Flawed(
        "type, user",
        415,
        "unsupported-media-type",
        path=f"/tasks?user_id={UNKNOWN_ID}",
        media_type="text/plain",
    ),
    Flawed("form, user", 400, "bad-request", path=f"/tasks?user_id={UNKNOWN_ID}", body=b"{"),
    Flawed("value, user", 400, "bad-request", body=b'{"title": 1, "user_id": "' + OTHER + b'"}'),
    Flawed(
        "query, user",
        400,
        "bad-request",
        path="/tasks?x=1",
        body=b'{"title": "x", "user_id": "' + OTHER + b'"}',
    ),
    Flawed("query, rule", 400, "bad-request", path="/tasks?x=1", body=b'{"title": ""}'),
    Flawed("address, user", 400, "bad-request", "PATCH", f"/tasks/x?user_id={UNKNOWN_ID}"),
    Flawed("address, rule", 400, "bad-request", "PATCH", "/tasks/x", body=b'{"title": ""}'),
    Flawed("user, rule", 403, "other-user", body=b'{"title": "", "user_id": "' + OTHER + b'"}'),
    Flawed(
        "user, rule in the query",
        403,
        "other-user",
        path=f"/tasks?user_id={UNKNOWN_ID}",
        body=b'{"x": 1}',
    ),
    Flawed(
        "user, missing", 403, "other-user", "PATCH", f"/tasks/{UNKNOWN_ID}?user_id={UNKNOWN_ID}"
    ),
    Flawed(
        "rule, missing", 422, "invalid-body", "PATCH", f"/tasks/{UNKNOWN_ID}", body=b'{"title": ""}'
    ),
    Flawed("rule, missing whole", 422, "invalid-body", "PUT", f"/tasks/{UNKNOWN_ID}", body=b"{}"),
    Flawed(
        "rule, missing deletion",
        422,
        "invalid-body",
        "DELETE",
        f"/tasks/{UNKNOWN_ID}",
        body=b'{"x": 1}',
    ),
)


@pytest.mark.parametrize("flawed", FLAWED, ids=lambda flawed: flawed.wrong)
async def test_of_several_flaws_the_first_in_order_is_told(
    as_user: UserClientFactory, flawed: Flawed
) -> None:
    ann = as_user("ann")

    response = await ann.request(
        flawed.method, flawed.path, content=flawed.body, headers={"Content-Type": flawed.media_type}
    )

    assert_problem(response, flawed.status, flawed.code)
    assert await ann.list_tasks() == []


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    yield body


@pytest.mark.parametrize("flawed", FLAWED, ids=lambda flawed: flawed.wrong)
async def test_nothing_of_a_request_is_looked_at_without_a_token(
    anonymous: httpx.AsyncClient, flawed: Flawed
) -> None:
    headers = {"Content-Type": flawed.media_type}

    # A length that is announced may be refused first; one that is found out may not.
    response = await anonymous.request(
        flawed.method, flawed.path, content=in_pieces(flawed.body), headers=headers
    )

    assert_problem(response, 401, "token-missing")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", UNKNOWN)
async def test_there_is_nothing_at_an_unknown_address(
    as_user: UserClientFactory, method: str, path: str
) -> None:
    assert_problem(await as_user("ann").request(method, path), 404, "not-found")


@pytest.mark.parametrize("path", UNKNOWN)
async def test_an_unknown_address_may_be_told_without_a_token(
    anonymous: httpx.AsyncClient, path: str
) -> None:
    response = await anonymous.get(path)

    assert response.status_code in {401, 404}
    assert_problem(response, response.status_code)


@pytest.mark.parametrize("path", ALL_PATHS)
async def test_a_verb_is_allowed_or_refused_as_the_address_says(
    as_user: UserClientFactory, path: str
) -> None:
    ann = as_user("ann")
    path = path.format(task=UNKNOWN_ID, user=ann.id)
    responses = {method: await ann.request(method, path) for method in METHODS}

    refused = {method for method, response in responses.items() if response.status_code == 405}

    allowed = {*ALL_PATHS[path], "OPTIONS", *(("HEAD",) if "GET" in ALL_PATHS[path] else ())}
    assert allowed <= allowed_methods(responses["OPTIONS"])
    assert set(METHODS) - refused == allowed_methods(responses["OPTIONS"])
    for method in refused - {"HEAD"}:
        assert_problem(responses[method], 405, "method-not-allowed")
        assert allowed_methods(responses[method]) == allowed_methods(responses["OPTIONS"])


@pytest.mark.parametrize("path", ALL_PATHS)
async def test_an_address_tells_its_verbs_without_a_body(
    as_user: UserClientFactory, path: str
) -> None:
    ann = as_user("ann")

    response = await ann.options(path.format(task=UNKNOWN_ID, user=ann.id))

    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("text", NO_IDS)
async def test_an_id_that_is_no_uuid_cannot_be_read(
    as_user: UserClientFactory, method: str, text: str
) -> None:
    body = b"{}" if method == "DELETE" else b'{"title": "x"}' if method != "GET" else None

    response = await as_user("ann").request(method, f"/tasks/{text}", content=body)

    problem = assert_problem(response, 400, "bad-request")
    assert all(fault["location"] == ["path", "task_id"] for fault in problem.get("errors", []))


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
async def test_an_id_may_be_written_in_any_case(as_user: UserClientFactory, method: str) -> None:
    ann = as_user("ann")
    task = await ann.create_task()
    body = {"title": "x"} if method in {"PATCH", "PUT"} else None

    assert (await ann.request(method, f"/tasks/{task['id'].upper()}", json=body)).is_success


@pytest.mark.scenario("S001-FR-006", "S002-FR-005")
async def test_each_code_has_a_page_that_explains_it(
    as_user: UserClientFactory, anonymous: httpx.AsyncClient
) -> None:
    ann = as_user("ann")
    refused = [
        await anonymous.get("/tasks"),
        await ann.get("/tasks?limit=0"),
        await ann.get(f"/users/{UNKNOWN_ID}"),
        await ann.get("/nothing"),
        await ann.get(f"/tasks/{UNKNOWN_ID}"),
        await ann.put("/tasks"),
        await ann.post("/tasks", content=LONG),
        await ann.post("/tasks", content=b"", headers={"Content-Type": "text/plain"}),
        await ann.post("/tasks", json={}),
        await ann.post("/tasks", json={"title": "x", "is_completed": True, "status": "pending"}),
        await ann.patch(f"/tasks/{UNKNOWN_ID}", json={"id": ann.id}),
    ]

    for response in refused:
        page = await anonymous.get(assert_problem(response, response.status_code)["type"])
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert response.json()["code"] in page.text
    assert len({response.json()["code"] for response in refused}) == len(refused)
    assert_problem(await anonymous.get("/problems/no-such-code"), 404, "not-found")
