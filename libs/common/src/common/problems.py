"""Problems (RFC 9457): raised where a rule is broken, rendered in one place.

    HTTPException
    └── ProblemError                  every response that is not a success
        ├── BadRequest                400  the request cannot be read
        ├── Unauthorized              401  there is no valid token
        ├── Forbidden                 403  the request names another user
        ├── NotFound                  404  it does not exist, or belongs to another user
        ├── MethodNotAllowed          405
        ├── RequestTimeout            408  the body was sent too slowly
        ├── Conflict                  409  the state of the resource does not allow it
        ├── Gone                      410  the service no longer knows it
        ├── PreconditionFailed        412  If-Match or If-None-Match does not hold
        ├── BodyTooLarge              413
        ├── UriTooLong                414
        ├── UnsupportedMediaType      415
        ├── Unprocessable             422  the request can be read, but breaks a rule
        ├── TooManyRequests           429
        ├── HeadersTooLarge           431
        ├── ServerError               500  the database is lost, or there is a bug
        ├── BadGateway                502  a service sent an invalid response or none
        ├── Unavailable               503  a deadline passed, or a needed service is not available
        └── GatewayTimeout            504  a service did not respond in time

The class fixes the status; code that raises it may add one sentence for the client.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from fastapi import HTTPException
from starlette.responses import JSONResponse
from typing_extensions import TypedDict

PROBLEM_TYPE: Final = "application/problem+json"
"""Source: RFC 9457, 3."""

Headers = Mapping[str, str]

RETRY_SOON: Final[Headers] = {"Retry-After": "1"}
"""For problems that may be over soon, in seconds. Source: RFC 9110, 10.2.3."""

ERRORS_MAX: Final = 20
"""Errors that a problem document lists; the others are only counted."""

INVALID_TOKEN_CHALLENGE: Final[Headers] = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
"""For a token that was sent and is invalid. Source: RFC 6750, 3."""


class FieldError(TypedDict):
    """An error in a body, a query or a path. Contains nothing of what was sent."""

    location: list[str | int]
    code: str
    message: str


FieldErrors = Sequence[FieldError]


class ProblemError(HTTPException):
    """A response that reports a problem, with a stable `code`.

    Args:
        code: The code; default: the title in lower case with hyphens.
        detail: One sentence for the client; default: the docstring of the class.
        errors: Errors in the request; the first `ERRORS_MAX` are listed.
        errors_omitted: How many errors were left out before; those left out here are added.
        headers: Headers in addition to those of the class, or in place of them.
        reason: For the log, and for the body of a 401 where `EXPLAIN_REFUSALS` is set.
    """

    status: ClassVar[int]
    title: ClassVar[str]
    default_headers: ClassVar[Headers]

    outcome_unknown: bool = False
    """Whether a request with this response may have been carried out all the same."""

    hint: str = ""
    """What a developer should change: one sentence, shown only where `EXPLAIN_REFUSALS` is set."""

    def __init_subclass__(cls, status: int, title: str, headers: Headers | None = None) -> None:
        cls.status = status
        cls.title = title
        cls.default_headers = headers or {}

    def __init__(
        self,
        code: str = "",
        detail: str = "",
        *,
        errors: FieldErrors = (),
        errors_omitted: int = 0,
        headers: Headers | None = None,
        reason: str = "",
    ) -> None:
        self.code = code or self.title.lower().replace(" ", "-")
        self.errors = errors[:ERRORS_MAX]
        self.errors_omitted = errors_omitted + len(errors) - len(self.errors)
        self.reason = reason
        response_headers = dict(self.default_headers)
        response_headers.update(headers or {})
        super().__init__(self.status, detail or self.__doc__, response_headers)


class BadRequest(ProblemError, status=400, title="Bad Request"):
    """The request cannot be read."""


class Unauthorized(ProblemError, status=401, title="Unauthorized", headers=INVALID_TOKEN_CHALLENGE):
    """A valid token is needed."""


class Forbidden(ProblemError, status=403, title="Forbidden"):
    """The request names another user than the token: GET /users/me tells whose token it is."""


class NotFound(ProblemError, status=404, title="Not Found"):
    """There is nothing at this address."""


class MethodNotAllowed(ProblemError, status=405, title="Method Not Allowed"):
    """No such verb is known at this address."""


class RequestTimeout(ProblemError, status=408, title="Request Timeout"):
    """The body did not come in time: it was sent too slowly."""


class Conflict(ProblemError, status=409, title="Conflict"):
    """It contradicts what is there."""


class Gone(ProblemError, status=410, title="Gone"):
    """It is no longer known."""


class PreconditionFailed(ProblemError, status=412, title="Precondition Failed"):
    """What is there is not what the request expects."""


class BodyTooLarge(ProblemError, status=413, title="Content Too Large"):
    """The body is longer than is read here."""


class UriTooLong(ProblemError, status=414, title="URI Too Long"):
    """The address is longer than is read here."""


class UnsupportedMediaType(ProblemError, status=415, title="Unsupported Media Type"):
    """The body is not of a type that is read here."""


class Unprocessable(ProblemError, status=422, title="Unprocessable Content"):
    """The body breaks a rule."""


class TooManyRequests(ProblemError, status=429, title="Too Many Requests", headers=RETRY_SOON):
    """Too many requests at once; wait a moment."""


class HeadersTooLarge(ProblemError, status=431, title="Request Header Fields Too Large"):
    """The headers are longer than is read here."""


class ServerError(ProblemError, status=500, title="Internal Server Error", headers=RETRY_SOON):
    """Something went wrong on our side."""

    outcome_unknown = True


class BadGateway(ProblemError, status=502, title="Bad Gateway"):
    """The service behind the gateway did not answer properly."""

    outcome_unknown = True


class Unavailable(ProblemError, status=503, title="Service Unavailable", headers=RETRY_SOON):
    """It cannot be answered at the moment."""


class GatewayTimeout(ProblemError, status=504, title="Gateway Timeout"):
    """The service behind the gateway did not answer in time."""

    outcome_unknown = True


def problem_response(
    problem: ProblemError, request_id: str, *, explain: bool = False
) -> JSONResponse:
    """Render a problem document; with `explain`, it has the hint, and that of a 401 the reason.

    Source: RFC 9457, 3.
    """
    document: dict[str, object] = {
        "type": f"/problems/{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": request_id,
    }
    if problem.errors:
        document["errors"] = problem.errors
    if problem.errors_omitted:
        document["errors_omitted"] = problem.errors_omitted
    if explain and problem.reason and isinstance(problem, Unauthorized):
        document["reason"] = problem.reason
    if explain and problem.hint:
        document["hint"] = problem.hint
    return JSONResponse(document, problem.status, problem.headers, PROBLEM_TYPE)
