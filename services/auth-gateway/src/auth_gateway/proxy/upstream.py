"""The services behind the gateway, and the connections to them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import aiohttp

from auth_gateway.settings import GatewaySettings
from common.health import HealthStatus

CONNECT_SECONDS: Final = 1.0
"""How long a service may take to accept a connection."""

ANSWER_SECONDS: Final = 15.0
"""How long a service may take to begin its answer, and between two pieces of it."""

ANNOUNCED_BELOW_BYTES: Final = 1_000_000
"""A request that announces as much, or more, is refused unread; services count what they read."""

IMPORT_SECONDS: Final = 60.0
"""How long a service may take for an import after it has read all of it."""

IMPORT_BELOW_BYTES: Final = 100_000_000
"""As above, for an import."""

IDLE_SECONDS: Final = 90.0
"""Shorter than a service keeps idle connections, so that none dies under a request."""

READ_AHEAD_BYTES: Final = 32_768
"""How much of an answer is read before its client has read what is before it."""

READY_SECONDS: Final = 1.0
"""How long a readiness check waits for a service."""

RETRY_SECONDS: Final = 0.05
"""The pause before a service that did not accept a connection is asked once more."""

_READY_TIMEOUT: Final = aiohttp.ClientTimeout(total=READY_SECONDS)
_OWN_HEADERS: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class AnswerLostError(aiohttp.ClientError):
    """A service hung up on a request that it may have carried out."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service, and a path that it owns with everything below; there is one of these for each such path."""

    name: str
    path: str
    url: str
    announced_below_bytes: int = ANNOUNCED_BELOW_BYTES
    answer_seconds: float = ANSWER_SECONDS

    def owns(self, path: str) -> bool:
        """Say whether the service answers at this path."""
        return path.startswith(self.path) and path[len(self.path) : len(self.path) + 1] in ("", "/")


def services_of(settings: GatewaySettings) -> tuple[Service, ...]:
    """Return the services by the settings' addresses, in the order in which they are asked what they own."""
    return (
        *(Service("tasks", path, settings.tasks_url) for path in ("/tasks", "/lists", "/labels")),
        Service(
            "users", "/users/me/import", settings.users_url, IMPORT_BELOW_BYTES, IMPORT_SECONDS
        ),
        Service("users", "/users", settings.users_url),
    )


@asynccontextmanager
async def connections() -> AsyncGenerator[aiohttp.ClientSession]:
    """Keep connections to the services; nothing is decoded, remembered or added on the way."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=_OWN_HEADERS,
        middlewares=(_send_once,),
        read_bufsize=READ_AHEAD_BYTES,
    ) as session:
        yield session


async def state_of(session: aiohttp.ClientSession, service: Service) -> HealthStatus:
    """Ask a service whether it is ready."""
    try:
        async with session.get(
            f"{service.url}/readyz", timeout=_READY_TIMEOUT, allow_redirects=False
        ) as answer:
            return "ok" if answer.status == HTTPStatus.OK else "unavailable"
    except (aiohttp.ClientError, TimeoutError):
        return "unavailable"


async def _send_once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Try a second time only while nothing was written; aiohttp itself would also repeat a PUT or DELETE that was."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        await asyncio.sleep(RETRY_SECONDS)
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise AnswerLostError from error
