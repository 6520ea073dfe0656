"""Refusals, as the problem documents that RFC 9457 describes."""

import json
from typing import Final

import pytest

from common.problems import (
    BadRequest,
    FieldError,
    NotFound,
    ProblemError,
    ServerError,
    Unauthorized,
    Unavailable,
    problem_response,
)

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
    414: "URI Too Long",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
"""Source: RFC 9110, 15.5 and 15.6; RFC 6585, 4 and 5."""

KINDS = sorted(ProblemError.__subclasses__(), key=lambda kind: kind.status)


def document(refusal: ProblemError, *, explain: bool = False) -> dict[str, object]:
    return json.loads(bytes(problem_response(refusal, "request-1", explain=explain).body))


def test_each_status_has_the_title_of_the_standard_on_every_python() -> None:
    assert {
        kind.status: kind.title for kind in KINDS if kind.__module__ == "common.problems"
    } == TITLES


@pytest.mark.parametrize("kind", KINDS)
def test_a_refusal_without_words_says_what_its_class_says(kind: type[ProblemError]) -> None:
    refusal = kind()

    assert document(refusal) == {
        "type": f"/problems/{refusal.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": kind.__doc__,
        "code": kind.title.lower().replace(" ", "-"),
        "request_id": "request-1",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_what_passes_soon_says_when_to_come_back(kind: type[ProblemError]) -> None:
    assert ("Retry-After" in (kind().headers or {})) == (kind.status in {429, 500, 503})
    assert Unavailable(headers={"Retry-After": "7"}).headers == {"Retry-After": "7"}


def test_whoever_is_not_known_is_asked_for_a_token() -> None:
    assert Unauthorized().headers == {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    assert Unauthorized(headers={"WWW-Authenticate": "Bearer"}).headers == {
        "WWW-Authenticate": "Bearer"
    }


def test_the_raiser_may_say_more() -> None:
    fault = FieldError(location=["body", "title"], code="missing", message="Field required")
    refusal = BadRequest(
        "task-unreadable", "Nobody can read it.", errors=[fault], headers={"X-More": "yes"}
    )
    answer = problem_response(refusal, "request-1")

    assert (answer.status_code, answer.headers["x-more"]) == (400, "yes")
    assert answer.headers["content-type"] == "application/problem+json"
    said = document(refusal)
    assert (said["code"], said["detail"], said["errors"]) == (
        "task-unreadable",
        "Nobody can read it.",
        [fault],
    )


def test_only_a_401_is_explained_and_only_where_that_is_wanted() -> None:
    refusal = Unauthorized("token-invalid", reason="wrong-audience")

    assert "reason" not in document(refusal)
    assert document(refusal, explain=True)["reason"] == "wrong-audience"
    assert "reason" not in document(Unauthorized(), explain=True)
    assert "reason" not in document(NotFound(reason="not-yours"), explain=True)
    assert "reason" not in document(ServerError(reason="a-bug"), explain=True)


def test_at_most_20_faults_are_listed_and_the_others_counted() -> None:
    faults = [
        FieldError(location=["body", str(number)], code="missing", message="Field required")
        for number in range(25)
    ]

    assert "errors_omitted" not in document(BadRequest(errors=faults[:20]))
    first = BadRequest(errors=faults)
    assert (document(first)["errors"], document(first)["errors_omitted"]) == (faults[:20], 5)
    again = BadRequest(errors=first.errors, errors_omitted=first.errors_omitted)
    assert document(again) == document(first)
