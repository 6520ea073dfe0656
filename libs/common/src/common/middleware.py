"""The frame around every request: its id, its limits, its deadline, what every answer carries, its line in the log."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.logging import describe_error, log
from common.metrics import count_request
from common.problems import (
    HeadersTooLarge,
    ProblemError,
    ServerError,
    Unavailable,
    UriTooLong,
    problem_response,
)
from common.tracing import request_id, trace_id

HEADERS_MAX_BYTES: Final = 16_384
"""Names and values of a request's headers together."""

URL_MAX_BYTES: Final = 8_192
"""Path and query string together."""

DEADLINE_SECONDS: Final = 5.0
"""How long a service works on one request before it answers 503."""

CLIENT_GONE: Final = "client_gone"
"""A key that the server puts into a scope before it cancels the work for a client that has left."""

MAY_HAVE_HAPPENED: Final = (
    "Something went wrong on our side and the change may have been made all the same: look before you send it again, "
    "and send an Idempotency-Key or If-Match with it next time."
)
"""Told after a change that nothing guards, whose outcome nobody knows."""

_CHANGES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_GUARDS: Final = frozenset({b"idempotency-key", b"if-match", b"if-none-match"})

_USUAL = {
    b"cache-control": b"no-store",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}


class RequestMiddleware:
    """An ASGI middleware; `limit_seconds` of None waits for ever, `explain` tells why a token is refused."""

    def __init__(
        self, app: ASGIApp, limit_seconds: float | None = DEADLINE_SECONDS, *, explain: bool = False
    ) -> None:
        self._app, self._limit_seconds, self._explain = app, limit_seconds, explain

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer a request; what else a server has to say goes straight to the service."""
        return (self._answer if scope["type"] == "http" else self._app)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens; an answer that has begun is left as it is."""
        connection = scope
        started, scope = time.perf_counter(), _named(scope, asyncio.timeout(self._limit_seconds))

        async def send_complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                scope["status"] = message["status"]
                message["headers"] = complete_headers(message["headers"], scope["request_id"])
            await send(message)

        try:
            _require_limits(scope)
            async with scope["deadline"]:
                await self._app(scope, receive, send_complete)
        except ClientDisconnect:
            scope["status"] = 499  # for the log: the client did not wait, so nobody receives it
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - nothing may escape without an answer
            if CLIENT_GONE in connection and isinstance(error, asyncio.CancelledError):
                scope["status"] = 499
                return
            refusal = _refusal(error, scope)
            scope["error"], scope["refusal"] = error, refusal
            if "status" not in scope:
                await problem_response(refusal, scope["request_id"], explain=self._explain)(
                    scope, receive, send_complete
                )
        finally:
            _log(scope, time.perf_counter() - started)


def _refusal(error: BaseException, scope: Scope) -> ProblemError:
    """Return what the client is told; the server itself cancels what has not ended when the process has to."""
    if isinstance(error, ProblemError):
        refusal = error
    elif scope["deadline"].expired() or isinstance(error, asyncio.CancelledError):
        refusal = Unavailable("deadline-passed", "It took too long.")
        refusal.may_have_happened = True
    else:
        refusal = ServerError()
    if refusal.may_have_happened and _is_unguarded_change(scope):
        refusal.detail = MAY_HAVE_HAPPENED
    return refusal


def _is_unguarded_change(scope: Scope) -> bool:
    return scope["verb"] in _CHANGES and not any(name in _GUARDS for name, _ in scope["headers"])


def _named(scope: Scope, deadline: asyncio.Timeout) -> Scope:
    """Give a request its id, and serve a trailing slash like none and HEAD like GET (the server leaves the body out).

    `verb` stays what was sent, for whoever hands the request on; whoever streams may put the `deadline` off.
    """
    verb, path, sent = scope["method"], scope["path"].rstrip("/") or "/", dict(scope["headers"])
    ours = {
        "path": path,
        "verb": verb,
        "method": "GET" if verb == "HEAD" else verb,
        "deadline": deadline,
    }
    ids = {
        "request_id": request_id(sent.get(b"x-request-id")),
        "trace_id": trace_id(sent.get(b"traceparent")),
    }
    return {**scope, **ours, **ids}


def _require_limits(scope: Scope) -> None:
    if len(scope["raw_path"]) + len(scope["query_string"]) > URL_MAX_BYTES:
        raise UriTooLong
    if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADERS_MAX_BYTES:
        raise HeadersTooLarge


def complete_headers(
    headers: Sequence[tuple[bytes, bytes]], request_id: str
) -> list[tuple[bytes, bytes]]:
    """Add what every answer has unless it says otherwise, and its request's id."""
    said = [header for header in headers if header[0] != b"x-request-id"]
    missing = _USUAL.keys() - dict(said)
    return [
        *said,
        *((name, _USUAL[name]) for name in missing),
        (b"x-request-id", request_id.encode()),
    ]


def _log(scope: Scope, seconds: float) -> None:
    error, refusal, status = scope.get("error"), scope.get("refusal"), scope.get("status", 0)
    whose = {
        "service": scope["app"].title,
        "request_id": scope["request_id"],
        "user": scope.get("pseudonym"),
    }
    if cause := error.__cause__ if isinstance(error, ProblemError) else error:
        log("error", "failure", **whose, **describe_error(cause))
    asked = {"method": scope["verb"], "route": getattr(scope.get("route"), "path", None)}
    count_request(scope["verb"], asked["route"], status, seconds)
    how = {
        "status": status,
        "milliseconds": round(seconds * 1000, 2),
        "trace_id": scope["trace_id"],
    }
    reason = refusal and (refusal.reason or refusal.code)
    log(
        "error" if status >= ServerError.status else "info",
        "request",
        **whose,
        **asked,
        **how,
        reason=reason,
    )
