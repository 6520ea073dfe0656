"""Refusals: raised where a rule is broken, rendered in one place.

    HTTPException
    └── Refusal                       every answer that is not a success
        ├── BadRequest                400  it cannot be read
        ├── Unauthorized              401  nobody knows who asks
        ├── Forbidden                 403  it names another user
        ├── NotFound                  404  it is not there, or not yours
        ├── MethodNotAllowed          405
        ├── Conflict                  409  somebody else has it
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

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, TypedDict

from fastapi import HTTPException, Response

MEDIA_TYPE: Final = "application/problem+json"
"""Source: RFC 9457, 3."""

PASSING: Final = frozenset({429, 500, 503})
"""Statuses of what may be over in a moment; they carry `Retry-After`, in seconds."""


class Fault(TypedDict):
    """One thing that is wrong with a body, a query or a path; never what was sent."""

    location: list[str | int]
    code: str
    message: str


class Refusal(HTTPException):
    """An answer that refuses, with a stable `code` and one sentence for the caller.

    Where nothing is said, the code is the title and the sentence is the one that stands in the class. `reason` is for
    the log, and for the 401 body where `EXPLAIN_REFUSALS` is set.
    """

    status: ClassVar[int]
    title: ClassVar[str]

    def __init_subclass__(cls, status: int, title: str) -> None:
        cls.status, cls.title = status, title

    def __init__(
        self,
        code: str | None = None,
        detail: str | None = None,
        *,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        reason: str | None = None,
    ) -> None:
        self.code = code or self.title.lower().replace(" ", "-")
        self.errors, self.reason = errors, reason
        headers = {**(headers or {}), **({"Retry-After": "1"} if self.status in PASSING else {})}
        super().__init__(self.status, detail or self.__doc__, headers)


class BadRequest(Refusal, status=400, title="Bad Request"):
    """The request cannot be read."""


class Unauthorized(Refusal, status=401, title="Unauthorized"):
    """A valid token is needed."""


class Forbidden(Refusal, status=403, title="Forbidden"):
    """The request names another user than the token does."""


class NotFound(Refusal, status=404, title="Not Found"):
    """There is nothing at this address."""


class MethodNotAllowed(Refusal, status=405, title="Method Not Allowed"):
    """No such verb is known at this address."""


class Conflict(Refusal, status=409, title="Conflict"):
    """Somebody else has it, or is at it."""


class BodyTooLarge(Refusal, status=413, title="Content Too Large"):
    """The body is longer than is read here."""


class UriTooLong(Refusal, status=414, title="URI Too Long"):
    """The address is longer than is read here."""


class UnsupportedMediaType(Refusal, status=415, title="Unsupported Media Type"):
    """The body is not of a type that is read here."""


class Unprocessable(Refusal, status=422, title="Unprocessable Content"):
    """The body breaks a rule."""


class TooManyRequests(Refusal, status=429, title="Too Many Requests"):
    """Too many requests at once; wait a moment."""


class HeadersTooLarge(Refusal, status=431, title="Request Header Fields Too Large"):
    """The headers are longer than is read here."""


class ServerError(Refusal, status=500, title="Internal Server Error"):
    """Something went wrong on our side."""


class BadGateway(Refusal, status=502, title="Bad Gateway"):
    """The service behind the gateway did not answer properly."""


class Unavailable(Refusal, status=503, title="Service Unavailable"):
    """It cannot be answered at the moment."""


class GatewayTimeout(Refusal, status=504, title="Gateway Timeout"):
    """The service behind the gateway did not answer in time."""


def problem(refusal: Refusal, request_id: str, *, explain: bool = False) -> Response:
    """Render a refusal as a problem document; with `explain`, a 401 also carries its reason.

    Source: RFC 9457, 3.
    """
    document: dict[str, object] = {
        "type": f"/problems/{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
    }
    document |= {"detail": refusal.detail, "code": refusal.code, "request_id": request_id}
    document |= {"errors": refusal.errors} if refusal.errors else {}
    document |= (
        {"reason": refusal.reason} if explain and refusal.reason and refusal.status == Unauthorized.status else {}
    )
    return Response(json.dumps(document).encode(), refusal.status, refusal.headers, MEDIA_TYPE)
