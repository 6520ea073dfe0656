"""Key rotation while tokens arrive: 401 only if it is certain that a key is not published."""

import asyncio
from secrets import token_bytes

import pytest

from auth_gateway.authentication import InvalidToken, Reason, Verifier
from auth_gateway.authentication.keys import KeyCache, KeysUnavailable
from auth_gateway.authentication.keys import cache as cache_module
from auth_gateway.settings import GatewaySettings

from ...support.helpers import Clock, rejection_reason
from ...support.key_server import (
    KeyServer,
    close_without_response,
    respond_after,
    respond_when,
    respond_with,
    send_body_slowly,
)
from ...support.token_factory import (
    EDDSA,
    ES256,
    ISSUER,
    NOW,
    RS256,
    STRANGER,
    Signer,
    key_set,
    login,
    with_changes,
)

OLD = respond_with(key_set(EDDSA.jwk()))
ROTATED = respond_with(key_set(EDDSA.jwk(), RS256.jwk()))
UNAVAILABLE = "503"


@pytest.fixture
def verifier(settings: GatewaySettings, cache: KeyCache, clock: Clock) -> Verifier:
    return Verifier(settings, cache, clock)


@pytest.fixture
async def warm(verifier: Verifier, cache: KeyCache) -> Verifier:
    """Make a verifier whose cache has fetched the keys."""
    await cache.refresh()
    return verifier


async def outcome(verifier: Verifier, token: bytes) -> Reason | str | None:
    """Return why a token is rejected, `UNAVAILABLE`, or None if it is accepted."""
    try:
        return await rejection_reason(verifier, token)
    except KeysUnavailable:
        return UNAVAILABLE


async def retry_after(verifier: Verifier, token: bytes) -> int:
    with pytest.raises(KeysUnavailable) as caught:
        await verifier.verify(token)
    assert (caught.value.status_code, caught.value.code) == (503, "keys-unavailable")
    return int((caught.value.headers or {})["Retry-After"])


def random_login(**changes: object) -> bytes:
    """Make a login with a random key id."""
    claims = {"sub": "mallory", "iss": ISSUER, "aud": ISSUER, "iat": NOW, "exp": NOW + 900}
    signer = Signer("EdDSA", STRANGER.key, token_bytes(8).hex())
    return signer.token(with_changes(claims, changes))


async def flood(verifier: Verifier, **changes: object) -> list[Reason | str | None]:
    """Send 200 tokens with random key ids at the same time."""
    tokens = [random_login(**changes) for _ in range(200)]
    return await asyncio.gather(*(outcome(verifier, token) for token in tokens))


async def test_the_first_login_after_a_slow_response_is_accepted(
    verifier: Verifier, server: KeyServer
) -> None:
    server.respond = respond_after(2, OLD)

    assert await retry_after(verifier, login()) == 1
    await asyncio.sleep(1)
    assert await outcome(verifier, login()) is None
    assert len(server.requests) == 1


async def test_a_rotated_key_of_a_slow_server_is_fetched_in_the_background(
    settings: GatewaySettings, server: KeyServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "REFRESH_CHECK_SECONDS", 0)
    async with (
        KeyCache(server.url, max_age_seconds=300, clock=clock) as cache,
        asyncio.timeout(10),
    ):
        verifier = Verifier(settings, cache, clock)
        await flood(verifier)
        server.respond = respond_after(2, ROTATED)
        server.requested.clear()
        clock.now += 5
        assert await retry_after(verifier, login(RS256)) == 5

        clock.now += 5
        await server.requested.wait()
        await cache.wait_for_fetch()
        assert await outcome(verifier, login(RS256)) is None
    assert len(server.requests) == 2


async def test_a_setting_limits_the_time_of_a_fetch(server: KeyServer) -> None:
    server.respond = send_body_slowly
    cache = KeyCache(server.url, max_age_seconds=300, fetch_seconds=1)
    loop = asyncio.get_running_loop()
    started = loop.time()

    await cache.refresh()
    await cache.close()

    assert 0.9 < loop.time() - started < 5
    assert cache.last_error is not None
    assert "KEYS_FETCH_SECONDS" in cache.last_error.reason


