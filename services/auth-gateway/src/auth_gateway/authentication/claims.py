"""Checks of the claims of a token (rules 5 to 8)."""

import re
from typing import Final

from auth_gateway.authentication.errors import InvalidToken
from auth_gateway.authentication.parser import Claims
from auth_gateway.authentication.reasons import Reason
from common.identity import LEEWAY_SECONDS

TIME_MAX: Final = 10**11
"""The largest time in Unix seconds: a larger number is milliseconds by mistake, or an attack."""

OAUTH_CLAIMS: Final = frozenset({"client_id", "azp", "at_hash", "nonce", "events", "scope"})
"""Claims of tokens for other applications, signed by Better Auth's OAuth provider (same keys)."""

EMAIL_LINK_CLAIMS: Final = frozenset({"updateTo", "requestType"})
"""Claims of links that Better Auth signs with the same secret and sends by e-mail."""

SESSION_COOKIE_CLAIMS: Final = frozenset({"session", "user"})
"""Claims that Better Auth signs with the same secret and keeps in a cookie."""

EMAIL_MAX_CHARACTERS: Final = 320
"""Source: RFC 5321, 4.5.3.1."""

_SUBJECT = re.compile(r"[!-~]{1,255}")
"""Visible ASCII, no white space. Source: OpenID Connect Core 1.0, 2 (at most 255 ASCII)."""


def reject_oauth_token(claims: Claims) -> None:
    """Raise `InvalidToken` for a token that another application got from Better Auth (rule 7)."""
    if OAUTH_CLAIMS & claims.keys():
        raise InvalidToken(Reason.OAUTH)


def reject_email_link_or_session_cookie(claims: Claims) -> None:
    """Raise `InvalidToken` for what Better Auth signs with the secret and is no login (rule 8)."""
    has_link_claims = bool(EMAIL_LINK_CLAIMS & claims.keys())
    is_old_link = claims.get("sub") == "verify-email" or claims.get("iss") == "better-auth"
    if has_link_claims or is_old_link:
        raise InvalidToken(Reason.MAIL_LINK)
    if claims.keys() >= SESSION_COOKIE_CLAIMS:
        raise InvalidToken(Reason.SESSION_COOKIE)


def validate_times(claims: Claims, now: float) -> float:
    """Return `exp` of a token that is valid at `now` (rule 5), both in Unix seconds.

    Raises:
        InvalidToken: It has expired, is not valid yet, or has a claim that is no time.
    """
    times = {name: _parse_time(claims[name]) for name in ("exp", "iat", "nbf") if name in claims}
    if "exp" not in times:
        raise InvalidToken(Reason.NO_EXPIRY)
    if times["exp"] + LEEWAY_SECONDS <= now:
        raise InvalidToken(Reason.EXPIRED)
    valid_from = max(times.get("iat", 0), times.get("nbf", 0))
    if valid_from - LEEWAY_SECONDS > now:
        raise InvalidToken(Reason.NOT_YET_VALID)
    return times["exp"]


def get_issued_at(claims: Claims) -> float:
    """Return `iat` in Unix seconds."""
    return _parse_time(claims.get("iat"))


def _parse_time(value: object) -> float:
    # In Python a boolean is an integer.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidToken(Reason.NOT_A_TIME)
    if not 0 <= value <= TIME_MAX:
        raise InvalidToken(Reason.NOT_A_TIME)
    return value


def get_subject(claims: Claims) -> str:
    """Return `sub`, the only claim that identifies the user (rule 6).

    Raises:
        InvalidToken: It is missing, or not 1 to 255 visible ASCII characters.
    """
    subject = claims.get("sub")
    if subject is None:
        raise InvalidToken(Reason.NO_SUBJECT)
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise InvalidToken(Reason.STRANGE_SUBJECT)
    return subject


def get_email(claims: Claims) -> str | None:
    """Return a plausible e-mail address; it neither identifies a user nor rejects a token."""
    address = claims.get("email")
    if not isinstance(address, str) or "@" not in address:
        return None
    if not address.isprintable() or len(address) > EMAIL_MAX_CHARACTERS:
        return None
    return address
