"""The header, the memory for verdicts, and what a refusal says."""

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


async def refusal(authenticator: Authenticator, headers: Headers) -> InvalidToken:
    with pytest.raises(InvalidToken) as caught:
        await authenticator.authenticate(headers)
    return caught.value


async def test_a_good_token_is_granted_with_a_passport(authenticator: Authenticator) -> None:
    granted = await authenticator.authenticate(bearer(login()))

    claims = jwt.decode(granted.passport, options={"verify_signature": False})
    assert granted.user_id == claims["sub"] == USER
    assert granted.pseudonym == sha256(USER.encode()).hexdigest()[:16]


async def test_what_came_of_each_token_is_counted(authenticator: Authenticator) -> None:
    def counted() -> list[float]:
        verdicts = ("granted", "remembered", Reason.NOT_A_JWT)
        values = [
            REGISTRY.get_sample_value("token_verdicts_total", {"verdict": verdict})
            for verdict in verdicts
        ]
        return [value or 0 for value in values]

    before, header = counted(), bearer(login())
    await authenticator.authenticate(header)
    await authenticator.authenticate(header)
    assert authenticator.get_cached(header[1][1])
    assert not authenticator.get_cached(b"Bearer other")
    await refusal(authenticator, bearer(b"other"))

    assert [after - earlier for earlier, after in zip(before, counted(), strict=True)] == [1, 2, 1]


@pytest.mark.parametrize("scheme", [b"Bearer", b"bearer", b"BEARER", b"bEaReR"])
async def test_the_scheme_is_spelled_in_any_case(
    authenticator: Authenticator, scheme: bytes
) -> None:
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

    assert (await refusal(authenticator, headers)).reason == reason


async def test_a_token_elsewhere_is_not_looked_at(authenticator: Authenticator) -> None:
    token = login()
    elsewhere = [
        (b"cookie", b"token=" + token),
        (b"x-authorization", b"Bearer " + token),
        (b"x-user-id", USER.encode()),
    ]

    assert (await refusal(authenticator, elsewhere)).reason == Reason.MISSING


@pytest.mark.parametrize("reason", Reason)
def test_a_refusal_says_little_to_the_client(reason: Reason) -> None:
    refused = InvalidToken(reason)
    expected = {
        Reason.MISSING: "token-missing",
        Reason.NOT_BEARER: "token-missing",
        Reason.EXPIRED: "token-expired",
    }

    assert isinstance(refused, Unauthorized)
    assert refused.code == expected.get(reason, "token-invalid")
    assert refused.reason == reason
    challenge = "Bearer" if refused.code == "token-missing" else 'Bearer error="invalid_token"'
    assert refused.headers == {"WWW-Authenticate": challenge}


async def test_a_known_token_costs_no_signature(
    authenticator: Authenticator, signer: PassportSigner
) -> None:
    token = login()
    first = await authenticator.authenticate(bearer(token))

    for _ in range(100):
        assert authenticator.get_cached(b"Bearer " + token) is first
        assert authenticator.get_cached("bearer " + token.decode()) is first

    assert authenticator.verifier.signatures_checked == 1
    assert signer.signature_count == 1


async def test_an_unknown_token_is_not_known(authenticator: Authenticator) -> None:
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


async def test_a_refused_token_is_looked_at_anew(
    authenticator: Authenticator, clock: Clock
) -> None:
    early = minted(nbf=NOW + 100)
    await refusal(authenticator, bearer(early))
    assert authenticator.get_cached(b"Bearer " + early) is None

    clock.now = NOW + 100
    assert (await authenticator.authenticate(bearer(early))).user_id == USER


async def test_a_verdict_lasts_until_the_token_ends_and_never_longer(
    authenticator: Authenticator, clock: Clock
) -> None:
    token = minted(exp=NOW + 10)
    await authenticator.authenticate(bearer(token))

    clock.now = NOW + 39.9
    assert authenticator.get_cached(b"Bearer " + token) is not None
    clock.now = NOW + 40
    assert authenticator.get_cached(b"Bearer " + token) is None
    assert (await refusal(authenticator, bearer(token))).code == "token-expired"


async def test_a_new_passport_costs_no_look_at_the_token(
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


async def test_a_clock_that_is_set_back_makes_no_passport_from_the_future(
    authenticator: Authenticator, clock: Clock
) -> None:
    token = login()
    await authenticator.authenticate(bearer(token))

    clock.now = NOW - 20
    assert authenticator.get_cached(b"Bearer " + token) is None
    granted = await authenticator.authenticate(bearer(token))
    assert jwt.decode(granted.passport, options={"verify_signature": False})["iat"] == NOW - 20


async def test_only_so_many_verdicts_are_remembered(
    make_settings: MakeSettings,
    key_cache: KeyCache,
    signer: PassportSigner,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(authenticator_module, "CACHED_DECISIONS_MAX", 2)
    authenticator = Authenticator(make_settings(), key_cache, signer, clock)
    first, second, third = (minted(jti=n) for n in range(3))
    for token in (first, second):
        await authenticator.authenticate(bearer(token))
    authenticator.get_cached(b"Bearer " + first)
    await authenticator.authenticate(bearer(third))

    assert [
        authenticator.get_cached(b"Bearer " + token) is not None for token in (first, second, third)
    ] == [True, False, True]


async def test_the_log_has_the_verdict_and_no_token(
    authenticator: Authenticator, capsys: pytest.CaptureFixture[str]
) -> None:
    token, forged = login(), HS256.token(LOGIN, alg="EdDSA", kid=EDDSA.key_id)
    await authenticator.authenticate(bearer(token))
    await refusal(authenticator, bearer(forged))

    written = capsys.readouterr().out
    granted, refused = [json.loads(line) for line in written.splitlines()]
    assert (granted["granted"], granted["key_id"]) == (True, "key-eddsa")
    assert granted["user"] == sha256(USER.encode()).hexdigest()[:16]
    assert (refused["granted"], refused["reason"], refused["key_id"]) == (
        False,
        "wrong-signature",
        "key-eddsa",
    )
    for hidden in (
        USER,
        "ada@example.com",
        *token.decode().split("."),
        *forged.decode().split("."),
    ):
        assert hidden not in written
