"""Forward-auth mode: the edge asks at `/decide` whether a request may pass, and who sends it."""

from http import HTTPStatus
from typing import Final

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from auth_gateway.authentication import AuthenticatedUser, Authenticator
from common.request_state import RequestState
from common.tracing.ids import choose_request_id
from common.tracing.spans import describe_request

PATH: Final = "/decide"


def forward_auth_route(authenticator: Authenticator) -> BaseRoute:
    """Make the route of the forward-auth endpoint. It takes every method that an edge may use."""
    return Route(PATH, ForwardAuth(authenticator), include_in_schema=False)


class ForwardAuth:
    """An ASGI application: 200 with the identity in headers, or the problem for the client."""

    path = PATH
    """Read from the scope's `route` by the request log."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Authenticate the request whose headers the edge passes on."""
        scope["route"] = self
        user = await self._authenticator.authenticate(scope["headers"])
        state = RequestState.of(scope)
        state.pseudonym = user.pseudonym
        await _send_identity(user, state.request_id, send)


class DecisionCacheMiddleware:
    """An ASGI middleware around the whole service that responds to cached decisions at once.

    A cached decision skips the request middleware and routing, and writes no log line: the edge and
    the service that gets the request write theirs.
    """

    def __init__(self, app: ASGIApp, authenticator: Authenticator) -> None:
        self._app = app
        self._authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond from the cache, or pass the request to the service."""
        user = None
        if scope.get("path") == PATH:
            user = self._authenticator.get_cached_by_headers(scope["headers"])
        if user is None:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = choose_request_id(headers.get(b"x-request-id"))
        describe_request(scope["method"], PATH, HTTPStatus.OK, request_id)
        await _send_identity(user, request_id, send)


async def _send_identity(user: AuthenticatedUser, request_id: str, send: Send) -> None:
    headers = [
        (b"authorization", b"Bearer " + user.passport.encode()),
        (b"x-user-id", user.user_id.encode()),
        (b"x-request-id", request_id.encode()),
        (b"cache-control", b"no-store"),
        (b"content-length", b"0"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
