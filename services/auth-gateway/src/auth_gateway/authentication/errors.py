"""Why a token is rejected: a closed list of reasons for the log; clients see one of three codes."""

from enum import StrEnum
from typing import Final

from common.problems import Unauthorized


class Reason(StrEnum):
    """The first rule that a token breaks."""

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


DETAILS: Final = {
    "token-missing": "This address needs a token: send the header Authorization: Bearer <token>.",
    "token-expired": "The token has expired.",
    "token-invalid": "The token is not accepted here.",
}
"""The sentence for the client, by problem code."""

_CODES: Final = {
    Reason.MISSING: "token-missing",
    Reason.NOT_BEARER: "token-missing",
    Reason.EXPIRED: "token-expired",
}
"""The problem code of a reason; every other reason is `token-invalid`."""


class InvalidToken(Unauthorized, status=Unauthorized.status, title=Unauthorized.title):
    """The token, or the header that should carry it, breaks a rule.

    Source: RFC 6750, 3 and 3.1.
    """

    def __init__(self, reason: Reason) -> None:
        code = _CODES.get(reason, "token-invalid")
        challenge = 'Bearer error="invalid_token"'
        if code == "token-missing":
            challenge = "Bearer"
        super().__init__(
            code, DETAILS[code], headers={"WWW-Authenticate": challenge}, reason=reason
        )
        self.key_id: str | None = None