async def test_a_rotated_key_after_a_flood_of_unknown_ones_is_503_and_then_accepted(
    warm: Verifier, server: KeyServer, clock: Clock
) -> None:
    assert set(await flood(warm)) == {Reason.UNKNOWN_KEY}
    server.respond = ROTATED

    for second in range(10):
        assert await retry_after(warm, login(RS256, jti=second)) == 10 - second
        assert set(await flood(warm)) <= {UNAVAILABLE, Reason.UNKNOWN_KEY}
        assert await outcome(warm, login()) is None
        clock.now += 1

    assert await outcome(warm, login(RS256)) is None
    assert len(server.requests) == 3


async def test_a_rotated_key_after_a_failed_fetch_is_503_and_then_accepted(
    warm: Verifier, server: KeyServer, clock: Clock
) -> None:
    server.respond = close_without_response
    assert await retry_after(warm, login(RS256)) == 10
    server.respond = ROTATED
    clock.now += 3

    assert await retry_after(warm, login(RS256)) == 7
    assert await outcome(warm, login()) is None
    clock.now += 7
    assert await outcome(warm, login(RS256)) is None


async def test_a_token_is_401_once_a_fetch_that_began_after_it_lacks_its_key(
    warm: Verifier, server: KeyServer, clock: Clock
) -> None:
    await flood(warm)
    stranger = login(STRANGER)
    assert await outcome(warm, stranger) == UNAVAILABLE

    server.respond = close_without_response
    clock.now += 10
    assert await outcome(warm, stranger) == UNAVAILABLE

    server.respond = OLD
    clock.now += 10
    assert await outcome(warm, stranger) is Reason.UNKNOWN_KEY
    assert await outcome(warm, stranger) is Reason.UNKNOWN_KEY


@pytest.mark.parametrize("iat", [NOW, NOW + 30, NOW - 29, NOW + 0.5])
async def test_no_time_of_issue_makes_a_token_503_forever(
    warm: Verifier, server: KeyServer, clock: Clock, iat: float
) -> None:
    await flood(warm)
    stranger = login(STRANGER, iat=iat)

    assert await outcome(warm, stranger) == UNAVAILABLE
    clock.now += 10
    assert await outcome(warm, stranger) is Reason.UNKNOWN_KEY
    assert len(server.requests) == 3


@pytest.mark.parametrize("iat", [0, NOW - 900, NOW - 31])
async def test_an_old_token_of_an_unknown_key_is_401_even_in_an_outage(
    warm: Verifier, server: KeyServer, iat: int
) -> None:
    server.respond = close_without_response

    assert set(await flood(warm, iat=iat)) == {Reason.UNKNOWN_KEY}
    assert len(server.requests) == 2


async def test_clocks_that_differ_by_half_a_minute_reject_no_valid_token(
    warm: Verifier, server: KeyServer, clock: Clock
) -> None:
    """A new token may look 30 s older or younger than it is."""
    await flood(warm)
    server.respond = ROTATED

    for skew in (-30, 30):
        assert await outcome(warm, login(RS256, iat=clock.now + skew)) == UNAVAILABLE
    clock.now += 10
    for skew in (-30, 30):
        assert await outcome(warm, login(RS256, iat=clock.now + skew)) is None


async def test_an_attacker_cannot_get_tokens_of_the_next_key_rejected(
    warm: Verifier, server: KeyServer, clock: Clock
) -> None:
    """An attacker guesses the id of the next key, and sends it again and again in advance."""
    guessed = Signer("EdDSA", STRANGER.key, RS256.key_id)
    for _ in range(3):
        clock.now += 10
        assert await outcome(warm, login(guessed)) is Reason.UNKNOWN_KEY
    server.respond = ROTATED

    assert await outcome(warm, login(RS256, iat=clock.now)) == UNAVAILABLE
    clock.now += 10
    assert await outcome(warm, login(RS256, iat=clock.now)) is None


