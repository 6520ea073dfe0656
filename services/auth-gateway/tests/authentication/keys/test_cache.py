"""The key cache with a key server that works, changes its keys, or fails."""

import asyncio

import pytest

from auth_gateway.authentication import Verifier
from auth_gateway.authentication.keys import KeyCache, KeyState, KeysUnavailable
from auth_gateway.settings import GatewaySettings

from ...support.helpers import Clock, has_key, rejection_reason
from ...support.key_server import (
    INVALID_RESPONSES,
    KeyServer,
    Respond,
    close_without_response,
    never_respond,
    numbered_keys,
    respond_with,
    send_body_slowly,
)
from ...support.token_factory import (
    EDDSA,
    ES256,
    HS256,
    PUBLISHED,
    RS256,
    key_set,
    key_set_of,
    login,
    minted,
)

DAY = 86_400
GOOD = respond_with(key_set(EDDSA.jwk()))

every_invalid_response = pytest.mark.parametrize(
    "respond", INVALID_RESPONSES.values(), ids=INVALID_RESPONSES
)


async def test_a_fetch_is_a_plain_request_without_a_proxy(
    server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    cache = KeyCache(server.url, max_age_seconds=300)
    await cache.refresh()
    await cache.close()

    head = server.requests[0].decode().lower()
    assert head.startswith("get /api/auth/jwks http/1.1\r\n")
    assert "user-agent: auth-gateway\r\n" in head
    assert "accept-encoding: identity\r\n" in head
    assert "authorization" not in head


async def test_the_largest_set_is_read(cache: KeyCache, server: KeyServer) -> None:
    document = key_set_of(numbered_keys(EDDSA, 64)).ljust(65_536)
    server.respond = respond_with(document)

    assert await has_key(cache, "63")
    assert cache.state == KeyState("ok", 0, 64)


async def test_invalid_keys_do_not_affect_valid_ones(cache: KeyCache, server: KeyServer) -> None:
    document = key_set(HS256.jwk(kid="a"), RS256.jwk(n=5), EDDSA.jwk(), ES256.jwk(use="enc"))
    server.respond = respond_with(document)

    assert await has_key(cache, EDDSA.key_id)
    assert cache.state.key_count == 1


@every_invalid_response
async def test_an_invalid_response_at_the_start_is_503(
    cache: KeyCache, server: KeyServer, clock: Clock, respond: Respond
) -> None:
    server.respond = respond

    with pytest.raises(KeysUnavailable) as caught:
        await has_key(cache, EDDSA.key_id)
    assert (caught.value.status_code, caught.value.code) == (503, "keys-unavailable")
    assert caught.value.headers == {"Retry-After": "10"}
    assert cache.state.status == "unavailable"

    server.respond = GOOD
    clock.now += 10
    assert await has_key(cache, EDDSA.key_id)
    assert cache.state.status == "ok"


@every_invalid_response
async def test_an_invalid_set_never_replaces_a_valid_one(
    cache: KeyCache, server: KeyServer, clock: Clock, respond: Respond
) -> None:
    assert await has_key(cache, EDDSA.key_id)
    server.respond = respond
    clock.now += 300

    await cache.refresh()

    assert await has_key(cache, EDDSA.key_id)
    assert (cache.state.status, cache.state.age_seconds, cache.state.key_count) == (
        "degraded",
        300,
        1,
    )


@pytest.mark.parametrize("respond", [never_respond, send_body_slowly])
async def test_a_request_does_not_wait_for_a_slow_server(
    cache: KeyCache, server: KeyServer, respond: Respond
) -> None:
    server.respond = respond
    loop = asyncio.get_running_loop()
    started = loop.time()

    with pytest.raises(KeysUnavailable):
        await cache.key_set()

    assert 1.4 < loop.time() - started < 3


async def test_an_unreachable_server_is_503(clock: Clock) -> None:
    async with KeyServer().running() as stopped_server:
        url = stopped_server.url
    cache = KeyCache(url, max_age_seconds=300, clock=clock)

    with pytest.raises(KeysUnavailable):
        await cache.key_set()
    await cache.close()


async def test_503_has_a_retry_after_header(
    cache: KeyCache, server: KeyServer, clock: Clock
) -> None:
    server.respond = close_without_response
    await cache.refresh()

    clock.now += 7.5
    with pytest.raises(KeysUnavailable) as caught:
        await cache.key_set()

    assert caught.value.headers == {"Retry-After": "3"}
    assert len(server.requests) == 1


async def test_a_set_is_fetched_again_before_its_maximum_age(
    cache: KeyCache, server: KeyServer, clock: Clock
) -> None:
    assert await has_key(cache, EDDSA.key_id)
    clock.now += 239
    await cache.refresh()
    assert len(server.requests) == 1

    clock.now += 1
    await cache.refresh()
    assert len(server.requests) == 2
    assert cache.state.age_seconds == 0


async def test_a_failed_refresh_is_tried_again_every_ten_seconds(
    cache: KeyCache, server: KeyServer, clock: Clock
) -> None:
    assert await has_key(cache, EDDSA.key_id)
    server.respond = close_without_response
    clock.now += 240
    for _ in range(100):
        await cache.refresh()
        clock.now += 1

    assert len(server.requests) == 1 + 10
    assert cache.state.status == "degraded"


async def test_a_start_without_keys_tries_twice_a_second_for_ten_seconds(
    server: KeyServer,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After that the gateway goes on without: tokens of a secret need no published keys."""
    monkeypatch.setattr("auth_gateway.authentication.keys.cache.REFRESH_CHECK_SECONDS", 60)
    server.respond = close_without_response
    async with KeyCache(server.url, max_age_seconds=300, clock=clock) as cache:
        for _ in range(20):
            assert cache.is_starting
            await cache.refresh()
            clock.now += 0.5
        assert not cache.is_starting
        at_start = len(server.requests)
        for _ in range(20):
            await cache.refresh()
            clock.now += 0.5

    assert (at_start, len(server.requests)) == (20, 21)
    assert caplog.text.count("The keys cannot be fetched") == 2


async def test_the_first_keys_end_the_start(cache: KeyCache) -> None:
    async with cache:
        await cache.refresh()

        assert not cache.is_starting


async def test_the_last_valid_set_is_used_through_a_day_of_outage(
    cache: KeyCache, server: KeyServer, clock: Clock
) -> None:
    await cache.refresh()
    server.respond = close_without_response

    clock.now += DAY
    await cache.refresh()
    assert await has_key(cache, EDDSA.key_id)
    assert (cache.state.status, cache.state.age_seconds, cache.state.key_count) == (
        "degraded",
        DAY,
        1,
    )

    clock.now += 1
    with pytest.raises(KeysUnavailable):
        await has_key(cache, EDDSA.key_id)
    assert (cache.state.status, cache.state.age_seconds, cache.state.key_count) == (
        "unavailable",
        None,
        0,
    )


async def test_a_rotated_key_is_fetched_for_its_first_token(
    cache: KeyCache, server: KeyServer
) -> None:
    await cache.refresh()
    server.respond = respond_with(key_set(EDDSA.jwk(), RS256.jwk()))

    assert await has_key(cache, RS256.key_id)
    assert len(server.requests) == 2


async def test_a_removed_key_is_dropped(cache: KeyCache, server: KeyServer, clock: Clock) -> None:
    assert await has_key(cache, EDDSA.key_id)
    server.respond = respond_with(key_set(RS256.jwk()))
    clock.now += 300
    await cache.refresh()

    assert not await has_key(cache, EDDSA.key_id)


async def test_unknown_key_ids_cause_one_fetch_in_ten_seconds(
    cache: KeyCache, server: KeyServer, clock: Clock
) -> None:
    await cache.refresh()
    for respond in (GOOD, close_without_response):
        server.respond = respond
        request_count = len(server.requests)
        for second in range(10):
            lookups = [has_key(cache, f"{second}-{n}") for n in range(200)]
            results = await asyncio.gather(*lookups, return_exceptions=True)
            assert True not in results
            assert await has_key(cache, EDDSA.key_id)
            await cache.refresh()
            clock.now += 0.99

        assert len(server.requests) == request_count + 1
        clock.now += 0.1


async def test_a_token_without_a_key_id_causes_no_fetch(cache: KeyCache, server: KeyServer) -> None:
    await cache.refresh()
    await cache.key_set()

    assert len(server.requests) == 1


async def test_concurrent_requests_wait_for_the_same_fetch(
    cache: KeyCache, server: KeyServer
) -> None:
    lookups = [has_key(cache, EDDSA.key_id) for _ in range(50)]

    assert await asyncio.gather(*lookups) == [True] * 50
    assert len(server.requests) == 1


async def test_a_cancelled_request_does_not_cancel_the_fetch(cache: KeyCache) -> None:
    first = asyncio.create_task(has_key(cache, EDDSA.key_id))
    second = asyncio.create_task(has_key(cache, EDDSA.key_id))
    await asyncio.sleep(0)
    first.cancel()

    assert await second


async def test_the_cache_refreshes_itself_until_it_is_closed(
    server: KeyServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth_gateway.authentication.keys.cache.REFRESH_CHECK_SECONDS", 0)
    async with (
        KeyCache(server.url, max_age_seconds=300, clock=clock) as cache,
        asyncio.timeout(5),
    ):
        await server.requested.wait()
        assert await has_key(cache, EDDSA.key_id)
        server.requested.clear()
        clock.now += 240
        await server.requested.wait()
        await cache.key_set()

    server.requested.clear()
    clock.now += 240
    await asyncio.sleep(0.05)
    assert not server.requested.is_set()


async def test_without_a_url_nothing_is_fetched() -> None:
    async with KeyCache(None, max_age_seconds=300) as cache:
        assert cache.state == KeyState("off", None, 0)
        assert not cache.is_starting


async def test_hs256_works_while_keys_cannot_be_fetched(
    settings: GatewaySettings, cache: KeyCache, server: KeyServer, clock: Clock
) -> None:
    server.respond = close_without_response
    verifier = Verifier(settings, cache, clock)

    assert await rejection_reason(verifier, minted()) is None
    with pytest.raises(KeysUnavailable):
        await verifier.verify(login())


async def test_keys_of_every_algorithm_are_cached(key_cache: KeyCache) -> None:
    for signer in PUBLISHED:
        assert await has_key(key_cache, signer.key_id)
