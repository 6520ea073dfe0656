"""Rules 4, 9 and 11: the key that verifies a token."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from auth_gateway.authentication import Reason, Verifier
from auth_gateway.authentication.keys import KeyCache
from auth_gateway.authentication.keys.jwks import RSA_MIN_BITS
from auth_gateway.settings import GatewaySettings

from ..support.helpers import Clock, MakeSettings, rejection_reason
from ..support.key_server import KeyServer, respond_with
from ..support.token_factory import (
    EDDSA,
    ES256,
    ES512,
    HS256,
    LOGIN,
    MINTED,
    NOW,
    OLD_HS256,
    PS256,
    RS256,
    STRANGER,
    Json,
    Signer,
    key_set_of,
    login,
    minted,
    segment,
)

VerifierWith = Callable[..., AbstractAsyncContextManager[Verifier]]


@pytest.fixture
def published(settings: GatewaySettings, clock: Clock) -> VerifierWith:
    """Make verifiers with exactly the given published keys."""

    @asynccontextmanager
    async def verifier(*jwks: Json) -> AsyncGenerator[Verifier]:
        async with KeyServer().running() as server:
            server.respond = respond_with(key_set_of(jwks))
            async with KeyCache(server.url, max_age_seconds=300) as key_cache:
                yield Verifier(settings, key_cache, clock)

    return verifier


@pytest.mark.parametrize(
    ("signer", "changes"),
    [
        (EDDSA, {"alg": ...}),
        (EDDSA, {"alg": "Ed25519"}),
        (ES512, {"alg": ...}),
        (PS256, {"alg": ...}),
        (RS256, {"alg": ...}),
        (RS256, {"use": "sig"}),
        (RS256, {"key_ops": ["verify"], "x5t": "abc", "issuer": "x", "crv": "P-256"}),
    ],
)
async def test_a_usable_key_verifies(
    published: VerifierWith, signer: Signer, changes: dict[str, object]
) -> None:
    async with published(signer.jwk(**changes), STRANGER.jwk()) as verifier:
        assert await rejection_reason(verifier, login(signer)) is None
        assert verifier.signatures_checked == 1


SMALL = Signer("RS256", rsa.generate_private_key(65537, RSA_MIN_BITS // 2), "small")
SMALL_ORDER_POINTS = (
    "01" + "00" * 31,
    "ec" + "ff" * 30 + "7f",
    "00" * 32,
    "00" * 31 + "80",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "ed" + "ff" * 30 + "7f",  # 0 and 1 again, as numbers larger than the field
    "ee" + "ff" * 31,
)
P384 = Signer("ES384", ec.generate_private_key(ec.SECP384R1()), "p-384")


@pytest.mark.parametrize(
    ("signer", "changes"),
    [
        (EDDSA, {"alg": "ES256"}),
        (EDDSA, {"alg": None}),
        (EDDSA, {"alg": ["EdDSA"]}),
        (EDDSA, {"alg": "HS256"}),
        (EDDSA, {"crv": "Ed448"}),
        (EDDSA, {"crv": "X25519"}),
        (EDDSA, {"crv": ["Ed25519"]}),
        (EDDSA, {"x": "AAAA"}),
        (EDDSA, {"x": 5}),
        (EDDSA, {"x": ...}),
        (EDDSA, {"kty": "oct", "k": "c2VjcmV0"}),
        (EDDSA, {"kty": "okp"}),
        (EDDSA, {"kty": ["OKP"]}),
        (EDDSA, {"kty": ...}),
        (EDDSA, {"use": "enc"}),
        (EDDSA, {"use": ["sig"]}),
        (EDDSA, {"key_ops": ["sign"]}),
        (EDDSA, {"key_ops": []}),
        (EDDSA, {"key_ops": "verify"}),
        (RS256, {"d": "AQAB"}),
        (RS256, {"p": "AQAB"}),
        (RS256, {"q": "AQAB"}),
        (RS256, {"dp": "AQAB"}),
        (RS256, {"dq": "AQAB"}),
        (RS256, {"qi": "AQAB"}),
        (RS256, {"oth": "AQAB"}),
        (RS256, {"k": "AQAB"}),
        (EDDSA, {"d": None}),
        (ES256, {"crv": "P-384"}),
        (ES256, {"crv": "secp256k1", "alg": "ES256K"}),
        (ES256, {"y": "A" * 43}),
        (RS256, {"e": "AQ"}),
        (RS256, {"n": []}),
        (RS256, {"alg": "RSA-OAEP"}),
        (SMALL, {}),
        (SMALL, {"alg": ...}),
    ],
)
async def test_an_unusable_key_verifies_nothing(
    published: VerifierWith, signer: Signer, changes: dict[str, object]
) -> None:
    async with published(signer.jwk(**changes), STRANGER.jwk()) as verifier:
        assert await rejection_reason(verifier, login(signer)) is Reason.UNKNOWN_KEY
        assert verifier.signatures_checked == 0


@pytest.mark.parametrize("point", SMALL_ORDER_POINTS)
async def test_a_point_of_small_order_verifies_nothing(published: VerifierWith, point: str) -> None:
    x = segment(bytes.fromhex(point)).decode()
    async with published(EDDSA.jwk(x=x), STRANGER.jwk()) as verifier:
        assert await rejection_reason(verifier, login(EDDSA)) is Reason.UNKNOWN_KEY
        assert verifier.signatures_checked == 0


@pytest.mark.parametrize(
    ("signer", "alg"),
    [
        (EDDSA, "ES256"),
        (ES256, "EdDSA"),
        (ES256, "ES512"),
        (RS256, "PS256"),
        (PS256, "RS256"),
        (RS256, "ES256"),
    ],
)
async def test_the_algorithm_of_a_token_must_be_that_of_its_key(
    verifier: Verifier, signer: Signer, alg: str
) -> None:
    assert await rejection_reason(verifier, signer.token(LOGIN, alg=alg)) is Reason.KEY_DISAGREES
    assert verifier.signatures_checked == 0


async def test_an_rsa_key_without_an_algorithm_verifies_ps256_and_rs256(
    published: VerifierWith,
) -> None:
    as_ps256 = Signer("PS256", RS256.key, RS256.key_id)
    async with published(RS256.jwk(alg=...)) as verifier:
        assert await rejection_reason(verifier, login(RS256)) is None
        assert await rejection_reason(verifier, login(as_ps256)) is None


@pytest.mark.parametrize("own", ["EdDSA", "Ed25519", ...])
@pytest.mark.parametrize("alg", ["EdDSA", "Ed25519"])
async def test_ed25519_is_another_name_of_eddsa(
    published: VerifierWith, own: object, alg: str
) -> None:
    async with published(EDDSA.jwk(alg=own)) as verifier:
        assert await rejection_reason(verifier, EDDSA.token(LOGIN, alg=alg)) is None


async def test_a_curve_that_better_auth_does_not_use_is_not_supported(
    published: VerifierWith,
) -> None:
    async with published(P384.jwk(), EDDSA.jwk()) as verifier:
        assert await rejection_reason(verifier, login(P384)) is Reason.WRONG_ALGORITHM


async def test_another_key_with_the_same_key_id_is_rejected(verifier: Verifier) -> None:
    impostor = Signer("EdDSA", ed25519.Ed25519PrivateKey.generate(), EDDSA.key_id)

    assert await rejection_reason(verifier, login(impostor)) is Reason.WRONG_SIGNATURE


async def test_a_signature_of_the_wrong_length_is_rejected(verifier: Verifier) -> None:
    for signer in (EDDSA, ES256, ES512, RS256, PS256, HS256):
        short = login(signer).rpartition(b".")[0] + b".AAAA"

        assert await rejection_reason(verifier, short) is Reason.WRONG_SIGNATURE


async def test_without_a_key_id_the_only_matching_key_verifies(published: VerifierWith) -> None:
    nameless = Signer("EdDSA", EDDSA.key)
    async with published(EDDSA.jwk(), ES256.jwk()) as verifier:
        assert await rejection_reason(verifier, login(nameless)) is None
    async with published(EDDSA.jwk(kid=...), ES256.jwk()) as verifier:
        assert await rejection_reason(verifier, login(nameless)) is None
    async with published(EDDSA.jwk(), STRANGER.jwk(kid=...)) as verifier:
        assert await rejection_reason(verifier, login(nameless)) is Reason.KEY_NOT_NAMED
    async with published(ES256.jwk()) as verifier:
        assert await rejection_reason(verifier, login(nameless)) is Reason.KEY_NOT_NAMED


async def test_a_key_id_is_compared_exactly(published: VerifierWith) -> None:
    for name in ("", "KEY-EDDSA", "key-eddsa\0", "../key-eddsa", "key-eddsa ", "None", "x" * 4000):
        async with published(EDDSA.jwk(), ES256.jwk(kid=...)) as verifier:
            assert (
                await rejection_reason(verifier, EDDSA.token(LOGIN, kid=name)) is Reason.UNKNOWN_KEY
            )


@pytest.mark.parametrize("name", [5, True, ["key-eddsa"], {}])
async def test_a_key_whose_id_is_no_text_verifies_nothing(
    published: VerifierWith, name: object
) -> None:
    nameless = Signer("EdDSA", EDDSA.key)
    async with published(EDDSA.jwk(kid=name), ES256.jwk()) as verifier:
        assert await rejection_reason(verifier, login()) is Reason.UNKNOWN_KEY
        assert await rejection_reason(verifier, login(nameless)) is Reason.KEY_NOT_NAMED


async def test_two_keys_with_one_id_are_both_unused(published: VerifierWith) -> None:
    nameless = Signer("EdDSA", EDDSA.key)
    for twin in (
        STRANGER.jwk(kid=EDDSA.key_id),
        ES256.jwk(kid=EDDSA.key_id),
        {"kty": "oct", "kid": EDDSA.key_id},
    ):
        async with published(EDDSA.jwk(), twin, RS256.jwk()) as verifier:
            assert await rejection_reason(verifier, login()) is Reason.UNKNOWN_KEY
            assert await rejection_reason(verifier, login(nameless)) is Reason.KEY_NOT_NAMED


async def test_every_secret_is_tried_and_the_current_one_first(verifier: Verifier) -> None:
    assert await rejection_reason(verifier, minted(HS256)) is None
    assert verifier.signatures_checked == 1
    assert await rejection_reason(verifier, minted(OLD_HS256)) is None
    assert verifier.signatures_checked == 3


@pytest.mark.parametrize(
    "secret",
    [
        b"",
        b"other" * 8,
        b"current-" * 5 + b"\n",
        b"Y3VycmVudC1jdXJyZW50LWN1cnJlbnQtY3VycmVudC1jdXJyZW50LQ",
    ],
)
async def test_another_secret_is_rejected(verifier: Verifier, secret: bytes) -> None:
    assert (
        await rejection_reason(verifier, minted(Signer("HS256", secret))) is Reason.WRONG_SIGNATURE
    )


async def test_a_secret_is_used_byte_for_byte(
    make_settings: MakeSettings, key_cache: KeyCache, clock: Clock
) -> None:
    text = " c2VjcmV0 Zürich, base64 and blanks 密 "
    settings = make_settings(better_auth_secrets=None, better_auth_secret=text)

    assert (
        await rejection_reason(
            Verifier(settings, key_cache, clock), minted(Signer("HS256", text.encode()))
        )
        is None
    )


async def test_a_profile_that_is_not_configured_is_off(
    make_settings: MakeSettings, key_cache: KeyCache, clock: Clock
) -> None:
    no_secret = Verifier(make_settings(better_auth_secrets=None), key_cache, clock)
    assert await rejection_reason(no_secret, minted()) is Reason.HS256_OFF
    assert await rejection_reason(no_secret, login()) is None


async def test_without_a_jwks_url_published_keys_are_off(
    make_settings: MakeSettings, clock: Clock
) -> None:
    async with KeyCache(None, max_age_seconds=300) as off:
        no_keys = Verifier(make_settings(better_auth_url=None), off, clock)

        assert await rejection_reason(no_keys, login()) is Reason.PUBLISHED_KEYS_OFF
        assert await rejection_reason(no_keys, minted()) is None


async def test_a_token_with_claims_of_a_login_needs_a_published_key_or_a_secret(
    verifier: Verifier,
) -> None:
    # Older than any key set in this test, so it is certain that its key is not published.
    assert await rejection_reason(verifier, login(STRANGER, iat=NOW - 600)) is Reason.UNKNOWN_KEY
    assert (
        await rejection_reason(verifier, STRANGER.token(MINTED, kid=...)) is Reason.WRONG_SIGNATURE
    )