async def test_a_key_published_during_a_fetch_is_503_and_then_accepted(
    warm: Verifier, cache: KeyCache, server: KeyServer, clock: Clock
) -> None:
    release = asyncio.Event()
    server.respond = respond_when(release, OLD)
    server.requested.clear()
    first = asyncio.create_task(outcome(warm, login(STRANGER)))
    await server.requested.wait()
    second = asyncio.create_task(outcome(warm, login(RS256)))
    await asyncio.sleep(0.05)
    release.set()

    assert (await first, await second) == (Reason.UNKNOWN_KEY, UNAVAILABLE)
    server.respond = ROTATED
    clock.now += 10
    assert await outcome(warm, login(RS256)) is None
    assert cache.state.status == "ok"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exp": NOW - 60}, Reason.EXPIRED),
        ({"iat": NOW + 31}, Reason.NOT_YET_VALID),
        ({"iat": ...}, Reason.MISSING_CLAIM),
        ({"iat": "now"}, Reason.NOT_A_TIME),
        ({"iss": "https://evil.example"}, Reason.WRONG_ISSUER),
        ({"aud": "other"}, Reason.WRONG_AUDIENCE),
        ({"sub": ""}, Reason.STRANGE_SUBJECT),
        ({"azp": "app"}, Reason.OAUTH),
    ],
)
async def test_a_token_that_no_key_can_make_valid_causes_no_fetch(
    verifier: Verifier, server: KeyServer, changes: dict[str, object], reason: Reason
) -> None:
    server.respond = close_without_response

    assert await outcome(verifier, login(STRANGER, **changes)) is reason
    assert server.requests == []


async def test_a_background_fetch_for_a_missing_key_counts_as_well(
    cache: KeyCache, server: KeyServer, clock: Clock
) -> None:
    await cache.refresh()
    assert await cache.key("unknown", b"first", 0) is None
    for _ in range(3):
        with pytest.raises(KeysUnavailable):
            await cache.key("unknown", token_bytes(), 0)
        clock.now += 10
        await cache.refresh()
        with pytest.raises(KeysUnavailable):
            await cache.key("unknown", token_bytes(), 0)

    assert len(server.requests) == 2 + 3


async def test_the_number_of_remembered_tokens_is_limited(
    server: KeyServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "FIRST_SEEN_MAX", 2)
    cache = KeyCache(server.url, max_age_seconds=300, clock=clock)
    await cache.key("unknown", b"first", 0)
    for digest in (b"forgotten", b"second", b"third"):
        with pytest.raises(KeysUnavailable):
            await cache.key("unknown", digest, 0)
    clock.now += 10
    await cache.refresh()

    assert await cache.key("unknown", b"second", 0) is None
    assert await cache.key("unknown", b"third", 0) is None
    with pytest.raises(KeysUnavailable):
        await cache.key("unknown", b"forgotten", 0)
    await cache.close()


async def test_each_gateway_fetches_a_rotated_key(
    settings: GatewaySettings, server: KeyServer, clock: Clock
) -> None:
    first_cache = KeyCache(server.url, max_age_seconds=300, clock=clock)
    second_cache = KeyCache(server.url, max_age_seconds=300, clock=clock)
    first = Verifier(settings, first_cache, clock)
    second = Verifier(settings, second_cache, clock)
    assert await outcome(first, login()) is None
    assert await outcome(second, login()) is None
    clock.now += 10
    await flood(first)
    server.respond = ROTATED

    assert await outcome(first, login(RS256)) == UNAVAILABLE
    assert await outcome(second, login(RS256)) is None
    clock.now += 10
    assert await outcome(first, login(RS256)) is None
    assert await outcome(second, login(RS256)) is None
    await first_cache.close()
    await second_cache.close()


async def test_a_removed_key_is_401_for_older_tokens(
    verifier: Verifier, cache: KeyCache, server: KeyServer, clock: Clock
) -> None:
    token = login(ES256)
    server.respond = respond_with(key_set(EDDSA.jwk(), ES256.jwk()))
    assert await outcome(verifier, token) is None
    server.respond = OLD
    clock.now += 300
    await cache.refresh()

    with pytest.raises(InvalidToken) as caught:
        await verifier.verify(token)
    assert caught.value.reason == Reason.UNKNOWN_KEY
