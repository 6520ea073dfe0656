"""What a token is, told from its looks alone: for people who must find out, never for a decision."""

from typing import Final

from auth_gateway.authentication.claims import MAIL_LINK_CLAIMS, OAUTH_CLAIMS, SESSION_COOKIE_CLAIMS
from auth_gateway.authentication.errors import TokenRefused
from auth_gateway.authentication.parser import HMAC_ALGORITHM, Claims, decode_segment, read_object

_JWS_DOTS: Final = 2
_JWE_DOTS: Final = 4

_TYPES: Final = {
    "better-auth.session-cache+jwt": "B2: the content of a session cookie, signed with a published key",
    "at+jwt": "X3: an access token of Better Auth's OAuth provider",
    "logout+jwt": "X4: a logout token of Better Auth's OAuth provider",
    "passport+jwt": "a passport, which this gateway writes for the services behind it",
}


def form_of(text: bytes) -> str:
    """Say in plain words what a token seems to be."""
    if text.count(b".") == _JWE_DOTS:
        return "an encrypted token (JWE), such as Better Auth's encrypted cookies"
    if text.count(b".") != _JWS_DOTS:
        return "C: no JWT at all, perhaps a session token of Better Auth"
    header, claims = readable_header(text), readable_claims(text)
    if not header:
        return "three segments whose header cannot be read"
    if header.get("alg") == HMAC_ALGORITHM:
        return _form_of_secret_profile(claims)
    return _form_of_published_profile(header, claims)


def _form_of_secret_profile(claims: Claims) -> str:
    if claims.keys() >= SESSION_COOKIE_CLAIMS:
        return "B1: the content of a session cookie, signed with the secret"
    if claims.get("sub") == "verify-email" or claims.get("iss") == "better-auth":
        return "X1: the token of a verification link, as Better Auth 1.0 mailed it"
    if MAIL_LINK_CLAIMS & claims.keys() or ("email" in claims and "sub" not in claims):
        return "X1: the token of a verification or change-e-mail link that Better Auth mailed"
    return "D: a token signed with the secret by somebody's own code"


def _form_of_published_profile(header: Claims, claims: Claims) -> str:
    if str(header.get("typ")) in _TYPES:
        return _TYPES[str(header.get("typ"))]
    if OAUTH_CLAIMS & claims.keys():
        return "X2: an ID token of Better Auth's OAuth provider"
    return "A: a login token of Better Auth, as `/api/auth/token` and `set-auth-jwt` give it"


def readable_header(text: bytes) -> Claims:
    """Return the header, or nothing when it cannot be read."""
    return _readable(text, 0)


def readable_claims(text: bytes) -> Claims:
    """Return the claims, or nothing when they cannot be read; nobody has verified them."""
    return _readable(text, 1)


def _readable(text: bytes, segment: int) -> Claims:
    try:
        return read_object(decode_segment(text.split(b".")[segment]))
    except (TokenRefused, IndexError):
        return {}
