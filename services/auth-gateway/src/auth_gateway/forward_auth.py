"""The forward-auth mode: an edge asks whether a request may pass, and who sends it."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from auth_gateway.authentication import Gatekeeper, Granted
from common.tracing import request_id

PATH = "/decide"
"""Where the edge asks."""


def remembered(gatekeeper: Gatekeeper, headers: Iterable[tuple[bytes, bytes]]) -> Granted | None:
    """Return the verdict on these headers if it takes no work."""
    tokens = [value for name, value in headers if name == b"authorization"]
    return gatekeeper.known(tokens[0]) if len(tokens) == 1 else None


class Decision:
    """An ASGI application: 200 with the identity as headers, or the refusal that the client shall see."""

    path = PATH

    def __init__(self, gatekeeper: Gatekeeper) -> None:
        self._gatekeeper = gatekeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Decide."""
        scope["route"] = self
        granted = await self._gatekeeper.decide(scope["headers"])
        scope["pseudonym"] = granted.subject_hash
        await _grant(granted, scope["request_id"], send)


class RememberedDecision:
    """An ASGI application around the whole service: a verdict that is remembered needs no frame and no routing.

    It writes no line in the log; the edge and the service that gets the request write theirs.
    """

    def __init__(self, app: ASGIApp, gatekeeper: Gatekeeper) -> None:
        self._app = app
        self._gatekeeper = gatekeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at once, or leave it to the service."""
        granted = (
            remembered(self._gatekeeper, scope["headers"]) if scope.get("path") == PATH else None
        )
        if granted is None:
            await self._app(scope, receive, send)
        else:
            await _grant(granted, request_id(dict(scope["headers"]).get(b"x-request-id")), send)


async def _grant(granted: Granted, request_id: str, send: Send) -> None:
    headers = [
        (b"authorization", b"Bearer " + granted.passport.encode()),
        (b"x-user-id", granted.user_id.encode()),
        (b"x-request-id", request_id.encode()),
        (b"cache-control", b"no-store"),
        (b"content-length", b"0"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
