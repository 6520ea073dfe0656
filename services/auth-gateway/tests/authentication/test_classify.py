"""Every kind of token that Better Auth and its users create, under every configuration."""

from dataclasses import dataclass

import pytest

from auth_gateway.authentication import Reason, Verifier
from auth_gateway.authentication.classify import classify_token
from auth_gateway.authentication.keys import KeyCache

from ..support.helpers import Clock, MakeSettings, rejection_reason
from ..support.token_factory import (
    EDDSA,
    ES256,
    ES512,
    HS256,
    ISSUER,
    LOGIN,
    MINTED,
    NOW,
    PS256,
    RS256,
    USER,
    Json,
    login,
    minted,
    segment,
    with_changes,
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
ID_TOKEN = with_changes(LOGIN, {"aud": "my-client", "at_hash": "x", "auth_time": NOW, "nonce": "n"})
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
class Case:
    """A token of a form, and why it is rejected: with both profiles, a secret only, keys only."""

    form: str
    token: bytes
    both: Reason | None
    secret_only: Reason | None
    keys_only: Reason | None


OFF = Reason.PUBLISHED_KEYS_OFF
NO_HMAC = Reason.HS256_OFF
NO_JWT = Reason.NOT_A_JWT
TYPE = Reason.WRONG_TYPE

CASES = [
    Case("a login token", login(EDDSA), None, OFF, None),
    Case("a login token", login(ES256), None, OFF, None),
    Case("a login token", login(ES512), None, OFF, None),
    Case("a login token", login(PS256), None, OFF, None),
    Case("a login token", login(RS256), None, OFF, None),
    Case("a token signed with the secret", minted(), None, None, NO_HMAC),
    Case(
        "a token signed with the secret",
        HS256.token(LOGIN, typ="JWT"),
        None,
        Reason.WRONG_ISSUER,
        NO_HMAC,
    ),
    Case(
        "the content of a session cookie, signed with the secret",
        HS256.token(with_changes(COOKIE, {"iat": NOW, "exp": NOW + 300})),
        Reason.SESSION_COOKIE,
        Reason.SESSION_COOKIE,
        NO_HMAC,
    ),
    Case(
        "the content of a session cookie, signed with a published key",
        EDDSA.token(
            with_changes(with_changes(MINTED, COOKIE), {"aud": "better-auth:session-cache"}),
            typ="better-auth.session-cache+jwt",
        ),
        TYPE,
        TYPE,
        TYPE,
    ),
    Case(
        "the token of a verification",
        HS256.token(LINK),
        Reason.NO_SUBJECT,
        Reason.NO_SUBJECT,
        NO_HMAC,
    ),
    Case(
        "the token of a verification",
        HS256.token(with_changes(LINK, {"userId": USER})),
        Reason.NO_SUBJECT,
        Reason.NO_SUBJECT,
        NO_HMAC,
    ),
    Case(
        "the token of a verification",
        HS256.token(with_changes(LINK, {"updateTo": "b@example.com"})),
        Reason.MAIL_LINK,
        Reason.MAIL_LINK,
        NO_HMAC,
    ),
    Case(
        "the token of a verification",
        HS256.token(
            with_changes(LINK, {"userId": USER, "requestType": "change-email-confirmation"})
        ),
        Reason.MAIL_LINK,
        Reason.MAIL_LINK,
        NO_HMAC,
    ),
    Case(
        "the token of a verification",
        HS256.token(with_changes(LINK, {"sub": "verify-email", "iss": "better-auth"})),
        Reason.WRONG_ISSUER,
        Reason.WRONG_ISSUER,
        NO_HMAC,
    ),
    Case("an ID token", EDDSA.token(ID_TOKEN), Reason.WRONG_AUDIENCE, OFF, Reason.WRONG_AUDIENCE),
    Case(
        "an ID token",
        EDDSA.token(with_changes(ID_TOKEN, {"aud": ISSUER})),
        Reason.OAUTH,
        OFF,
        Reason.OAUTH,
    ),
    Case("an access token", EDDSA.token(ACCESS, typ="at+jwt"), TYPE, TYPE, TYPE),
    Case("an ID token", EDDSA.token(ACCESS), Reason.OAUTH, OFF, Reason.OAUTH),
    Case("a logout token", EDDSA.token(LOGOUT, typ="logout+jwt"), TYPE, TYPE, TYPE),
    Case("no JWT at all", b"Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MDEyMzQ1Njc4", NO_JWT, NO_JWT, NO_JWT),
    Case(
        "no JWT at all", b"Zm9vYmFyYmF6.c2lnbmF0dXJlIG9mIHRoZSBjb29raWU%3D", NO_JWT, NO_JWT, NO_JWT
    ),
    Case(
        "an encrypted token (JWE)",
        segment(b'{"alg":"dir","enc":"A256CBC-HS512"}') + b"..aXY.Y2lwaGVydGV4dA.dGFn",
        NO_JWT,
        NO_JWT,
        NO_JWT,
    ),
]

every_form = pytest.mark.parametrize("case", CASES, ids=lambda case: case.form)


@every_form
async def test_both_profiles_accept_only_logins_and_minted_tokens(
    verifier: Verifier, case: Case
) -> None:
    assert await rejection_reason(verifier, case.token) is case.both


@every_form
async def test_a_secret_accepts_only_minted_tokens(
    make_settings: MakeSettings, key_cache: KeyCache, clock: Clock, case: Case
) -> None:
    verifier = Verifier(make_settings(better_auth_url=None), key_cache, clock)

    assert await rejection_reason(verifier, case.token) is case.secret_only


@every_form
async def test_keys_accept_only_logins(
    make_settings: MakeSettings, key_cache: KeyCache, clock: Clock, case: Case
) -> None:
    verifier = Verifier(make_settings(better_auth_secrets=None), key_cache, clock)

    assert await rejection_reason(verifier, case.token) is case.keys_only


@every_form
def test_the_form_of_a_token_is_recognised(case: Case) -> None:
    assert classify_token(case.token).startswith(case.form)
