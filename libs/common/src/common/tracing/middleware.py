"""The ASGI middleware that makes a span of each request."""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from common.tracing.spans import TRACE_CONTEXT, request_span

HEALTH_PATHS: Final = frozenset({"/healthz", "/readyz"})
"""Requests of monitors, once a second for each replica: a span of each would hide the others."""


class TracingMiddleware:
    """Makes a span of each request, as a part of the client's trace if there is one.

    What is inside sees a `traceparent` that names this span: the log, and the services to which the
    gateway forwards the request. Its place is outside of everything else.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request within a span."""
        if scope["type"] != "http" or scope["path"] in HEALTH_PATHS:
            await self._app(scope, receive, send)
            return
        parent = TRACE_CONTEXT.extract(Headers(scope=scope))
        with request_span(scope["method"], parent):
            headers = MutableHeaders(scope=scope)
            TRACE_CONTEXT.inject(headers)
            # The same scope: the server tells in it when the client has disconnected.
            scope["headers"] = headers.raw
            await self._app(scope, receive, send)
