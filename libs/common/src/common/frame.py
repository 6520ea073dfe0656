"""The frame around every request: its id, its limits, its deadline, what every answer carries, its line in the log."""

import asyncio
import time
from typing import Final

from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.errors import (
    BadRequest,
    HeadersTooLarge,
    MethodNotAllowed,
    NotFound,
    Refusal,
    ServerError,
    Unavailable,
    UriTooLong,
    problem,
)
from common.telemetry import describe, log, pseudonym, request_id, trace_id

HEADERS_MAX_BYTES: Final = 16_384
"""Names and values of a request's headers together."""

URL_MAX_BYTES: Final = 8_192
"""Path and query string together."""

CLIENT_GONE: Final = 499
"""The status that the log shows for a client who did not wait; nobody receives it."""

_EVERY_ANSWER: Final = (("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer"))


class Frame:
    """An ASGI middleware; `deadline_seconds` of None waits for ever, `explain` tells why a token is refused."""

    def __init__(self, app: ASGIApp, service: str, deadline_seconds: float | None, *, explain: bool = False) -> None:
        self._app = app
        self._service = service
        self._deadline_seconds = deadline_seconds
        self._explain = explain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        scope = _plain(scope)
        status = 0

        async def send_framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _complete(scope, message)
            await send(message)

        try:
            _require_limits(scope)
            async with asyncio.timeout(self._deadline_seconds):
                await self._app(scope, receive, send_framed)
        except ClientDisconnect:
            status = CLIENT_GONE
        except Exception as error:  # noqa: BLE001 - nothing may escape without an answer and a line in the log
            answer = self._refuse(scope, error)
            if status == 0:
                await answer(scope, receive, send_framed)
        finally:
            self._log(scope, status, started)

    def _refuse(self, scope: Scope, error: Exception) -> Response:
        refusal = _refusal(scope, error)
        if isinstance(refusal, MethodNotAllowed) and scope["verb"] == "OPTIONS":
            return Response(status_code=204, headers=refusal.headers)
        scope["reason"] = refusal.reason or refusal.code
        if refusal.__cause__ is not None:
            log(
                "error", "failure", service=self._service, request_id=scope["request_id"], **describe(refusal.__cause__)
            )
        return problem(refusal, scope["request_id"], explain=self._explain)

    def _log(self, scope: Scope, status: int, started: float) -> None:
        level = "error" if status >= ServerError.status else "info"
        whole = {"service": self._service, "trace_id": trace_id(Headers(scope=scope)), "status": status}
        user = scope.get("pseudonym") or (pseudonym(scope["user"].id) if "user" in scope else None)
        asked = {"method": scope["verb"], "route": getattr(scope.get("route"), "path", None), "user": user}
        whole |= {"milliseconds": round((time.perf_counter() - started) * 1000, 2), "reason": scope.get("reason")}
        log(level, "request", request_id=scope["request_id"], **asked, **whole)


def _refusal(scope: Scope, error: Exception) -> Refusal:
    """Take a refusal as it is, and find one for what the router, the clock or a mistake of ours raised."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, RequestValidationError):
        return BadRequest()
    if isinstance(error, HTTPException):
        allow = {"Allow": _allowed_verbs(scope)}
        return MethodNotAllowed(headers=allow) if error.status_code == MethodNotAllowed.status else NotFound()
    refusal = Unavailable("deadline-passed", "It took too long.") if isinstance(error, TimeoutError) else ServerError()
    refusal.__cause__ = error
    return refusal


def _allowed_verbs(scope: Scope) -> str:
    """Return the verbs of all routes of the path, as `Allow` lists them.

    Source: RFC 9110, 10.2.1.
    """
    routes = [route for route in scope["app"].routes if route.path_regex.match(scope["path"])]
    verbs = {verb for route in routes for verb in route.methods} | {"OPTIONS"}
    return ", ".join(sorted(verbs | {"HEAD"} if "GET" in verbs else verbs))


def _plain(scope: Scope) -> Scope:
    """Serve a trailing slash like none and HEAD like GET (the server leaves the body out), and name the request.

    `verb` stays what was sent, for whoever hands the request on.
    """
    verb, path = scope["method"], scope["path"].rstrip("/") or "/"
    ours = {"path": path, "verb": verb, "method": "GET" if verb == "HEAD" else verb}
    return {**scope, **ours, "request_id": request_id(Headers(scope=scope))}


def _require_limits(scope: Scope) -> None:
    if len(scope["raw_path"]) + len(scope["query_string"]) > URL_MAX_BYTES:
        raise UriTooLong
    if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADERS_MAX_BYTES:
        raise HeadersTooLarge


def _complete(scope: Scope, message: Message) -> None:
    headers = MutableHeaders(raw=list(message.get("headers", ())))
    for name, value in _EVERY_ANSWER:
        headers.setdefault(name, value)
    headers["X-Request-ID"], headers["X-Content-Type-Options"] = scope["request_id"], "nosniff"
    message["headers"] = headers.raw
