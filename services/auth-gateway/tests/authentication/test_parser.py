"""Rules 1 to 3: the syntax of a token, before its signature is checked."""

import json

import pytest

from auth_gateway.authentication import Reason, Verifier

from ..support.helpers import rejection_reason
from ..support.token_factory import (
    EDDSA,
    HS256,
    LOGIN,
    MINTED,
    RS256,
    USER,
    Signer,
    json_bytes,
    login,
    minted,
    public_jwk,
    segment,
    with_changes,
)

HEADER = json_bytes({"alg": "HS256"})
CLAIMS = json_bytes(MINTED)
DEEP = 200


def deep(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    "alg",
    [
        "none",
        "None",
        "",
        "HS384",
        "HS512",
        "ES384",
        "RS512",
        "hs256",
        "EdDSA ",
        None,
        5,
        ["HS256"],
        ...,
    ],
)
async def test_other_algorithms_are_rejected(verifier: Verifier, alg: object) -> None:
    assert await rejection_reason(verifier, HS256.token(MINTED, alg=alg)) is Reason.WRONG_ALGORITHM


async def test_an_unsigned_token_is_rejected(verifier: Verifier) -> None:
    unsigned = segment(json_bytes({"alg": "none"})) + b"." + segment(CLAIMS) + b"."

    assert await rejection_reason(verifier, unsigned) is Reason.NOT_A_JWT


@pytest.mark.parametrize("signer", [EDDSA, RS256])
async def test_a_public_key_does_not_work_as_a_secret(verifier: Verifier, signer: Signer) -> None:
    confused = Signer("HS256", json.dumps(public_jwk(signer.key)).encode(), signer.key_id)

    assert await rejection_reason(verifier, login(confused)) is Reason.WRONG_SIGNATURE


async def test_the_secret_does_not_work_as_a_published_key(verifier: Verifier) -> None:
    for algorithm in ("EdDSA", "RS256"):
        token = HS256.token(LOGIN, alg=algorithm, kid=f"key-{algorithm.lower()}")

        assert await rejection_reason(verifier, token) is Reason.WRONG_SIGNATURE


