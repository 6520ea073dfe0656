"""What browsers ask before, and learn with, an answer to another origin's front end."""

from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

VERBS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Every verb that an address may have."""

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
"""What a front end may send besides what every browser sends."""

ANSWER_HEADERS: Final = (
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "X-Request-ID",
    "Idempotency-Replayed",
    "WWW-Authenticate",
)
"""What a front end may read besides what every browser shows it."""

PREFLIGHT_SECONDS: Final = 600
"""How long a browser remembers what it may do."""

SECURITY: Final = {"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
"""What the frame adds to every other answer."""


class Cors(CORSMiddleware):
    """Starlette's middleware, but an origin that is not allowed learns nothing, and a preflight is 204.

    Which verbs and headers are allowed is said, not judged: that is the browser's part. Source: Fetch, 4.8.
    """

    def __init__(
        self, app: ASGIApp, origins: Sequence[str], more_request_headers: Sequence[str] = ()
    ) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=VERBS,
            allow_headers=[*REQUEST_HEADERS, *more_request_headers],
            allow_credentials=True,
            expose_headers=ANSWER_HEADERS,
            max_age=PREFLIGHT_SECONDS,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer a preflight."""
        origin = request_headers["origin"]
        if not self.is_allowed_origin(origin):
            return Response(status_code=204, headers={**SECURITY, "Vary": "Origin"})
        allowed = {**self.preflight_headers, "Access-Control-Allow-Origin": origin}
        return Response(status_code=204, headers={**SECURITY, **allowed})

    async def simple_response(
        self, scope: Scope, receive: Receive, send: Send, request_headers: Headers
    ) -> None:
        """Let the answer through, for a strange origin as if it had named none."""
        if not self.is_allowed_origin(request_headers.get("origin", "")):
            request_headers = Headers()
        await super().simple_response(scope, receive, send, request_headers)
