from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid5


@dataclass(frozen=True, slots=True)
class Identity:
    """The user that a verified token proves; `expires_at` is its `exp` in Unix seconds."""

    user_id: UUID
    subject: str
    issuer_label: str
    email: str | None
    expires_at: float
    key_id: str | None


def derive_user_id(issuer_label: str, subject: str) -> UUID:
    """Return the user id of a subject: the subject if it is a canonical UUID, else a UUIDv5 of it.

    Source: RFC 9562, 5.5.
    """
    try:
        subject_uuid = UUID(subject)
    except ValueError:
        subject_uuid = None
    if subject_uuid is not None and str(subject_uuid) == subject:
        return subject_uuid
    namespace = uuid5(NAMESPACE_URL, f"urn:better-auth-issuer:{issuer_label}")
    return uuid5(namespace, subject)
