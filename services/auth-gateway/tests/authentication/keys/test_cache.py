"""The key cache against a key server that is well, changes its keys, or is sick."""

import asyncio
from collections.abc import AsyncIterator
from secrets import token_bytes

import pytest
from prometheus_client import REGISTRY

from auth_gateway.authentication import Verifier
from auth_gateway.authentication.keys import KeyCache, KeyState, KeysUnavailable
from auth_gateway.settings import GatewaySettings

from ...support import key_server as sick
from ...support.helpers import Clock, rejection_reason
from ...support.key_server import KeyServer, Respond, document
from ...support.token_factory import EDDSA, ES256, HS256, PUBLISHED, RS256, key_set, login, minted

DAY = 86_400
GOOD = document(key_set(EDDSA.jwk()))

every_sickness = pytest.mark.parametrize("answer", sick.FAILURES.values(), ids=sick.FAILURES)


@pytest.fixture
async def server() -> AsyncIterator[KeyServer]:
    async with KeyServer().running() as server:
        server.respond = GOOD
        yield server


@pytest.fixture
async def cache(server: KeyServer, clock: Clock) -> AsyncIterator[KeyCache]:
    """Return a cache that fetches when it is asked to, and not by itself."""
    cache = KeyCache(server.url, max_age_seconds=300, clock=clock)
    yield cache
    await cache.close()


async def known(cache: KeyCache, key_id: str | None, age_seconds: float = 0) -> bool:
    """Ask for a key as each new token does."""
    assert key_id is not None
    return (
        cache.cached_key(key_id) is not None
        or await cache.key(key_id, token_bytes(), age_seconds) is not None
    )


