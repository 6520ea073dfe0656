"""Refusals: raised where a rule is broken, rendered in one place.

    HTTPException
    └── Refusal                       every answer that is not a success
        ├── BadRequest                400  it cannot be read
        ├── Unauthorized              401  nobody knows who asks
        ├── Forbidden                 403  it names another user
        ├── NotFound                  404  it is not there, or not yours
        ├── MethodNotAllowed          405
        ├── RequestTimeout            408  it did not come in time
        ├── Conflict                  409  it stands in the way of what is there
        ├── Gone                      410  it is no longer known
        ├── PreconditionFailed        412  it is not, or no longer, as the request expects
        ├── BodyTooLarge              413
        ├── UriTooLong                414
        ├── UnsupportedMediaType      415
        ├── Unprocessable             422  it reads, but breaks a rule
        ├── TooManyRequests           429
        ├── HeadersTooLarge           431
        ├── ServerError               500  the database is lost, or we have a bug
        ├── BadGateway                502  a service sent nonsense or nothing
        ├── Unavailable               503  a deadline passed, a needed service is away
        └── GatewayTimeout            504  a service did not answer

The class fixes the status; whoever raises it may say more in one sentence for the caller.
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
"""What may be over in a moment says so, in seconds. Source: RFC 9110, 10.2.3."""

ERRORS_MAX: Final = 20
"""Faults that one answer lists; of those beyond it says only how many there are."""

INVALID_TOKEN_CHALLENGE: Final[Headers] = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
"""Says that the token which was sent is no good. Source: RFC 6750, 3."""


class FieldError(TypedDict):
    """One thing that is wrong with a body, a query or a path; never what was sent."""

    location: list[str | int]
    code: str
    message: str


FieldErrors = Sequence[FieldError]


class ProblemError(HTTPException):
    """An answer that refuses, with a stable `code` and one sentence for the caller.

    Where nothing is said, the code is the title, and sentence and headers are those that stand in the class. Of
    `errors` the first `ERRORS_MAX` are kept, the others are added to those that were `errors_omitted` before. `reason`
    is for the log, and for the 401 body where `EXPLAIN_REFUSALS` is set.
    """

    status: ClassVar[int]
    title: ClassVar[str]
    default_headers: ClassVar[Headers]

    outcome_unknown: bool = False
    """Whether a request that gets this answer may have been carried out all the same."""

    def __init_subclass__(cls, status: int, title: str, headers: Headers | None = None) -> None:
        cls.status, cls.title, cls.default_headers = status, title, headers or {}

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
        super().__init__(
            self.status, detail or self.__doc__, {**self.default_headers, **(headers or {})}
        )


class BadRequest(ProblemError, status=400, title="Bad Request"):
    """The request cannot be read."""


class Unauthorized(ProblemError, status=401, title="Unauthorized", headers=INVALID_TOKEN_CHALLENGE):
    """A valid token is needed."""


class Forbidden(ProblemError, status=403, title="Forbidden"):
    """The request names another user than the token does."""


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
    refusal: ProblemError, request_id: str, *, explain: bool = False
) -> JSONResponse:
    """Render a refusal as a problem document; with `explain`, a 401 also carries its reason.

    Source: RFC 9457, 3.
    """
    document: dict[str, object] = {
        "type": f"/problems/{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "code": refusal.code,
        "request_id": request_id,
    }
    if refusal.errors:
        document["errors"] = refusal.errors
    if refusal.errors_omitted:
        document["errors_omitted"] = refusal.errors_omitted
    if explain and refusal.reason and isinstance(refusal, Unauthorized):
        document["reason"] = refusal.reason
    return JSONResponse(document, refusal.status, refusal.headers, PROBLEM_TYPE)
