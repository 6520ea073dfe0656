"""The other service that this one asks: users."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import httpx

from common.identity import User
from common.problems import Unavailable

CONNECT_SECONDS: Final = 0.5
"""How long the other service may take to accept."""

CALL_SECONDS: Final = 2.0
"""How long a whole call may take: well within the caller's own deadline."""

IDLE_SECONDS: Final = 20
"""Shorter than a service keeps idle connections, so that none dies under a call."""


class UsersClient:
    """The users service, as the internal network shows it, asked on behalf of one request."""

    def __init__(self, client: httpx.AsyncClient, request_id: str) -> None:
        self._client = client
        self._request_id = request_id

    async def ensure_profile(self, user: User) -> None:
        """Make sure that the caller has a profile, by handing on their passport.

        Raises:
            Unavailable: The service is away, slow, or did not say yes.
        """
        headers = {
            "Authorization": f"Bearer {user.passport}",
            "X-User-Id": str(user.id),
            "X-Request-ID": self._request_id,
        }
        try:
            # Only the status is read, so that a body of any size or kind can do no harm.
            async with (
                asyncio.timeout(CALL_SECONDS),
                self._client.stream("PUT", "/internal/users/me", headers=headers) as answer,
            ):
                met = answer.is_success
        except (TimeoutError, httpx.HTTPError) as error:
            raise _away() from error
        if not met:
            raise _away()


@asynccontextmanager
async def users_connections(url: str) -> AsyncGenerator[httpx.AsyncClient]:
    """Keep connections to the users service as long as this service lives."""
    limits = httpx.Limits(keepalive_expiry=IDLE_SECONDS)
    timeout = httpx.Timeout(CALL_SECONDS, connect=CONNECT_SECONDS)
    async with httpx.AsyncClient(
        base_url=url, limits=limits, timeout=timeout, trust_env=False
    ) as client:
        yield client


def _away() -> Unavailable:
    return Unavailable("users-unavailable", "New users cannot be met at the moment.")
