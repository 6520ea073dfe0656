"""CORS: what browsers allow front ends of other origins."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from common.logging import log

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Every method of the API."""

REQUEST_HEADERS: Final = (
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
    "X-Request-ID",
    "traceparent",
    "tracestate",
    "baggage",
    "sentry-trace",
)
"""Request headers that a front end may send besides those that browsers always allow."""

EXPOSED_HEADERS: Final = (
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "X-Request-ID",
    "Idempotency-Replayed",
    "WWW-Authenticate",
    "Set-Auth-JWT",
    "Set-Auth-Token",
)
"""Response headers that a front end may read besides those that browsers always allow.

The last two are Better Auth's: for its responses this list replaces its own.
"""

PREFLIGHT_MAX_AGE_SECONDS: Final = 600
"""How long a browser caches a preflight response."""


LOGGED_ORIGINS_MAX: Final = 20
"""How many refused origins are logged in each period: a client can make up any number."""

LOG_PERIOD_SECONDS: Final = 60.0
"""How long a refused origin is not logged again."""

ORIGIN_MAX_CHARACTERS: Final = 280
"""How much of a refused origin is logged: enough for the longest host name."""


class RefusalLog:
    """Logs refused preflights: one line for each origin and period, and a limited number of them.

    Args:
        clock: Returns the time in seconds, from any beginning.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._period_begin = clock()
        self._origins: set[str] = set()

    def add(self, origin: str) -> None:
        """Log a refused preflight, unless that would be too much."""
        now = self._clock()
        if now - self._period_begin >= LOG_PERIOD_SECONDS:
            self._period_begin = now
            self._origins.clear()
        shown_origin = origin[:ORIGIN_MAX_CHARACTERS]
        if shown_origin in self._origins or len(self._origins) >= LOGGED_ORIGINS_MAX:
            return
        self._origins.add(shown_origin)
        log("warning", "preflight refused: origin is not in CORS_ORIGINS", origin=shown_origin)


class StrictCORSMiddleware(CORSMiddleware):
    """Starlette's middleware, but an unknown origin gets no CORS headers, and a preflight is 204.

    A preflight response lists the allowed methods and headers. Comparing them with the request is
    the browser's part. Source: Fetch, 4.8.
    """

    def __init__(
        self, app: ASGIApp, origins: Sequence[str], more_request_headers: Sequence[str] = ()
    ) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=[*REQUEST_HEADERS, *more_request_headers],
            allow_credentials=True,
            expose_headers=EXPOSED_HEADERS,
            max_age=PREFLIGHT_MAX_AGE_SECONDS,
        )
        self._refusal_log = RefusalLog()

    def preflight_response(self, request_headers: Headers) -> Response:
        """Respond to a preflight request."""
        response = Response(status_code=204)
        # This middleware is outside of the one that adds these headers to every other response.
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        origin = request_headers["origin"]
        if self.is_allowed_origin(origin):
            response.headers.update(self.preflight_headers)
            response.headers["Access-Control-Allow-Origin"] = origin
        else:
            response.headers["Vary"] = "Origin"
            self._refusal_log.add(origin)
        return response

    async def simple_response(
        self, scope: Scope, receive: Receive, send: Send, request_headers: Headers
    ) -> None:
        """Pass a response; for an unknown origin, as if the request had named none."""
        if not self.is_allowed_origin(request_headers.get("origin", "")):
            request_headers = Headers()
        await super().simple_response(scope, receive, send, request_headers)
