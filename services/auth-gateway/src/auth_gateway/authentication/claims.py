"""Rules 5 to 8 about the claims of a token whose signature is right."""

import re
from typing import Final

from auth_gateway.authentication.errors import Reason, TokenRefused
from auth_gateway.authentication.parser import Claims
from common.identity import LEEWAY_SECONDS

TIME_MAX: Final = 10**11
"""The last second that counts as a time, in Unix seconds: a larger number is milliseconds by mistake, or an attack."""

OAUTH_CLAIMS: Final = frozenset({"client_id", "azp", "at_hash", "nonce", "events", "scope"})
"""What Better Auth's OAuth provider signs with the same keys: tokens for other applications."""

MAIL_LINK_CLAIMS: Final = frozenset({"updateTo", "requestType"})
"""What Better Auth signs with the same secret, and sends by mail."""

SESSION_COOKIE_CLAIMS: Final = frozenset({"session", "user"})
"""What Better Auth signs with the same secret, and keeps in a cookie."""

EMAIL_MAX: Final = 320
"""Characters. Source: RFC 5321, 4.5.3.1."""

_SUBJECT = re.compile(r"[!-~]{1,255}")
"""Visible ASCII. OpenID Connect Core 1.0, 2 allows no more than 255 ASCII characters; white space names nobody here."""


def require_no_oauth_token(claims: Claims) -> None:
    """Refuse what other applications got from the same server (rule 7)."""
    if OAUTH_CLAIMS & claims.keys():
        raise TokenRefused(Reason.OAUTH)


def require_no_mail_link_or_cookie(claims: Claims) -> None:
    """Refuse what Better Auth signs with the same secret, and is no login (rule 8)."""
    if (
        MAIL_LINK_CLAIMS & claims.keys()
        or claims.get("sub") == "verify-email"
        or claims.get("iss") == "better-auth"
    ):
        raise TokenRefused(Reason.MAIL_LINK)
    if claims.keys() >= SESSION_COOKIE_CLAIMS:
        raise TokenRefused(Reason.SESSION_COOKIE)


def require_times(claims: Claims, now: float) -> float:
    """Return `exp`, when the token is neither over nor from the future (rule 5)."""
    times = {name: _time(claims[name]) for name in ("exp", "iat", "nbf") if name in claims}
    if "exp" not in times:
        raise TokenRefused(Reason.NO_EXPIRY)
    if times["exp"] + LEEWAY_SECONDS <= now:
        raise TokenRefused(Reason.EXPIRED)
    if max(times.get("iat", 0), times.get("nbf", 0)) - LEEWAY_SECONDS > now:
        raise TokenRefused(Reason.NOT_YET_VALID)
    return times["exp"]


def issued_at(claims: Claims) -> float:
    """Return `iat`."""
    return _time(claims.get("iat"))


def _time(value: object) -> float:
    # In Python a boolean is an integer.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= TIME_MAX:
        raise TokenRefused(Reason.NOT_A_TIME)
    return value


def require_subject(claims: Claims) -> str:
    """Return `sub`; no other claim ever names the user (rule 6)."""
    subject = claims.get("sub")
    if subject is None:
        raise TokenRefused(Reason.NO_SUBJECT)
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise TokenRefused(Reason.STRANGE_SUBJECT)
    return subject


def email(claims: Claims) -> str | None:
    """Return the e-mail address if there is a plausible one: nobody is refused, or recognised, by it."""
    found = claims.get("email")
    if isinstance(found, str) and "@" in found and found.isprintable() and len(found) <= EMAIL_MAX:
        return found
    return None
