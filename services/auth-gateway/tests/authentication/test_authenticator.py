"""The `Authorization` header, cached decisions, and the problems that clients see."""

import json
from collections.abc import Sequence
from hashlib import sha256

import jwt
import pytest
from prometheus_client import REGISTRY

from auth_gateway.authentication import Authenticator, InvalidToken, Reason
from auth_gateway.authentication import authenticator as authenticator_module
from auth_gateway.authentication.keys import KeyCache
from auth_gateway.passport import PassportSigner
from common.problems import Unauthorized

from ..support.helpers import Clock, MakeSettings
from ..support.token_factory import EDDSA, HS256, LOGIN, NOW, USER, login, minted

Headers = Sequence[tuple[bytes, bytes]]


def bearer(token: bytes) -> Headers:
    return [(b"host", b"api.example.com"), (b"authorization", b"Bearer " + token)]


async def error_of(authenticator: Authenticator, headers: Headers) -> InvalidToken:
    with pytest.raises(InvalidToken) as caught:
        await authenticator.authenticate(headers)
    return caught.value


async def test_a_valid_token_gets_a_passport(authenticator: Authenticator) -> None:
    user = await authenticator.authenticate(bearer(login()))

    claims = jwt.decode(user.passport, options={"verify_signature": False})
    assert user.user_id == claims["sub"] == USER
    assert user.pseudonym == sha256(USER.encode()).hexdigest()[:16]


async def test_decisions_are_counted(authenticator: Authenticator) -> None:
    def count(verdict: str) -> float:
        return REGISTRY.get_sample_value("token_verdicts_total", {"verdict": verdict}) or 0

    granted = count("granted")
    remembered = count("remembered")
    not_a_jwt = count(Reason.NOT_A_JWT)
    headers = bearer(login())
    await authenticator.authenticate(headers)
    await authenticator.authenticate(headers)
    assert authenticator.get_cached(headers[1][1])
    assert not authenticator.get_cached(b"Bearer other")
    await error_of(authenticator, bearer(b"other"))

    assert count("granted") == granted + 1
    assert count("remembered") == remembered + 2
    assert count(Reason.NOT_A_JWT) == not_a_jwt + 1


@pytest.mark.parametrize("scheme", [b"Bearer", b"bearer", b"BEARER", b"bEaReR"])
async def test_the_scheme_is_case_insensitive(authenticator: Authenticator, scheme: bytes) -> None:
    headers = [(b"Authorization", scheme + b" " + login() + b" ")]

    assert (await authenticator.authenticate(headers)).user_id == USER


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], Reason.MISSING),
        ([b""], Reason.MISSING),
        ([b" \t"], Reason.MISSING),
        ([b"Bearer"], Reason.MISSING),
        ([b"Bearer "], Reason.MISSING),
        ([b"Basic QWRhOnNlY3JldA=="], Reason.NOT_BEARER),
        ([b"Token {}"], Reason.NOT_BEARER),
        ([b"{}"], Reason.NOT_BEARER),
        ([b"Bearer\t{}"], Reason.NOT_BEARER),
        ([b"Bearer:{}"], Reason.NOT_BEARER),
        ([b"Bearer  {}"], Reason.MALFORMED_HEADER),
        ([b"Bearer \t{}"], Reason.MALFORMED_HEADER),
        ([b"Bearer {},"], Reason.MALFORMED_HEADER),
        ([b"Bearer {}, Bearer {}"], Reason.MALFORMED_HEADER),
        ([b"Bearer {} x"], Reason.MALFORMED_HEADER),
        ([b"Bearer {}", b"Bearer {}"], Reason.SEVERAL_HEADERS),
        ([b"Bearer {}", b"Basic x"], Reason.SEVERAL_HEADERS),
        ([b"Bearer {}", b""], Reason.SEVERAL_HEADERS),
        ([b'Bearer "{}"'], Reason.NOT_A_JWT),
        ([b"Bearer token={}"], Reason.NOT_A_JWT),
        ([b"Bearer \xc3\xa9"], Reason.NOT_A_JWT),
    ],
)
async def test_one_header_carries_one_token(
    authenticator: Authenticator, values: list[bytes], reason: Reason
) -> None:
    token = minted()
    await authenticator.authenticate(bearer(token))

    headers = [(b"authorization", value.replace(b"{}", token)) for value in values]

    assert (await error_of(authenticator, headers)).reason == reason


async def test_other_headers_are_not_read(authenticator: Authenticator) -> None:
    token = login()
    elsewhere = [
        (b"cookie", b"token=" + token),
        (b"x-authorization", b"Bearer " + token),
        (b"x-user-id", USER.encode()),
    ]

    assert (await error_of(authenticator, elsewhere)).reason == Reason.MISSING


