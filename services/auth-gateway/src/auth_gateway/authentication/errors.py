"""Why a token is refused: a closed list for the log and for developers; a client learns one of three codes."""

from enum import StrEnum
from typing import Final

from common.problems import Unauthorized


class Reason(StrEnum):
    """What is wrong; the first rule that is broken names it."""

    MISSING = "missing"
    NOT_BEARER = "not-bearer"
    SEVERAL_HEADERS = "several-headers"
    MALFORMED_HEADER = "malformed-header"
    TOO_LONG = "too-long"
    NOT_A_JWT = "not-a-jwt"
    NOT_JSON = "not-json"
    HEADER_NOT_ALLOWED = "header-not-allowed"
    WRONG_TYPE = "wrong-type"
    WRONG_ALGORITHM = "wrong-algorithm"
    HS256_OFF = "hs256-off"
    PUBLISHED_KEYS_OFF = "published-keys-off"
    KEY_NOT_NAMED = "key-not-named"
    UNKNOWN_KEY = "unknown-key"
    KEY_DISAGREES = "key-disagrees"
    WRONG_SIGNATURE = "wrong-signature"
    MISSING_CLAIM = "missing-claim"
    WRONG_ISSUER = "wrong-issuer"
    WRONG_AUDIENCE = "wrong-audience"
    OAUTH = "oauth-token"
    MAIL_LINK = "mail-link"
    SESSION_COOKIE = "session-cookie"
    NO_EXPIRY = "no-expiry"
    NOT_A_TIME = "not-a-time"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    NO_SUBJECT = "no-subject"
    STRANGE_SUBJECT = "strange-subject"


SENTENCES: Final = {
    "token-missing": "This address needs a token: send the header Authorization: Bearer <token>.",
    "token-expired": "The token has expired.",
    "token-invalid": "The token is not accepted here.",
}
"""What a client is told, by code."""

_CODES: Final = {
    Reason.MISSING: "token-missing",
    Reason.NOT_BEARER: "token-missing",
    Reason.EXPIRED: "token-expired",
}


class TokenRefused(Unauthorized, status=Unauthorized.status, title=Unauthorized.title):
    """A rule that the token, or the header that should carry it, breaks.

    Source: RFC 6750, 3 and 3.1.
    """

    def __init__(self, reason: Reason) -> None:
        code = _CODES.get(reason, "token-invalid")
        challenge = "Bearer" if code == "token-missing" else 'Bearer error="invalid_token"'
        super().__init__(
            code, SENTENCES[code], headers={"WWW-Authenticate": challenge}, reason=reason
        )
        self.key_id: str | None = None
