"""The upstream services, and the HTTP client session that reaches them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import aiohttp

from auth_gateway.settings import BETTER_AUTH_PATH, GatewaySettings
from common.health import HealthStatus

CONNECT_TIMEOUT_SECONDS: Final = 1.0
"""The longest wait until a service accepts a connection."""

RESPONSE_TIMEOUT_SECONDS: Final = 15.0
"""The longest wait for the beginning of a response, and between two chunks of it."""

CONTENT_LENGTH_LIMIT_BYTES: Final = 1_000_000
"""A request that announces this length or more is rejected. Services count what they read."""

IMPORT_RESPONSE_TIMEOUT_SECONDS: Final = 60.0
"""The longest wait for the response to an import after all of it is sent."""

IMPORT_CONTENT_LENGTH_LIMIT_BYTES: Final = 100_000_000
"""`CONTENT_LENGTH_LIMIT_BYTES` of an import."""

IDLE_SECONDS: Final = 90.0
"""Shorter than services keep idle connections, so that none is closed under a request."""

READ_BUFFER_BYTES: Final = 32_768
"""How much of a response is read before its client has read what precedes it."""

READINESS_TIMEOUT_SECONDS: Final = 1.0
"""The longest wait of a readiness check for a service."""

RETRY_DELAY_SECONDS: Final = 0.05
"""The pause before the only retry, when a service did not accept a connection."""

_READINESS_TIMEOUT: Final = aiohttp.ClientTimeout(total=READINESS_TIMEOUT_SECONDS)
_AIOHTTP_HEADERS: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class ResponseLostError(aiohttp.ClientError):
    """A service closed the connection of a request that it may have carried out."""


@dataclass(frozen=True, slots=True)
class UpstreamService:
    """A service at one path, which includes all paths below. A service may have several of these.

    `path` is also what the request log shows as the route.
    """

    name: str
    path: str
    url: str
    content_length_limit_bytes: int = CONTENT_LENGTH_LIMIT_BYTES
    response_timeout_seconds: float = RESPONSE_TIMEOUT_SECONDS
    is_better_auth: bool = False
    """Whether it gets the client's own token and cookies, and its body is counted for it.

    Better Auth checks the former itself, and reads bodies of any length.
    """

    def matches(self, path: str) -> bool:
        """Return whether requests for this path go to the service."""
        return path == self.path or path.startswith(f"{self.path}/")


def upstream_services(settings: GatewaySettings) -> tuple[UpstreamService, ...]:
    """Return the services that need a token, in the order in which they are matched."""
    return (
        UpstreamService("tasks", "/tasks", settings.tasks_url),
        UpstreamService("tasks", "/lists", settings.tasks_url),
        UpstreamService("tasks", "/labels", settings.tasks_url),
        UpstreamService(
            "users",
            "/users/me/import",
            settings.users_url,
            IMPORT_CONTENT_LENGTH_LIMIT_BYTES,
            IMPORT_RESPONSE_TIMEOUT_SECONDS,
        ),
        UpstreamService("users", "/users", settings.users_url),
    )


def better_auth_servers(settings: GatewaySettings) -> tuple[UpstreamService, ...]:
    """Return the Better Auth server, if there is one.

    Readiness does not depend on it: tokens that were issued stay valid while it is away.
    """
    url = settings.better_auth_server_url
    if url is None:
        return ()
    return (UpstreamService("better-auth", BETTER_AUTH_PATH, url, is_better_auth=True),)


@asynccontextmanager
async def client_session() -> AsyncGenerator[aiohttp.ClientSession]:
    """Open a session that neither decodes responses, nor stores cookies, nor adds headers."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=_AIOHTTP_HEADERS,
        middlewares=(_retry_unsent_request,),
        read_bufsize=READ_BUFFER_BYTES,
    ) as session:
        yield session


async def check_readiness(session: aiohttp.ClientSession, service: UpstreamService) -> HealthStatus:
    """Return `ok` if the service's `/readyz` is 200, otherwise `unavailable`."""
    try:
        async with session.get(
            f"{service.url}/readyz", timeout=_READINESS_TIMEOUT, allow_redirects=False
        ) as response:
            status = response.status
    except (aiohttp.ClientError, TimeoutError):
        return "unavailable"
    if status != HTTPStatus.OK:
        return "unavailable"
    return "ok"


async def _retry_unsent_request(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Retry once if nothing was sent. aiohttp itself would also repeat a sent PUT or DELETE."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        await asyncio.sleep(RETRY_DELAY_SECONDS)
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise ResponseLostError from error
