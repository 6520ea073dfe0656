"""The frame around every request: its id, its limits, its deadline, what every answer carries, its line in the log."""

import asyncio
import time
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.errors import HeadersTooLarge, Refusal, ServerError, Unavailable, UriTooLong, problem, server_error
from common.telemetry import describe, log, pseudonym, request_id, trace_id

HEADERS_MAX_BYTES: Final = 16_384
"""Names and values of a request's headers together."""

URL_MAX_BYTES: Final = 8_192
"""Path and query string together."""

CLIENT_GONE: Final = 499
"""The status that the log shows for a client who did not wait; nobody receives it."""

_EVERY_ANSWER: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


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
            answer = refuse(_refusal(error), scope, explain=self._explain)
            if status == 0:
                await answer(scope, receive, send_framed)
        finally:
            self._log(scope, status, started)

    def _log(self, scope: Scope, status: int, started: float) -> None:
        user = scope.get("user")
        log(
            "error" if status >= ServerError.status else "info",
            "request",
            service=self._service,
            request_id=scope["request_id"],
            trace_id=trace_id(Headers(scope=scope)),
            method=scope["method"],
            route=getattr(scope.get("route"), "path", None),
            status=status,
            milliseconds=round((time.perf_counter() - started) * 1000, 2),
            user=scope.get("pseudonym") or (pseudonym(user.id) if user else None),
            reason=scope.get("reason"),
        )


def refuse(refusal: Refusal, scope: Scope, *, explain: bool) -> Response:
    """Render a refusal, and leave its reason and its cause to the log."""
    scope["reason"] = refusal.reason or refusal.code
    if refusal.__cause__ is not None:
        log("error", "failure", request_id=scope["request_id"], **describe(refusal.__cause__))
    return problem(refusal, scope["request_id"], explain=explain)


def _refusal(error: Exception) -> Refusal:
    if isinstance(error, Refusal):
        return error
    if isinstance(error, TimeoutError):
        return Unavailable("deadline-passed", "This took too long.", headers={"Retry-After": "1"})
    refusal = server_error()
    refusal.__cause__ = error
    return refusal


def _plain(scope: Scope) -> Scope:
    """Serve a trailing slash like none and HEAD like GET (the server leaves the body out), and name the request.

    `verb` stays what was sent, for whoever hands the request on.
    """
    path: str = scope["path"]
    return {
        **scope,
        "path": path.rstrip("/") or "/" if path.endswith("/") else path,
        "verb": scope["method"],
        "method": "GET" if scope["method"] == "HEAD" else scope["method"],
        "request_id": request_id(Headers(scope=scope)),
    }


def _require_limits(scope: Scope) -> None:
    if len(scope["raw_path"]) + len(scope["query_string"]) > URL_MAX_BYTES:
        raise UriTooLong("uri-too-long", f"The address is longer than {URL_MAX_BYTES} bytes.")
    if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADERS_MAX_BYTES:
        raise HeadersTooLarge("headers-too-large", f"The headers are longer than {HEADERS_MAX_BYTES} bytes.")


def _complete(scope: Scope, message: Message) -> None:
    headers = MutableHeaders(raw=list(message.get("headers", ())))
    for name, value in _EVERY_ANSWER.items():
        headers.setdefault(name, value)
    headers["X-Request-ID"] = scope["request_id"]
    message["headers"] = headers.raw
