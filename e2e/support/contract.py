"""What the contract says about everything that goes over the wire."""

import json
import re
from pathlib import Path
from typing import Final, NotRequired, TypedDict

from httpx import Response

INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
"""RFC 3339 in UTC, with microseconds."""

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{8,128}")

CODES: Final = frozenset(
    json.loads((Path(__file__).parents[2] / "docs/openapi.json").read_text())["components"][
        "schemas"
    ]["Code"]["enum"]
)
"""Every code that has a page."""

PROBLEM_TYPE: Final = "application/problem+json"

TITLES: Final = {
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

PROTECTED: Final = {
    "/tasks": ("GET", "POST"),
    "/tasks/changes": ("GET",),
    "/tasks/{task}": ("GET", "PATCH", "PUT", "DELETE"),
    "/lists": ("GET", "POST"),
    "/labels": ("GET",),
    "/users/me": ("GET", "PATCH", "DELETE"),
    "/users/me/export": ("GET",),
    "/users/me/import": ("POST",),
    "/users/{user}": ("GET",),
}
"""Addresses that need a token, with their verbs."""

PUBLIC: Final = ("/healthz", "/readyz", "/version", "/openapi.json", "/docs")
"""Addresses that everybody may read."""

SOME_ID: Final = "01900000-0000-7000-8000-000000000000"
"""The id of no task."""


class Task(TypedDict):
    """A task: every field is always there."""

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


class Profile(TypedDict):
    """A user: every field is always there."""

    id: str
    email: str | None
    time_zone: str
    auth_issuer: str
    auth_subject: str
    created_at: str
    updated_at: str


class Fault(TypedDict):
    """One thing that is wrong with a body, a query or a path."""

    location: list[str | int]
    code: str
    message: str


class Problem(TypedDict):
    """A refusal."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: NotRequired[list[Fault]]
    errors_omitted: NotRequired[int]
    reason: NotRequired[str]


def problem_of(answer: Response, status: int, code: str | None = None) -> Problem:
    """Return what a refusal says, having looked at all that every refusal promises."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
    assert answer.headers["content-type"] == PROBLEM_TYPE
    document: Problem = answer.json()
    assert document["code"] == (code or document["code"])
    assert set(document) - {"errors", "errors_omitted", "reason"} == Problem.__required_keys__
    assert document["type"] == f"/problems/{document['code']}"
    assert (document["status"], document["title"]) == (status, TITLES[status])
    assert re.fullmatch(r"[A-Z][^\n]*\.", document["detail"])
    assert document["code"] in CODES
    assert document["request_id"] == answer.headers["x-request-id"]
    faults = document.get("errors", [])
    assert len(faults) <= 20
    assert "errors_omitted" not in document or (
        len(faults) == 20 and document["errors_omitted"] > 0
    )
    for fault in faults:
        assert set(fault) == {"location", "code", "message"}
        assert fault["code"] in CODES
    _require_headers(answer, document)
    return document


def _require_headers(answer: Response, document: Problem) -> None:
    if answer.status_code == 401:
        assert document["code"] in {"token-missing", "token-expired", "token-invalid"}
        expected = (
            "Bearer" if document["code"] == "token-missing" else 'Bearer error="invalid_token"'
        )
        assert answer.headers["www-authenticate"] == expected
    else:
        assert "reason" not in document
    if answer.status_code == 405:
        assert {"OPTIONS"} < verbs_of(answer)
    waits = answer.status_code in {429, 500, 503} or document["code"] == "key-in-use"
    assert waits == ("retry-after" in answer.headers)


def verbs_of(answer: Response) -> set[str]:
    """Return the verbs that `Allow` lists."""
    return set(answer.headers["allow"].split(", "))


def places_of(problem: Problem) -> list[list[str | int]]:
    """Return where the faults are."""
    return [fault["location"] for fault in problem.get("errors", [])]
