"""Names the kind of a token by its appearance: for error messages, never for a decision."""

from typing import Final

from auth_gateway.authentication.claims import (
    EMAIL_LINK_CLAIMS,
    OAUTH_CLAIMS,
    SESSION_COOKIE_CLAIMS,
)
from auth_gateway.authentication.errors import InvalidToken
from auth_gateway.authentication.parser import (
    HMAC_ALGORITHM,
    Claims,
    decode_segment,
    parse_json_object,
)

_JWS_DOTS: Final = 2
_JWE_DOTS: Final = 4

_TYPES: Final = {
    "better-auth.session-cache+jwt": (
        "the content of a session cookie, signed with a published key"
    ),
    "at+jwt": "an access token of Better Auth's OAuth provider",
    "logout+jwt": "a logout token of Better Auth's OAuth provider",
    "passport+jwt": "a passport, which this gateway signs for the services behind it",
}


def classify_token(text: bytes) -> str:
    """Describe in one phrase what a token seems to be."""
    dots = text.count(b".")
    if dots == _JWE_DOTS:
        return "an encrypted token (JWE), such as Better Auth's encrypted cookies"
    if dots != _JWS_DOTS:
        return "no JWT at all, perhaps a session token of Better Auth"
    header = peek_header(text)
    if not header:
        return "three segments whose header cannot be read"
    claims = peek_claims(text)
    if header.get("alg") == HMAC_ALGORITHM:
        return _classify_secret_profile(claims)
    return _classify_published_profile(header, claims)


def _classify_secret_profile(claims: Claims) -> str:
    if claims.keys() >= SESSION_COOKIE_CLAIMS:
        return "the content of a session cookie, signed with the secret"
    if claims.get("sub") == "verify-email" or claims.get("iss") == "better-auth":
        return "the token of a verification link, as Better Auth 1.0 sent it by e-mail"
    has_link_claims = bool(EMAIL_LINK_CLAIMS & claims.keys())
    names_email_only = "email" in claims and "sub" not in claims
    if has_link_claims or names_email_only:
        return "the token of a verification or change-e-mail link that Better Auth sent"
    return "a token signed with the secret by code outside of Better Auth"


def _classify_published_profile(header: Claims, claims: Claims) -> str:
    token_type = str(header.get("typ"))
    if token_type in _TYPES:
        return _TYPES[token_type]
    if OAUTH_CLAIMS & claims.keys():
        return "an ID token of Better Auth's OAuth provider"
    return "a login token of Better Auth, as `/api/auth/token` and `set-auth-jwt` give it"


def peek_header(text: bytes) -> Claims:
    """Return the unverified header, empty if it cannot be read."""
    return _peek_segment(text, 0)


def peek_claims(text: bytes) -> Claims:
    """Return the unverified claims, empty if they cannot be read."""
    return _peek_segment(text, 1)


def _peek_segment(text: bytes, index: int) -> Claims:
    try:
        return parse_json_object(decode_segment(text.split(b".")[index]))
    except (InvalidToken, IndexError):
        return {}
