"""Client of the users service."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from common.identity import User
from common.problems import Unavailable
from common.service_client import CALL_SECONDS, KEEP_ALIVE_SECONDS, call_headers, create_client


class UsersClient:
    """Calls the users service on behalf of one request."""

    def __init__(self, client: httpx.AsyncClient, request_id: str) -> None:
        self._client = client
        self._request_id = request_id

    async def ensure_profile(self, user: User) -> None:
        """Create the user's profile if it is missing. Forwards the user's passport. Idempotent.

        Raises:
            Unavailable: The service is unreachable, slow, or did not return success.
        """
        headers = call_headers(user, self._request_id)
        try:
            # The body is not read, so that neither its size nor its content matters.
            async with (
                asyncio.timeout(CALL_SECONDS),
                self._client.stream("PUT", "/internal/users/me", headers=headers) as response,
            ):
                is_success = response.is_success
        except (TimeoutError, httpx.HTTPError) as error:
            raise _users_unavailable() from error
        if not is_success:
            raise _users_unavailable()


@asynccontextmanager
async def users_connections(url: str) -> AsyncGenerator[httpx.AsyncClient]:
    """Hold the connection pool to the users service while this service runs."""
    limits = httpx.Limits(keepalive_expiry=KEEP_ALIVE_SECONDS)
    async with create_client(url, limits) as client:
        yield client


def _users_unavailable() -> Unavailable:
    return Unavailable("users-unavailable", "New users cannot be registered at the moment.")
