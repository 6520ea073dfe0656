"""Who a verified token speaks for."""

from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid5


@dataclass(frozen=True, slots=True)
class Identity:
    """The user of a verified token; `expires_at` is the token's `exp` in Unix seconds."""

    user_id: UUID
    subject: str
    issuer_label: str
    email: str | None
    expires_at: float
    key_id: str | None


def user_id(issuer_label: str, subject: str) -> UUID:
    """Return the user id of a subject: itself when it is a canonical UUID, else a name-based one that never changes.

    Source: RFC 9562, 5.5.
    """
    try:
        own = UUID(subject)
    except ValueError:
        own = None
    if own is not None and str(own) == subject:
        return own
    return uuid5(uuid5(NAMESPACE_URL, f"urn:better-auth-issuer:{issuer_label}"), subject)
