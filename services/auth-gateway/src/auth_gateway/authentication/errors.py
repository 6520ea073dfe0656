"""The 401 of a rejected token. Clients see one of three codes, developers the reason as well."""

from typing import Final

from auth_gateway.authentication.reasons import RULES, Reason
from common.problems import Unauthorized

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
        self.hint = RULES[reason].remedy
        self.key_id: str | None = None
