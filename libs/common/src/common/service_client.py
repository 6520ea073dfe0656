"""HTTP calls from one service to another, on behalf of a user."""

from typing import Final

import httpx

from common.identity import User
from common.tracing.spans import call_span

CONNECT_SECONDS: Final = 2
"""How long the other service may take to accept a connection.

TCP sends a packet that was lost again after one second. Source: RFC 6298, 2.1.
"""

CALL_SECONDS: Final = 4.5
"""How long a whole call may take: a suspended database of the other service may have to wake up.

Less than the deadline of the request that makes the call, so that its response names the cause.
"""

KEEP_ALIVE_SECONDS: Final = 20
"""Shorter than services keep idle connections, so that none is closed as a call begins."""

CALL_TIMEOUT: Final = httpx.Timeout(CALL_SECONDS, connect=CONNECT_SECONDS)


def call_headers(user: User, request_id: str) -> dict[str, str]:
    """Return the headers that pass on the user's identity and the id of the request."""
    return {
        "Authorization": f"Bearer {user.passport}",
        "X-User-Id": str(user.id),
        "X-Request-ID": request_id,
    }


class _TracedTransport(httpx.AsyncHTTPTransport):
    """Makes a span of each call, until the response begins."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        with call_span(request.method, request.url.host, request.headers):
            return await super().handle_async_request(request)


def create_client(url: str, limits: httpx.Limits) -> httpx.AsyncClient:
    """Create a client of a service; proxies in the environment are ignored.

    Args:
        url: The base URL of the service on the internal network.
        limits: How many connections are opened, and how long idle ones are kept.
    """
    transport = _TracedTransport(limits=limits, trust_env=False)
    return httpx.AsyncClient(
        base_url=url, transport=transport, timeout=CALL_TIMEOUT, trust_env=False
    )
