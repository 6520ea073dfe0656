"""The key cache while no token needs its keys: the key server may sleep."""

import asyncio

import pytest

from auth_gateway.authentication.keys import KeyCache

from ...support.helpers import Clock, has_key
from ...support.key_server import (
    KeyServer,
    Respond,
    close_without_response,
    never_respond,
    respond_with,
)
from ...support.token_factory import EDDSA, RS256, key_set


async def test_a_set_that_no_token_needs_is_fetched_twice_a_day(
    cache: KeyCache, server: KeyServer, clock: Clock
) -> None:
    await cache.refresh()
    for _ in range(24):
        clock.now += 3_600
        await cache.refresh()
        assert cache.state.status == "ok"

    assert len(server.requests) == 1 + 2


async def test_the_first_token_after_an_idle_time_waits_for_a_fetch(
    cache: KeyCache, server: KeyServer, clock: Clock
) -> None:
    await cache.refresh()
    server.respond = respond_with(key_set(RS256.jwk()))
    clock.now += 3_600

    assert not await has_key(cache, EDDSA.key_id)
    assert await has_key(cache, RS256.key_id)
    assert len(server.requests) == 2


async def test_tokens_that_arrive_together_after_an_idle_time_wait_for_the_same_fetch(
    cache: KeyCache, server: KeyServer, clock: Clock
) -> None:
    """A key may have been revoked meanwhile."""
    await cache.refresh()
    server.respond = respond_with(key_set(RS256.jwk()))
    clock.now += 3_600

    tokens = [has_key(cache, EDDSA.key_id) for _ in range(3)]
    assert await asyncio.gather(*tokens) == [False] * 3
    assert len(server.requests) == 2


@pytest.mark.parametrize("respond", [close_without_response, never_respond])
async def test_the_first_token_after_an_idle_time_does_not_need_the_key_server(
    cache: KeyCache, server: KeyServer, clock: Clock, respond: Respond
) -> None:
    await cache.refresh()
    server.respond = respond
    clock.now += 3_600

    assert await has_key(cache, EDDSA.key_id)
    assert cache.state.status == "degraded"
    assert len(server.requests) == 2


async def test_a_set_that_is_used_again_is_refreshed_again(
    cache: KeyCache, server: KeyServer, clock: Clock
) -> None:
    await cache.refresh()
    clock.now += 3_600
    assert await cache.key_set()
    clock.now += 240
    await cache.refresh()

    assert len(server.requests) == 3
