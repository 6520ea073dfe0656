"""Headers that authenticate the users of a test, at a service or at the gateway."""

from collections.abc import Callable
from typing import TypeAlias

from httpx import AsyncClient

from devkit.platform.keys import PassportKeys
from devkit.platform.tokens import mint_passport, mint_token, user_id_of

ClientFactory: TypeAlias = Callable[[str], AsyncClient]
"""Returns a client that is authenticated as a user; a name is a user of its own in each test."""

Headers: TypeAlias = dict[str, str]


def passport_headers(keys: PassportKeys, subject: str) -> Headers:
    """Return the headers that the gateway sends to a service for the user of this subject."""
    passport = mint_passport(keys.signing_key, subject, email=_email_of(subject))
    return {"Authorization": f"Bearer {passport}", "X-User-Id": str(user_id_of(subject))}


def token_headers(secret: str, subject: str) -> Headers:
    """Return the headers that a front end sends to the gateway for the user of this subject."""
    token = mint_token(secret, subject, email=_email_of(subject))
    return {"Authorization": f"Bearer {token}"}


def _email_of(subject: str) -> str:
    return f"{subject}@example.com"
