"""Problem documents, as RFC 9457 describes them."""

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

PROBLEM_CLASSES = sorted(
    ProblemError.__subclasses__(), key=lambda problem_class: problem_class.status
)


def document(problem: ProblemError, *, explain: bool = False) -> dict[str, object]:
    return json.loads(bytes(problem_response(problem, "request-1", explain=explain).body))


def test_each_status_has_the_title_of_the_standard_on_every_python() -> None:
    assert {
        problem_class.status: problem_class.title
        for problem_class in PROBLEM_CLASSES
        if problem_class.__module__ == "common.problems"
    } == TITLES


@pytest.mark.parametrize("problem_class", PROBLEM_CLASSES)
def test_a_problem_without_a_detail_has_the_defaults_of_its_class(
    problem_class: type[ProblemError],
) -> None:
    problem = problem_class()

    assert document(problem) == {
        "type": f"/problems/{problem.code}",
        "title": problem_class.title,
        "status": problem_class.status,
        "detail": problem_class.__doc__,
        "code": problem_class.title.lower().replace(" ", "-"),
        "request_id": "request-1",
    }


@pytest.mark.parametrize("problem_class", PROBLEM_CLASSES)
def test_a_temporary_problem_has_a_retry_after_header(problem_class: type[ProblemError]) -> None:
    assert ("Retry-After" in (problem_class().headers or {})) == (
        problem_class.status in {429, 500, 503}
    )
    assert Unavailable(headers={"Retry-After": "7"}).headers == {"Retry-After": "7"}


def test_a_401_has_a_bearer_challenge() -> None:
    assert Unauthorized().headers == {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    assert Unauthorized(headers={"WWW-Authenticate": "Bearer"}).headers == {
        "WWW-Authenticate": "Bearer"
    }


def test_a_problem_can_have_a_code_detail_errors_and_headers() -> None:
    field_error = FieldError(location=["body", "title"], code="missing", message="Field required")
    problem = BadRequest(
        "task-unreadable", "Nobody can read it.", errors=[field_error], headers={"X-More": "yes"}
    )
    response = problem_response(problem, "request-1")

    assert (response.status_code, response.headers["x-more"]) == (400, "yes")
    assert response.headers["content-type"] == "application/problem+json"
    problem_document = document(problem)
    assert (problem_document["code"], problem_document["detail"], problem_document["errors"]) == (
        "task-unreadable",
        "Nobody can read it.",
        [field_error],
    )


def test_only_a_401_is_explained_and_only_on_request() -> None:
    problem = Unauthorized("token-invalid", reason="wrong-audience")

    assert "reason" not in document(problem)
    assert document(problem, explain=True)["reason"] == "wrong-audience"
    assert "reason" not in document(Unauthorized(), explain=True)
    assert "reason" not in document(NotFound(reason="not-yours"), explain=True)
    assert "reason" not in document(ServerError(reason="a-bug"), explain=True)


def test_a_hint_for_developers_is_shown_only_on_request() -> None:
    for problem_class in (Unauthorized, Unavailable):
        problem = problem_class()
        problem.hint = "Set BETTER_AUTH_URL."

        assert "hint" not in document(problem)
        assert document(problem, explain=True) == document(problem) | {
            "hint": "Set BETTER_AUTH_URL."
        }


def test_at_most_20_errors_are_listed_and_the_others_counted() -> None:
    field_errors = [
        FieldError(location=["body", str(number)], code="missing", message="Field required")
        for number in range(25)
    ]

    assert "errors_omitted" not in document(BadRequest(errors=field_errors[:20]))
    first = BadRequest(errors=field_errors)
    assert (document(first)["errors"], document(first)["errors_omitted"]) == (field_errors[:20], 5)
    copy = BadRequest(errors=first.errors, errors_omitted=first.errors_omitted)
    assert document(copy) == document(first)