async def test_a_fetch_is_plain(server: KeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
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
    server.respond = document(key_set(*(EDDSA.jwk(kid=str(n)) for n in range(64))).ljust(65_536))

    assert await known(cache, "63")
    assert cache.state == KeyState("ok", 0, 64)


async def test_bad_keys_do_not_spoil_the_good_ones(cache: KeyCache, server: KeyServer) -> None:
    server.respond = document(
        key_set(HS256.jwk(kid="a"), RS256.jwk(n=5), EDDSA.jwk(), ES256.jwk(use="enc"))
    )

    assert await known(cache, EDDSA.key_id)
    assert cache.state.key_count == 1


@every_sickness
async def test_a_sick_server_at_the_start_is_503(
    cache: KeyCache, server: KeyServer, clock: Clock, answer: Respond
) -> None:
    server.respond = answer

    with pytest.raises(KeysUnavailable) as caught:
        await known(cache, EDDSA.key_id)
    assert (caught.value.status_code, caught.value.code) == (503, "keys-unavailable")
    assert caught.value.headers == {"Retry-After": "10"}
    assert cache.state.status == "unavailable"

    server.respond = GOOD
    clock.now += 10
    assert await known(cache, EDDSA.key_id)
    assert cache.state.status == "ok"


@every_sickness
async def test_a_bad_set_never_replaces_a_good_one(
    cache: KeyCache, server: KeyServer, clock: Clock, answer: Respond
) -> None:
    await cache.refresh()
    server.respond = answer
    clock.now += 300

    await cache.refresh()

    assert await known(cache, EDDSA.key_id)
    assert (cache.state.status, cache.state.age_seconds, cache.state.key_count) == (
        "degraded",
        300,
        1,
    )


@pytest.mark.parametrize("answer", [sick.never, sick.drip])
async def test_a_request_does_not_wait_for_a_slow_server(
    cache: KeyCache, server: KeyServer, answer: Respond
) -> None:
    server.respond = answer
    loop = asyncio.get_running_loop()
    started = loop.time()

    with pytest.raises(KeysUnavailable):
        await cache.key_set()

    assert 1.4 < loop.time() - started < 3


async def test_a_server_that_is_down_is_503(clock: Clock) -> None:
    async with KeyServer().running() as gone:
        address = gone.url
    cache = KeyCache(address, max_age_seconds=300, clock=clock)

    with pytest.raises(KeysUnavailable):
        await cache.key_set()
    await cache.close()


async def test_503_says_when_to_come_back(cache: KeyCache, server: KeyServer, clock: Clock) -> None:
    server.respond = sick.nothing
    await cache.refresh()

    clock.now += 7.5
    with pytest.raises(KeysUnavailable) as caught:
        await cache.key_set()

    assert caught.value.headers == {"Retry-After": "3"}
    assert len(server.requests) == 1


async def test_a_set_is_fetched_anew_before_it_is_too_old(
    cache: KeyCache, server: KeyServer, clock: Clock
) -> None:
    await cache.refresh()
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
    await cache.refresh()
    server.respond = sick.nothing
    clock.now += 240
    for _ in range(100):
        await cache.refresh()
        clock.now += 1

    assert len(server.requests) == 1 + 10
    assert cache.state.status == "degraded"


async def test_the_last_good_set_outlives_a_day_of_outage(
    cache: KeyCache, server: KeyServer, clock: Clock
) -> None:
    await cache.refresh()
    server.respond = sick.nothing

    clock.now += DAY
    await cache.refresh()
    assert await known(cache, EDDSA.key_id)
    assert (cache.state.status, cache.state.age_seconds, cache.state.key_count) == (
        "degraded",
        DAY,
        1,
    )

    clock.now += 1
    with pytest.raises(KeysUnavailable):
        await known(cache, EDDSA.key_id)
    assert (cache.state.status, cache.state.age_seconds, cache.state.key_count) == (
        "unavailable",
        None,
        0,
    )


async def test_a_rotated_key_is_found_at_its_first_token(
    cache: KeyCache, server: KeyServer
) -> None:
    await cache.refresh()
    server.respond = document(key_set(EDDSA.jwk(), RS256.jwk()))

    assert await known(cache, RS256.key_id)
    assert len(server.requests) == 2


async def test_a_removed_key_is_forgotten(cache: KeyCache, server: KeyServer, clock: Clock) -> None:
    await cache.refresh()
    server.respond = document(key_set(RS256.jwk()))
    clock.now += 300
    await cache.refresh()

    assert not await known(cache, EDDSA.key_id)


async def test_unknown_key_ids_cost_one_fetch_in_ten_seconds(
    cache: KeyCache, server: KeyServer, clock: Clock
) -> None:
    await cache.refresh()
    for answer in (GOOD, sick.nothing):
        server.respond, before = answer, len(server.requests)
        for second in range(10):
            asked = (known(cache, f"{second}-{n}") for n in range(200))
            verdicts = await asyncio.gather(*asked, return_exceptions=True)
            assert not [verdict for verdict in verdicts if verdict is True]
            assert await known(cache, EDDSA.key_id)
            await cache.refresh()
            clock.now += 0.99

        assert len(server.requests) == before + 1
        clock.now += 0.1


async def test_a_token_without_a_key_id_costs_no_fetch(cache: KeyCache, server: KeyServer) -> None:
    await cache.refresh()
    await cache.key_set()

    assert len(server.requests) == 1


async def test_whoever_comes_meanwhile_waits_for_the_same_fetch(
    cache: KeyCache, server: KeyServer
) -> None:
    assert all(await asyncio.gather(*(known(cache, EDDSA.key_id) for _ in range(50))))
    assert len(server.requests) == 1


async def test_a_client_who_gives_up_does_not_spoil_it_for_the_others(cache: KeyCache) -> None:
    hasty, patient = (asyncio.create_task(known(cache, EDDSA.key_id)) for _ in range(2))
    await asyncio.sleep(0)
    hasty.cancel()

    assert await patient


async def test_the_cache_keeps_itself_fresh_until_it_is_closed(
    server: KeyServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth_gateway.authentication.keys.cache.REFRESH_CHECK_SECONDS", 0)
    async with (
        KeyCache(server.url, max_age_seconds=300, clock=clock) as cache,
        asyncio.timeout(5),
    ):
        await server.requested.wait()
        assert await known(cache, EDDSA.key_id)
        server.requested.clear()
        clock.now += 240
        await server.requested.wait()
        await cache.key_set()

    server.requested.clear()
    clock.now += 240
    await asyncio.sleep(0.05)
    assert not server.requested.is_set()


async def test_the_age_of_the_keys_is_shown(server: KeyServer, clock: Clock) -> None:
    async with KeyCache(server.url, max_age_seconds=300, clock=clock) as cache:
        await server.requested.wait()
        await cache.key_set()
        clock.now += 7

        assert REGISTRY.get_sample_value("key_set_age_seconds") == 7


async def test_without_an_address_nothing_is_fetched() -> None:
    async with KeyCache(None, max_age_seconds=300) as cache:
        assert cache.state == KeyState("off", None, 0)


async def test_while_keys_cannot_be_had_hs256_goes_on(
    settings: GatewaySettings, cache: KeyCache, server: KeyServer, clock: Clock
) -> None:
    server.respond = sick.nothing
    verifier = Verifier(settings, cache, clock)

    assert await rejection_reason(verifier, minted()) is None
    with pytest.raises(KeysUnavailable):
        await verifier.verify(login())


async def test_all_kinds_of_keys_are_kept(key_cache: KeyCache) -> None:
    for signer in PUBLISHED:
        assert await known(key_cache, signer.key_id)