@pytest.mark.parametrize("name", ["jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "cty"])
@pytest.mark.parametrize("signer", [EDDSA, HS256])
async def test_header_parameters_that_change_the_rules_are_rejected(
    verifier: Verifier, signer: Signer, name: str
) -> None:
    for value in (None, "", ["b64"]):
        assert (
            await rejection_reason(verifier, signer.token(LOGIN, **{name: value}))
            is Reason.HEADER_NOT_ALLOWED
        )


@pytest.mark.parametrize("kid", [None, 5, True, ["key-eddsa"], {"kid": "key-eddsa"}])
async def test_a_key_id_must_be_text(verifier: Verifier, kid: object) -> None:
    assert (
        await rejection_reason(verifier, EDDSA.token(LOGIN, kid=kid)) is Reason.HEADER_NOT_ALLOWED
    )


async def test_the_length_of_a_token_is_limited(verifier: Verifier) -> None:
    tokens_by_length: dict[int, bytes] = {}
    for padding in range(5900, 6100):
        claims = with_changes(MINTED, {"pad": "x" * padding})
        token = HS256.token(claims, typ="JWT")
        tokens_by_length[len(token)] = token

    assert await rejection_reason(verifier, tokens_by_length[8192]) is None
    assert await rejection_reason(verifier, tokens_by_length[8193]) is Reason.TOO_LONG


async def test_a_token_has_three_segments_that_are_not_empty(verifier: Verifier) -> None:
    header, payload, signature = minted().split(b".")
    for parts in (
        [header, payload],
        [header, payload, b""],
        [b"", payload, signature],
        [header, b"", signature],
        [header, payload, signature, b""],
        [header, payload, signature, signature],
        [header, payload, signature, signature, signature],
    ):
        assert await rejection_reason(verifier, b".".join(parts)) is Reason.NOT_A_JWT


@pytest.mark.parametrize(
    "character", [b"=", b"==", b" ", b"\n", b"+", b"/", b"\0", b"%3D", "٣".encode(), b"\xff"]
)
async def test_segments_are_base64url(verifier: Verifier, character: bytes) -> None:
    header, payload, signature = minted().split(b".")
    for parts in (
        (header + character, payload, signature),
        (header, payload + character, signature),
        (header, payload, signature + character),
    ):
        assert await rejection_reason(verifier, b".".join(parts)) is Reason.NOT_A_JWT


async def test_base64url_must_be_canonical(verifier: Verifier) -> None:
    """The last of 43 characters has two unused bits: four spellings decode alike, one is valid."""
    token = minted()
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    next_character = alphabet[alphabet.index(token[-1]) + 1]

    assert (
        await rejection_reason(verifier, token[:-1] + bytes([next_character])) is Reason.NOT_A_JWT
    )
    assert await rejection_reason(verifier, token + b"A" * 2) is Reason.NOT_A_JWT


INVALID_CLAIMS = {
    "utf-16": CLAIMS.decode().encode("utf-16"),
    "utf-16 without mark": CLAIMS.decode().encode("utf-16-le"),
    "byte order mark": b"\xef\xbb\xbf" + CLAIMS,
    "latin-1": b'{"sub":"\xe9"}',
    "name twice": b'{"sub":"a","sub":"' + USER.encode() + b'","exp":1800000900}',
    "name twice, deeper": CLAIMS[:-1] + b',"a":{"b":1,"b":2}}',
    "name twice, escaped": CLAIMS[:-1] + b',"a":1,"\\u0061":2}',
    "not a number": CLAIMS[:-1] + b',"a":NaN}',
    "infinity": CLAIMS[:-1] + b',"a":-Infinity}',
    "too deep": CLAIMS[:-1] + b',"a":' + deep(DEEP) + b"}",
    "array": b"[" + CLAIMS + b"]",
    "text": b'"sub"',
    "null": b"null",
    "two objects": CLAIMS + CLAIMS,
    "cut off": CLAIMS[:-1],
    "comment": b"/**/" + CLAIMS,
    "single quotes": CLAIMS.replace(b'"', b"'"),
    "trailing comma": CLAIMS[:-1] + b",}",
    "number of many digits": CLAIMS[:-1] + b',"a":' + b"1" * 5000 + b"}",
    "unicode digits": CLAIMS[:-1] + ',"a":١٢}'.encode(),
}


@pytest.mark.parametrize("payload", INVALID_CLAIMS.values(), ids=INVALID_CLAIMS)
async def test_claims_must_be_a_strict_json_object(verifier: Verifier, payload: bytes) -> None:
    assert await rejection_reason(verifier, HS256.sign(HEADER, payload)) is Reason.NOT_JSON


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"HS256","alg":"HS256"}',
        b"\xef\xbb\xbf" + HEADER,
        HEADER.decode().encode("utf-16"),
        b'["HS256"]',
        HEADER[:-1] + b',"a":NaN}',
        HEADER[:-1] + b',"a":' + deep(DEEP) + b"}",
        b"[" * 2500 + b"]" * 2500,
    ],
)
async def test_a_header_must_be_a_strict_json_object(verifier: Verifier, header: bytes) -> None:
    assert await rejection_reason(verifier, HS256.sign(header, CLAIMS)) is Reason.NOT_JSON


@pytest.mark.parametrize("typ", ["JWT", "jwt", "Jwt", ...])
@pytest.mark.parametrize("signer", [EDDSA, HS256])
async def test_the_type_jwt_is_accepted_in_any_case(
    verifier: Verifier, signer: Signer, typ: object
) -> None:
    assert await rejection_reason(verifier, signer.token(LOGIN, typ=typ)) is None


@pytest.mark.parametrize(
    "typ",
    [
        "at+jwt",
        "logout+jwt",
        "better-auth.session-cache+jwt",
        "passport+jwt",
        "JWS",
        "",
        None,
        ["JWT"],
    ],
)
@pytest.mark.parametrize("signer", [EDDSA, HS256])
async def test_a_token_of_another_type_is_rejected(
    verifier: Verifier, signer: Signer, typ: object
) -> None:
    assert await rejection_reason(verifier, signer.token(LOGIN, typ=typ)) is Reason.WRONG_TYPE
