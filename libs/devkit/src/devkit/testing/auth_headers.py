"""How the people of a test are made known: to a service as the gateway would, to the gateway as a front end does."""

from collections.abc import Callable
from typing import TypeAlias

from httpx import AsyncClient

from devkit.platform.keys import PassportKeys
from devkit.platform.tokens import mint_passport, mint_token, user_id_of

ClientFactory: TypeAlias = Callable[[str], AsyncClient]
"""Gives a client that speaks for somebody; the same name is the same person, within one test."""

Headers: TypeAlias = dict[str, str]


def passport_headers(keys: PassportKeys, subject: str) -> Headers:
    """Return what the gateway would send on to a service."""
    passport = mint_passport(keys.signing_key, subject, email=_email(subject))
    return {"Authorization": f"Bearer {passport}", "X-User-Id": str(user_id_of(subject))}


def token_headers(secret: str, subject: str) -> Headers:
    """Return what a front end sends to the gateway."""
    return {"Authorization": f"Bearer {mint_token(secret, subject, email=_email(subject))}"}


def _email(subject: str) -> str:
    return f"{subject}@example.com"
