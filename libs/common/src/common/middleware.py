"""The ASGI middleware around every request: id, limits, deadline, headers, problems, log line."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.logging import class_name, describe_error, write_line
from common.metrics import count_request
from common.problems import (
    HeadersTooLarge,
    ProblemError,
    ServerError,
    Unavailable,
    UriTooLong,
    problem_response,
)
from common.request_state import DISCONNECTED_KEY, SCOPE_KEY, RequestState
from common.tracing.ids import choose_request_id, parse_trace_id
from common.tracing.spans import describe_request

HEADERS_MAX_BYTES: Final = 16_384
"""Names and values of a request's headers together."""

URL_MAX_BYTES: Final = 8_192
"""Path and query string together."""

DEADLINE_SECONDS: Final = 5.0
"""How long a service works on one request before it responds with 503."""

OUTCOME_UNKNOWN_DETAIL: Final = (
    "Something went wrong on our side and the change may have been made all the same: look before "
    "you send it again, and send an Idempotency-Key or If-Match with it next time."
)
"""Detail of a problem after an unguarded change that may or may not have been made."""

CLIENT_CLOSED_REQUEST: Final = 499
"""Status in the log, as of nginx, when the client has disconnected."""

_UNSAFE_METHODS: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_GUARDS: Final = frozenset({b"idempotency-key", b"if-match", b"if-none-match"})

_DEFAULT_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


class RequestMiddleware:
    """Serves each request with a `RequestState`, and turns every exception into a problem document.

    Args:
        app: The application inside.
        deadline_seconds: How long it may take; None means any time.
        explain: Whether problem documents tell the reason of a 401, and hints for developers.
    """

    def __init__(
        self,
        app: ASGIApp,
        deadline_seconds: float | None = DEADLINE_SECONDS,
        *,
        explain: bool = False,
    ) -> None:
        self._app = app
        self._deadline_seconds = deadline_seconds
        self._explain = explain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; `lifespan` events go straight to the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        state = _create_state(scope, self._deadline_seconds)
        app_scope = _adapt_to_routes(scope, state)
        try:
            await self._serve(scope, app_scope, receive, send)
        finally:
            _log_request(app_scope, state, time.perf_counter() - started)

    async def _serve(self, server_scope: Scope, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond whatever happens; a response that has begun is left as it is."""
        state = RequestState.of(scope)

        async def send_complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                state.status = message["status"]
                message["headers"] = complete_headers(message["headers"], state.request_id)
            await send(message)

        try:
            _require_limits(scope)
            async with state.deadline:
                await self._app(scope, receive, send_complete)
        except ClientDisconnect:
            state.status = CLIENT_CLOSED_REQUEST
        except asyncio.CancelledError as error:
            if DISCONNECTED_KEY in server_scope:
                state.status = CLIENT_CLOSED_REQUEST
            else:
                await self._send_problem(error, scope, receive, send_complete)
        except Exception as error:  # noqa: BLE001 - every request gets a response
            await self._send_problem(error, scope, receive, send_complete)

    async def _send_problem(
        self, error: BaseException, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Note what ended the request, and report it unless the response has begun."""
        state = RequestState.of(scope)
        state.error = error
        state.problem = _to_problem(error, scope, state)
        if state.status is None:
            response = problem_response(state.problem, state.request_id, explain=self._explain)
            await response(scope, receive, send)


def _to_problem(error: BaseException, scope: Scope, state: RequestState) -> ProblemError:
    """Return the problem to respond with. The server cancels requests when the process must end."""
    if isinstance(error, ProblemError):
        problem = error
    elif state.deadline.expired() or isinstance(error, asyncio.CancelledError):
        problem = Unavailable("deadline-passed", "It took too long.")
        problem.outcome_unknown = True
    else:
        problem = ServerError()
    if problem.outcome_unknown and _is_unguarded_change(scope, state):
        problem.detail = OUTCOME_UNKNOWN_DETAIL
    return problem


def _is_unguarded_change(scope: Scope, state: RequestState) -> bool:
    if state.method not in _UNSAFE_METHODS:
        return False
    return not any(name in _GUARDS for name, _ in scope["headers"])


def _create_state(scope: Scope, deadline_seconds: float | None) -> RequestState:
    headers = dict(scope["headers"])
    return RequestState(
        method=scope["method"],
        request_id=choose_request_id(headers.get(b"x-request-id")),
        trace_id=parse_trace_id(headers.get(b"traceparent")),
        deadline=asyncio.timeout(deadline_seconds),
    )


def _adapt_to_routes(server_scope: Scope, state: RequestState) -> Scope:
    """Copy the scope and put the state into the copy.

    A trailing slash is ignored. HEAD is routed as GET; the server leaves the body out, for which it
    keeps its own scope.
    """
    scope = dict(server_scope)
    scope[SCOPE_KEY] = state
    scope["path"] = scope["path"].rstrip("/") or "/"
    if state.method == "HEAD":
        scope["method"] = "GET"
    return scope


def _require_limits(scope: Scope) -> None:
    if len(scope["raw_path"]) + len(scope["query_string"]) > URL_MAX_BYTES:
        raise UriTooLong
    if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADERS_MAX_BYTES:
        raise HeadersTooLarge


def complete_headers(
    headers: Sequence[tuple[bytes, bytes]], request_id: str
) -> list[tuple[bytes, bytes]]:
    """Return response headers with defaults for those that are missing, and the request id."""
    complete = [header for header in headers if header[0] != b"x-request-id"]
    names = {name for name, _ in complete}
    for name, value in _DEFAULT_HEADERS:
        if name not in names:
            complete.append((name, value))
    complete.append((b"x-request-id", request_id.encode()))
    return complete


def _log_request(scope: Scope, state: RequestState, seconds: float) -> None:
    """Count the request, complete its span, and write its line; before it one about a failure."""
    status = state.status or 0
    route: str | None = getattr(scope.get("route"), "path", None)
    count_request(state.method, route, status, seconds)
    fields: dict[str, object] = {
        "service": scope["app"].title,
        "request_id": state.request_id,
        "user": state.pseudonym,
    }
    cause = state.error
    if isinstance(cause, ProblemError):
        cause = cause.__cause__
    error = _server_error(state, cause)
    describe_request(state.method, route, status, state.request_id, error)
    if cause is not None:
        write_line("error", "failure", fields | describe_error(cause))
    fields["method"] = state.method
    fields["route"] = route
    fields["status"] = status
    fields["milliseconds"] = round(seconds * 1000, 2)
    fields["trace_id"] = state.trace_id
    fields["reason"] = None
    if state.problem is not None:
        fields["reason"] = state.problem.reason or state.problem.code
    level = "error" if status >= ServerError.status else "info"
    write_line(level, "request", fields)


def _server_error(state: RequestState, cause: BaseException | None) -> str | None:
    """Return the class or code of what the server failed with, even in the middle of a response."""
    if state.problem is None or state.problem.status < ServerError.status:
        return None
    if cause is None:
        return state.problem.code
    return class_name(cause)
