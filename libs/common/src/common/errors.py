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

The class fixes the status; whoever raises it writes one sentence for the caller.
"""

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar, TypedDict

from fastapi import HTTPException, Response

MEDIA_TYPE = "application/problem+json"
"""Source: RFC 9457, 3."""


class Fault(TypedDict):
    """One thing that is wrong with a body, a query or a path; never what was sent."""

    location: list[str | int]
    code: str
    message: str


class Refusal(HTTPException):
    """An answer that refuses, with a stable `code` and one sentence for the caller.

    `reason` is for the log, and for the 401 body where `EXPLAIN_REFUSALS` is set.
    """

    status: ClassVar[int]
    title: ClassVar[str]

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(self.status, detail, dict(headers or {}))
        self.code = code
        self.sentence = detail
        self.errors = errors
        self.reason = reason


class BadRequest(Refusal):
    """It cannot be read as what it should be."""

    status, title = 400, "Bad Request"


class Unauthorized(Refusal):
    """Nobody knows who asks."""

    status, title = 401, "Unauthorized"


class Forbidden(Refusal):
    """It names another user."""

    status, title = 403, "Forbidden"


class NotFound(Refusal):
    """It is not there, or it is somebody else's."""

    status, title = 404, "Not Found"


class MethodNotAllowed(Refusal):
    """The path is known, the verb is not."""

    status, title = 405, "Method Not Allowed"


class Conflict(Refusal):
    """Somebody else has it, or is at it."""

    status, title = 409, "Conflict"


class BodyTooLarge(Refusal):
    """The body is longer than is read."""

    status, title = 413, "Content Too Large"


class UriTooLong(Refusal):
    """The address is longer than is read."""

    status, title = 414, "URI Too Long"


class UnsupportedMediaType(Refusal):
    """The body is not of a type that is read here."""

    status, title = 415, "Unsupported Media Type"


class Unprocessable(Refusal):
    """It can be read, but breaks a rule."""

    status, title = 422, "Unprocessable Content"


class TooManyRequests(Refusal):
    """The edge's rate limit is reached."""

    status, title = 429, "Too Many Requests"


class HeadersTooLarge(Refusal):
    """The header block is longer than is read."""

    status, title = 431, "Request Header Fields Too Large"


class ServerError(Refusal):
    """The database is lost, or this program has a bug; the log knows which."""

    status, title = 500, "Internal Server Error"


class BadGateway(Refusal):
    """A service behind the gateway sent nonsense, or hung up."""

    status, title = 502, "Bad Gateway"


class Unavailable(Refusal):
    """A deadline passed, or a service that this one needs is away."""

    status, title = 503, "Service Unavailable"


class GatewayTimeout(Refusal):
    """A service behind the gateway did not answer in time."""

    status, title = 504, "Gateway Timeout"


def server_error(*, retry_after_seconds: int | None = None) -> ServerError:
    """Make the 500 that tells the caller nothing about its cause."""
    headers = {} if retry_after_seconds is None else {"Retry-After": str(retry_after_seconds)}
    return ServerError("internal-error", "Something went wrong on our side.", headers=headers)


def problem(refusal: Refusal, request_id: str, *, explain: bool = False) -> Response:
    """Render a refusal as a problem document; with `explain`, a 401 also carries its reason.

    Source: RFC 9457, 3.
    """
    document: dict[str, object] = {
        "type": f"/problems/{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.sentence,
        "code": refusal.code,
        "request_id": request_id,
    }
    if refusal.errors:
        document["errors"] = refusal.errors
    if explain and refusal.reason is not None and refusal.status == Unauthorized.status:
        document["reason"] = refusal.reason
    return Response(json.dumps(document).encode(), refusal.status, refusal.headers, MEDIA_TYPE)
