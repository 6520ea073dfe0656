"""Problems: one form for all, the right status, and the order of the checks."""

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

PUBLIC_METHODS: Final = dict.fromkeys([*PUBLIC_PATHS, "/problems/not-found"], ("GET",))

ALLOWED_METHODS: Final = PROTECTED_PATHS | PUBLIC_METHODS
"""All paths, with their methods."""

UNKNOWN_PATHS: Final = (
    "/nothing",
    "/index.html",
    "/assets",
    "/task",
    "/tasksx",
    "/TASKS",
    "/tasks;x",
    f"/tasks/{UNKNOWN_ID}/title",
    "/users",
    "/users/me/tasks",
    "/user/me",
    "/api/tasks",
    "/problem",
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

INVALID_IDS: Final = (
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


class InvalidRequest(NamedTuple):
    """A request that fails several checks, and the problem of the first one."""

    failed_checks: str
    status: int
    code: str
    method: str = "POST"
    path: str = "/tasks"
    media_type: str = "application/json"
    body: bytes = b'{"title": "x"}'


OTHER_USER: Final = UNKNOWN_ID.encode()
TOO_LARGE: Final = b'{"title": "x", "user_id": "' + OTHER_USER + b'"'.ljust(70_000)

INVALID_REQUESTS: Final = (
    InvalidRequest(
        "length, media type, JSON",
        413,
        "content-too-large",
        media_type="text/plain",
        body=TOO_LARGE,
    ),
    InvalidRequest(
        "length, path", 413, "content-too-large", "PATCH", "/tasks/x?x=1", body=TOO_LARGE
    ),
    InvalidRequest(
        "media type, JSON", 415, "unsupported-media-type", media_type="text/plain", body=b"{"
    ),
    InvalidRequest(
        "media type, query",
        415,
        "unsupported-media-type",
        path="/tasks?x=1",
        media_type="text/plain",
    ),
    InvalidRequest(
        "media type, path", 415, "unsupported-media-type", "PATCH", "/tasks/x", "text/plain"
    ),
    InvalidRequest(
        "media type, user",
        415,
        "unsupported-media-type",
        path=f"/tasks?user_id={UNKNOWN_ID}",
        media_type="text/plain",
    ),
    InvalidRequest(
        "JSON, user", 400, "bad-request", path=f"/tasks?user_id={UNKNOWN_ID}", body=b"{"
    ),
    InvalidRequest(
        "type of a value, user",
        400,
        "bad-request",
        body=b'{"title": 1, "user_id": "' + OTHER_USER + b'"}',
    ),
    InvalidRequest(
        "query, user",
        400,
        "bad-request",
        path="/tasks?x=1",
        body=b'{"title": "x", "user_id": "' + OTHER_USER + b'"}',
    ),
    InvalidRequest("query, rule", 400, "bad-request", path="/tasks?x=1", body=b'{"title": ""}'),
    InvalidRequest("path, user", 400, "bad-request", "PATCH", f"/tasks/x?user_id={UNKNOWN_ID}"),
    InvalidRequest("path, rule", 400, "bad-request", "PATCH", "/tasks/x", body=b'{"title": ""}'),
    InvalidRequest(
        "user, rule", 403, "other-user", body=b'{"title": "", "user_id": "' + OTHER_USER + b'"}'
    ),
    InvalidRequest(
        "user, rule in the query",
        403,
        "other-user",
        path=f"/tasks?user_id={UNKNOWN_ID}",
        body=b'{"x": 1}',
    ),
    InvalidRequest(
        "user, missing task",
        403,
        "other-user",
        "PATCH",
        f"/tasks/{UNKNOWN_ID}?user_id={UNKNOWN_ID}",
    ),
    InvalidRequest(
        "rule, missing task",
        422,
        "invalid-body",
        "PATCH",
        f"/tasks/{UNKNOWN_ID}",
        body=b'{"title": ""}',
    ),
    InvalidRequest(
        "rule, missing task to replace",
        422,
        "invalid-body",
        "PUT",
        f"/tasks/{UNKNOWN_ID}",
        body=b"{}",
    ),
    InvalidRequest(
        "rule, missing task to delete",
        422,
        "invalid-body",
        "DELETE",
        f"/tasks/{UNKNOWN_ID}",
        body=b'{"x": 1}',
    ),
)


FAILED_CHECKS: Final = [request.failed_checks for request in INVALID_REQUESTS]


@pytest.mark.parametrize("invalid_request", INVALID_REQUESTS, ids=FAILED_CHECKS)
async def test_the_first_failed_check_decides_the_problem(
    as_user: UserClientFactory, invalid_request: InvalidRequest
) -> None:
    ann = as_user("ann")

    response = await ann.request(
        invalid_request.method,
        invalid_request.path,
        content=invalid_request.body,
        headers={"Content-Type": invalid_request.media_type},
    )

    assert_problem(response, invalid_request.status, invalid_request.code)
    assert await ann.list_tasks() == []


async def stream_body(body: bytes) -> AsyncIterator[bytes]:
    """Yield a body whose length is not announced."""
    yield body


@pytest.mark.parametrize("invalid_request", INVALID_REQUESTS, ids=FAILED_CHECKS)
async def test_the_token_is_checked_before_everything_else(
    anonymous: httpx.AsyncClient, invalid_request: InvalidRequest
) -> None:
    # Only an announced length may be checked before the token.
    response = await anonymous.request(
        invalid_request.method,
        invalid_request.path,
        content=stream_body(invalid_request.body),
        headers={"Content-Type": invalid_request.media_type},
    )

    assert_problem(response, 401, "token-missing")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", UNKNOWN_PATHS)
async def test_an_unknown_path_is_not_found(
    as_user: UserClientFactory, method: str, path: str
) -> None:
    response = await as_user("ann").request(method, path)

    assert_problem(response, 404, "not-found")


@pytest.mark.parametrize("path", UNKNOWN_PATHS)
async def test_an_unknown_path_without_a_token_is_unauthorized_or_not_found(
    anonymous: httpx.AsyncClient, path: str
) -> None:
    response = await anonymous.get(path)

    assert response.status_code in {401, 404}
    assert_problem(response, response.status_code)


@pytest.mark.parametrize("path", ALLOWED_METHODS)
async def test_exactly_the_allowed_methods_are_accepted(
    as_user: UserClientFactory, path: str
) -> None:
    ann = as_user("ann")
    url = path.format(task=UNKNOWN_ID, user=ann.id)
    responses: dict[str, httpx.Response] = {}
    rejected: set[str] = set()
    for method in METHODS:
        responses[method] = await ann.request(method, url)
        if responses[method].status_code == 405:
            rejected.add(method)

    documented = {"OPTIONS", *ALLOWED_METHODS[path]}
    if "GET" in documented:
        documented.add("HEAD")
    allowed = allowed_methods(responses["OPTIONS"])
    assert documented <= allowed
    assert set(METHODS) - rejected == allowed
    for method in rejected - {"HEAD"}:
        assert_problem(responses[method], 405, "method-not-allowed")
        assert allowed_methods(responses[method]) == allowed


@pytest.mark.parametrize("path", ALLOWED_METHODS)
async def test_options_has_no_body(as_user: UserClientFactory, path: str) -> None:
    ann = as_user("ann")

    response = await ann.options(path.format(task=UNKNOWN_ID, user=ann.id))

    assert response.status_code == 204
    assert response.content == b""


@pytest.mark.parametrize(
    ("method", "body"),
    [("GET", None), ("PATCH", b'{"title": "x"}'), ("PUT", b'{"title": "x"}'), ("DELETE", b"{}")],
)
@pytest.mark.parametrize("task_id", INVALID_IDS)
async def test_an_id_that_is_no_uuid_is_a_bad_request(
    as_user: UserClientFactory, method: str, body: bytes | None, task_id: str
) -> None:
    response = await as_user("ann").request(method, f"/tasks/{task_id}", content=body)

    problem = assert_problem(response, 400, "bad-request")
    for error in problem.get("errors", []):
        assert error["location"] == ["path", "task_id"]


@pytest.mark.parametrize(
    ("method", "body"),
    [("GET", None), ("PATCH", {"title": "x"}), ("PUT", {"title": "x"}), ("DELETE", None)],
)
async def test_the_case_of_an_id_does_not_matter(
    as_user: UserClientFactory, method: str, body: dict[str, str] | None
) -> None:
    ann = as_user("ann")
    task = await ann.create_task()

    response = await ann.request(method, f"/tasks/{task['id'].upper()}", json=body)

    assert response.is_success


@pytest.mark.scenario("S001-FR-006", "S002-FR-005")
async def test_every_problem_code_has_a_documentation_page(
    as_user: UserClientFactory, anonymous: httpx.AsyncClient
) -> None:
    ann = as_user("ann")
    contradiction = {"title": "x", "is_completed": True, "status": "pending"}
    responses = [
        await anonymous.get("/tasks"),
        await ann.get("/tasks?limit=0"),
        await ann.get(f"/users/{UNKNOWN_ID}"),
        await ann.get("/nothing"),
        await ann.get(f"/tasks/{UNKNOWN_ID}"),
        await ann.put("/tasks"),
        await ann.post("/tasks", content=TOO_LARGE),
        await ann.post("/tasks", content=b"", headers={"Content-Type": "text/plain"}),
        await ann.post("/tasks", json={}),
        await ann.post("/tasks", json=contradiction),
        await ann.patch(f"/tasks/{UNKNOWN_ID}", json={"id": ann.id}),
    ]

    codes: set[str] = set()
    for response in responses:
        problem = assert_problem(response, response.status_code)
        codes.add(problem["code"])
        page = await anonymous.get(problem["type"])
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert problem["code"] in page.text
    assert len(codes) == len(responses)
    unknown_page = await anonymous.get("/problems/no-such-code")
    assert_problem(unknown_page, 404, "not-found")