@pytest.mark.parametrize("reason", Reason)
def test_a_problem_tells_the_client_little(reason: Reason) -> None:
    error = InvalidToken(reason)
    codes = {
        Reason.MISSING: "token-missing",
        Reason.NOT_BEARER: "token-missing",
        Reason.EXPIRED: "token-expired",
    }

    assert isinstance(error, Unauthorized)
    assert error.code == codes.get(reason, "token-invalid")
    assert error.reason == reason
    challenge = "Bearer" if error.code == "token-missing" else 'Bearer error="invalid_token"'
    assert error.headers == {"WWW-Authenticate": challenge}


async def test_a_cached_token_needs_no_signature(
    authenticator: Authenticator, signer: PassportSigner
) -> None:
    token = login()
    first = await authenticator.authenticate(bearer(token))

    for _ in range(100):
        assert authenticator.get_cached(b"Bearer " + token) is first
        assert authenticator.get_cached("bearer " + token.decode()) is first

    assert authenticator.verifier.signatures_checked == 1
    assert signer.signature_count == 1


async def test_an_unknown_token_is_not_cached(authenticator: Authenticator) -> None:
    token = login()
    await authenticator.authenticate(bearer(token))

    for header in (
        b"",
        b"Bearer",
        b"Bearer ",
        b"Basic " + token,
        token,
        b"Bearer  " + token,
        b"Bearer " + token + b"A",
    ):
        assert authenticator.get_cached(header) is None
    assert authenticator.get_cached("Bearer \ud800é") is None


async def test_a_rejected_token_is_verified_again(
    authenticator: Authenticator, clock: Clock
) -> None:
    early = minted(nbf=NOW + 100)
    await error_of(authenticator, bearer(early))
    assert authenticator.get_cached(b"Bearer " + early) is None

    clock.now = NOW + 100
    assert (await authenticator.authenticate(bearer(early))).user_id == USER


async def test_a_decision_is_cached_until_the_token_expires(
    authenticator: Authenticator, clock: Clock
) -> None:
    token = minted(exp=NOW + 10)
    await authenticator.authenticate(bearer(token))

    clock.now = NOW + 39.9
    assert authenticator.get_cached(b"Bearer " + token) is not None
    clock.now = NOW + 40
    assert authenticator.get_cached(b"Bearer " + token) is None
    assert (await error_of(authenticator, bearer(token))).code == "token-expired"


async def test_a_new_passport_needs_no_verification_of_the_token(
    authenticator: Authenticator, signer: PassportSigner, clock: Clock
) -> None:
    token = login()
    first = await authenticator.authenticate(bearer(token))

    clock.now = NOW + 45
    assert authenticator.get_cached(b"Bearer " + token) is None
    second = await authenticator.authenticate(bearer(token))

    assert second.passport != first.passport
    assert authenticator.get_cached(b"Bearer " + token) is second
    assert (authenticator.verifier.signatures_checked, signer.signature_count) == (1, 2)


async def test_after_the_clock_is_set_back_no_passport_is_from_the_future(
    authenticator: Authenticator, clock: Clock
) -> None:
    token = login()
    await authenticator.authenticate(bearer(token))

    clock.now = NOW - 20
    assert authenticator.get_cached(b"Bearer " + token) is None
    user = await authenticator.authenticate(bearer(token))
    assert jwt.decode(user.passport, options={"verify_signature": False})["iat"] == NOW - 20


async def test_the_number_of_cached_decisions_is_limited(
    make_settings: MakeSettings,
    key_cache: KeyCache,
    signer: PassportSigner,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(authenticator_module, "CACHED_DECISIONS_MAX", 2)
    authenticator = Authenticator(make_settings(), key_cache, signer, clock)
    first = minted(jti=1)
    second = minted(jti=2)
    third = minted(jti=3)
    await authenticator.authenticate(bearer(first))
    await authenticator.authenticate(bearer(second))
    authenticator.get_cached(b"Bearer " + first)
    await authenticator.authenticate(bearer(third))

    assert authenticator.get_cached(b"Bearer " + first) is not None
    assert authenticator.get_cached(b"Bearer " + second) is None
    assert authenticator.get_cached(b"Bearer " + third) is not None


async def test_the_log_has_the_decision_and_no_token(
    authenticator: Authenticator, capsys: pytest.CaptureFixture[str]
) -> None:
    token = login()
    forged_token = HS256.token(LOGIN, alg="EdDSA", kid=EDDSA.key_id)
    await authenticator.authenticate(bearer(token))
    await error_of(authenticator, bearer(forged_token))

    output = capsys.readouterr().out
    accepted, rejected = [json.loads(line) for line in output.splitlines()]
    assert accepted["granted"] is True
    assert accepted["key_id"] == "key-eddsa"
    assert accepted["user"] == sha256(USER.encode()).hexdigest()[:16]
    assert rejected["granted"] is False
    assert rejected["reason"] == "wrong-signature"
    assert rejected["key_id"] == "key-eddsa"
    segments = token.decode().split(".") + forged_token.decode().split(".")
    for secret in [USER, "ada@example.com", *segments]:
        assert secret not in output
