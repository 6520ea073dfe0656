"""Every possible token is accepted or rejected, and causes no other error."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth_gateway.authentication import AuthenticatedUser, Authenticator, InvalidToken, Verifier
from auth_gateway.authentication.keys import KeySetError
from auth_gateway.authentication.keys.jwks import parse_key_set

from ..support.helpers import rejection_reason
from ..support.token_factory import (
    HS256,
    ISSUER,
    LOGIN,
    NOW,
    PUBLISHED,
    USER,
    Signer,
    login,
    minted,
    segment,
    with_changes,
)

quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([USER, ISSUER, NOW])
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)
names = (
    st.sampled_from(
        ["sub", "exp", "iat", "nbf", "iss", "aud", "email", "session", "user", "scope", "jti"]
    )
    | st.text()
)
parameters = st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jku", "x5c", "zip"]) | st.text()
signers = st.sampled_from([*PUBLISHED, HS256])
members = (
    st.sampled_from(["kty", "crv", "x", "y", "n", "e", "d", "kid", "alg", "use", "key_ops", "k"])
    | st.text()
)


@quick
@given(text=st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
async def test_any_bytes_are_rejected(verifier: Verifier, text: bytes) -> None:
    assert await rejection_reason(verifier, text) is not None


@quick
@given(header=st.binary(), payload=st.binary(), signature=st.binary(min_size=1))
async def test_any_three_segments_are_rejected(
    verifier: Verifier, header: bytes, payload: bytes, signature: bytes
) -> None:
    token = segment(header) + b"." + segment(payload) + b"." + segment(signature)

    assert await rejection_reason(verifier, token) is not None


@quick
@given(signer=signers, changes=st.dictionaries(names, values))
async def test_any_signed_claims_are_accepted_or_rejected(
    verifier: Verifier, signer: Signer, changes: dict[str, object]
) -> None:
    claims = with_changes(LOGIN, changes)

    if await rejection_reason(verifier, signer.token(claims)) is None:
        assert claims["iss"] == ISSUER
        assert (await verifier.verify(signer.token(claims))).subject == claims["sub"]


@quick
@given(signer=signers, header=st.dictionaries(parameters, values, min_size=1))
async def test_any_signed_header_is_accepted_or_rejected(
    verifier: Verifier, signer: Signer, header: dict[str, object]
) -> None:
    if await rejection_reason(verifier, signer.token(LOGIN, **header)) is None:
        assert header.get("alg", signer.algorithm) in (signer.algorithm, "Ed25519")


@quick
@given(signer=signers, position=st.integers(min_value=0), bit=st.integers(0, 7))
async def test_a_token_with_one_bit_changed_is_rejected(
    verifier: Verifier, signer: Signer, position: int, bit: int
) -> None:
    token = bytearray(login(signer))
    token[position % len(token)] ^= 1 << bit

    assert await rejection_reason(verifier, bytes(token)) is not None


@quick
@given(
    values=st.lists(
        st.binary() | st.sampled_from([b"Bearer " + minted(), b"bearer", b","]), max_size=3
    )
)
async def test_any_headers_are_accepted_or_rejected(
    authenticator: Authenticator, values: list[bytes]
) -> None:
    try:
        user = await authenticator.authenticate([(b"authorization", value) for value in values])
    except InvalidToken:
        return
    assert isinstance(user, AuthenticatedUser)
    assert len(values) == 1


@quick
@given(changes=st.lists(st.dictionaries(members, values), min_size=1, max_size=4))
async def test_any_keys_are_parsed_or_rejected(changes: list[dict[str, object]]) -> None:
    jwks: list[dict[str, object]] = []
    for signer, jwk_changes in zip(PUBLISHED, changes, strict=False):
        jwks.append(with_changes(signer.jwk(), jwk_changes))
    try:
        keys = parse_key_set(json.dumps({"keys": jwks}).encode())
    except KeySetError:
        return
    assert 0 < len(keys) <= len(jwks)


@quick
@given(document=st.binary() | values.map(lambda value: json.dumps(value).encode()))
async def test_any_document_is_parsed_or_rejected(document: bytes) -> None:
    try:
        parse_key_set(document)
    except KeySetError:
        return
    raise AssertionError
