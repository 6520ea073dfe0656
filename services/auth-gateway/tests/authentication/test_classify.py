"""Every form of token that is met near Better Auth, under every configuration."""

from dataclasses import dataclass

import pytest

from auth_gateway.authentication import Reason, Verifier
from auth_gateway.authentication.classify import classify_token
from auth_gateway.authentication.keys import KeyCache

from ..support.helpers import Clock, MakeSettings, rejection_reason
from ..support.token_factory import (
    EDDSA,
    HS256,
    ISSUER,
    LOGIN,
    MINTED,
    NOW,
    PUBLISHED,
    USER,
    Json,
    login,
    minted,
    segment,
)

SESSION = {
    "id": "s1",
    "token": "raw-session-token",
    "userId": USER,
    "expiresAt": "2027-01-16T00:00:00.000Z",
}
COOKIE = {
    "session": SESSION,
    "user": {"id": USER, "email": "ada@example.com"},
    "updatedAt": NOW * 1000,
    "version": "1",
}
LINK = {"email": "ada@example.com", "iat": NOW, "exp": NOW + 3600}
ID_TOKEN = {**LOGIN, "aud": "my-client", "at_hash": "x", "auth_time": NOW, "nonce": "n"}
ACCESS = {
    "sub": USER,
    "iss": ISSUER,
    "aud": ISSUER,
    "iat": NOW,
    "exp": NOW + 900,
    "client_id": "my-client",
    "scope": "openid",
}
LOGOUT: Json = {
    "sub": USER,
    "iss": ISSUER,
    "aud": "my-client",
    "iat": NOW,
    "exp": NOW + 900,
    "events": {},
}


@dataclass(frozen=True)
class Row:
    """A form, a token of it, and why it is refused: with both profiles on, with a secret alone, with keys alone."""

    form: str
    token: bytes
    both: Reason | None
    secret_alone: Reason | None
    keys_alone: Reason | None


OFF = Reason.PUBLISHED_KEYS_OFF
NO_HMAC = Reason.HS256_OFF
NO_JWT = Reason.NOT_A_JWT
TYPE = Reason.WRONG_TYPE

MATRIX = [
    *(Row("A", login(signer), None, OFF, None) for signer in PUBLISHED),
    Row("D", minted(), None, None, NO_HMAC),
    Row("D", HS256.token(LOGIN, typ="JWT"), None, Reason.WRONG_ISSUER, NO_HMAC),
    Row(
        "B1",
        HS256.token({**COOKIE, "iat": NOW, "exp": NOW + 300}),
        Reason.SESSION_COOKIE,
        Reason.SESSION_COOKIE,
        NO_HMAC,
    ),
    Row(
        "B2",
        EDDSA.token(
            {**MINTED, **COOKIE, "aud": "better-auth:session-cache"},
            typ="better-auth.session-cache+jwt",
        ),
        TYPE,
        TYPE,
        TYPE,
    ),
    Row("X1", HS256.token(LINK), Reason.NO_SUBJECT, Reason.NO_SUBJECT, NO_HMAC),
    Row("X1", HS256.token({**LINK, "userId": USER}), Reason.NO_SUBJECT, Reason.NO_SUBJECT, NO_HMAC),
    Row(
        "X1",
        HS256.token({**LINK, "updateTo": "b@example.com"}),
        Reason.MAIL_LINK,
        Reason.MAIL_LINK,
        NO_HMAC,
    ),
    Row(
        "X1",
        HS256.token({**LINK, "userId": USER, "requestType": "change-email-confirmation"}),
        Reason.MAIL_LINK,
        Reason.MAIL_LINK,
        NO_HMAC,
    ),
    Row(
        "X1",
        HS256.token({**LINK, "sub": "verify-email", "iss": "better-auth"}),
        Reason.WRONG_ISSUER,
        Reason.WRONG_ISSUER,
        NO_HMAC,
    ),
    Row("X2", EDDSA.token(ID_TOKEN), Reason.WRONG_AUDIENCE, OFF, Reason.WRONG_AUDIENCE),
    Row("X2", EDDSA.token({**ID_TOKEN, "aud": ISSUER}), Reason.OAUTH, OFF, Reason.OAUTH),
    Row("X3", EDDSA.token(ACCESS, typ="at+jwt"), TYPE, TYPE, TYPE),
    Row("X2", EDDSA.token(ACCESS), Reason.OAUTH, OFF, Reason.OAUTH),
    Row("X4", EDDSA.token(LOGOUT, typ="logout+jwt"), TYPE, TYPE, TYPE),
    Row("C", b"Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MDEyMzQ1Njc4", NO_JWT, NO_JWT, NO_JWT),
    Row("C", b"Zm9vYmFyYmF6.c2lnbmF0dXJlIG9mIHRoZSBjb29raWU%3D", NO_JWT, NO_JWT, NO_JWT),
    Row(
        "an encrypted token (JWE)",
        segment(b'{"alg":"dir","enc":"A256CBC-HS512"}') + b"..aXY.Y2lwaGVydGV4dA.dGFn",
        NO_JWT,
        NO_JWT,
        NO_JWT,
    ),
]

every_form = pytest.mark.parametrize("row", MATRIX, ids=lambda row: row.form)


@every_form
async def test_with_both_profiles_only_logins_and_minted_tokens_pass(
    verifier: Verifier, row: Row
) -> None:
    assert await rejection_reason(verifier, row.token) is row.both


@every_form
async def test_a_secret_alone_lets_only_minted_tokens_pass(
    make_settings: MakeSettings, key_cache: KeyCache, clock: Clock, row: Row
) -> None:
    verifier = Verifier(make_settings(better_auth_url=None), key_cache, clock)

    assert await rejection_reason(verifier, row.token) is row.secret_alone


@every_form
async def test_keys_alone_let_only_logins_pass(
    make_settings: MakeSettings, key_cache: KeyCache, clock: Clock, row: Row
) -> None:
    verifier = Verifier(make_settings(better_auth_secrets=None), key_cache, clock)

    assert await rejection_reason(verifier, row.token) is row.keys_alone


@every_form
def test_its_form_is_told_from_its_looks(row: Row) -> None:
    assert classify_token(row.token).startswith(row.form)
