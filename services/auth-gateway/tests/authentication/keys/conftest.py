"""A key server with one key, and a cache of its keys."""

from collections.abc import AsyncIterator

import pytest

from auth_gateway.authentication.keys import KeyCache

from ...support.helpers import Clock
from ...support.key_server import KeyServer, respond_with
from ...support.token_factory import EDDSA, key_set


@pytest.fixture
async def server() -> AsyncIterator[KeyServer]:
    async with KeyServer().running() as server:
        server.respond = respond_with(key_set(EDDSA.jwk()))
        yield server


@pytest.fixture
async def cache(server: KeyServer, clock: Clock) -> AsyncIterator[KeyCache]:
    """Make a cache without its background refresh."""
    cache = KeyCache(server.url, max_age_seconds=300, clock=clock)
    yield cache
    await cache.close()
