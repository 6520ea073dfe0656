"""The rules of the API contract that hold for every request and response."""

import json
import re
import tomllib
from pathlib import Path
from typing import Final, NotRequired, TypedDict

from httpx import Response

TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
"""RFC 3339 in UTC, with microseconds."""

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{8,128}")

_ROOT: Final = Path(__file__).parents[2]
_OPENAPI_DOCUMENT: Final = json.loads((_ROOT / "docs/openapi.json").read_text())
_CATALOGUE: Final = tomllib.loads(
    (_ROOT / "services/auth-gateway/src/auth_gateway/public/problems.toml").read_text()
)
"""What the pages of the codes say."""

PROBLEM_CODES: Final = frozenset(_OPENAPI_DOCUMENT["components"]["schemas"]["Code"]["enum"])
"""Every problem code that has a documentation page."""

PROBLEM_TYPE: Final = "application/problem+json"

STATUS_TITLES: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    410: "Gone",
    412: "Precondition Failed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
"""Source: RFC 9110, 15."""

PROTECTED_PATHS: Final = {
    "/tasks": ("GET", "POST", "PATCH", "DELETE"),
    "/tasks/changes": ("GET",),
    "/tasks/{task}": ("GET", "PATCH", "PUT", "DELETE"),
    "/lists": ("GET", "POST"),
    "/labels": ("GET",),
    "/users/me": ("GET", "PATCH", "DELETE"),
    "/users/me/export": ("GET",),
    "/users/me/import": ("POST",),
    "/users/{user}": ("GET",),
}
"""Paths that need a token, with their methods."""

PUBLIC_PATHS: Final = (
    "/healthz",
    "/readyz",
    "/version",
    "/openapi.json",
    "/docs",
    "/problems",
    "/llms.txt",
)
"""Paths that need no token."""

UNKNOWN_ID: Final = "01900000-0000-7000-8000-000000000000"
"""A valid id that no task has."""


class Task(TypedDict):
    """A task; every field is always present."""

    id: str
    user_id: str
    title: str
    description: str | None
    is_completed: bool
    status: str
    completed_at: str | None
    created_at: str
    updated_at: str
    version: int
    list_id: str | None
    due: dict[str, str | None] | None
    priority: str
    labels: list[str]
    position: str
    recurrence: dict[str, str] | None
    previous_id: str | None
    parent_id: str | None


class Profile(TypedDict):
    """A user profile; every field is always present."""

    id: str
    email: str | None
    time_zone: str
    auth_issuer: str
    auth_subject: str
    created_at: str
    updated_at: str


class FieldError(TypedDict):
    """One invalid value in a body, a query or a path."""

    location: list[str | int]
    code: str
    message: str


class Problem(TypedDict):
    """A problem document. Source: RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: NotRequired[list[FieldError]]
    errors_omitted: NotRequired[int]
    reason: NotRequired[str]
    hint: NotRequired[str]


_OPTIONAL_MEMBERS: Final = frozenset({"errors", "errors_omitted", "reason", "hint"})

_ERRORS_MAX: Final = 20
"""How many field errors a problem document lists; it counts the others."""


def assert_problem(response: Response, status: int, code: str | None = None) -> Problem:
    """Check everything that the contract promises about a problem document, and return it.

    Args:
        response: The response with the problem document.
        status: The expected HTTP status.
        code: The expected problem code; None accepts every documented code.
    """
    assert response.status_code == status, f"{response.status_code}: {response.text}"
    assert response.headers["content-type"] == PROBLEM_TYPE
    problem: Problem = response.json()
    if code is not None:
        assert problem["code"] == code
    assert problem["code"] in PROBLEM_CODES
    assert status in _CATALOGUE[problem["code"]]["statuses"]
    assert set(problem) - _OPTIONAL_MEMBERS == Problem.__required_keys__
    assert problem["type"] == f"/problems/{problem['code']}"
    assert (problem["status"], problem["title"]) == (status, STATUS_TITLES[status])
    assert re.fullmatch(r"[A-Z][^\n]*\.", problem["detail"])
    assert problem["request_id"] == response.headers["x-request-id"]
    _assert_field_errors(problem)
    _assert_problem_headers(response, problem)
    return problem


def _assert_field_errors(problem: Problem) -> None:
    errors = problem.get("errors", [])
    assert len(errors) <= _ERRORS_MAX
    if "errors_omitted" in problem:
        assert len(errors) == _ERRORS_MAX
        assert problem["errors_omitted"] > 0
    for error in errors:
        assert set(error) == {"location", "code", "message"}
        assert _CATALOGUE[error["code"]]["in_errors"]


def _assert_problem_headers(response: Response, problem: Problem) -> None:
    status = response.status_code
    if status == 401:
        assert problem["code"] in {"token-missing", "token-expired", "token-invalid"}
        challenge = 'Bearer error="invalid_token"'
        if problem["code"] == "token-missing":
            challenge = "Bearer"
        assert response.headers["www-authenticate"] == challenge
    else:
        assert "reason" not in problem
    if status == 405:
        assert {"OPTIONS"} < allowed_methods(response)
    is_retryable = status in {429, 500, 503} or problem["code"] == "key-in-use"
    assert ("retry-after" in response.headers) == is_retryable


def allowed_methods(response: Response) -> set[str]:
    """Return the methods that the header `Allow` lists."""
    return set(response.headers["allow"].split(", "))


def error_locations(problem: Problem) -> list[list[str | int]]:
    """Return the location of every field error."""
    return [error["location"] for error in problem.get("errors", [])]
