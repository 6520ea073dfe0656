"""The people of a test: whoever is named becomes a user of their own, with a client that speaks for them."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import TypeAlias

from httpx import AsyncClient

from devkit.keys import PassportKeys
from devkit.tokens import mint_passport, mint_token, user_id

AsUser: TypeAlias = Callable[[str], AsyncClient]
"""Gives a client for a name; the same name is the same person, within one test."""

Headers: TypeAlias = dict[str, str]


@asynccontextmanager
async def people(url: str, headers_of: Callable[[str], Headers]) -> AsyncGenerator[AsUser]:
    """Let nobody be known yet: every subject ends with something that was never used before."""
    clients: list[AsyncClient] = []
    suffix = token_hex(8)

    def as_user(name: str) -> AsyncClient:
        clients.append(AsyncClient(base_url=url, headers=headers_of(f"{name}-{suffix}"), trust_env=False))
        return clients[-1]

    yield as_user
    for client in clients:
        await client.aclose()


def passport_headers(keys: PassportKeys, subject: str) -> Headers:
    """Return what the gateway would send on to a service."""
    passport = mint_passport(keys.signing_key, subject, email=_email(subject))
    return {"Authorization": f"Bearer {passport}", "X-User-Id": str(user_id(subject))}


def token_headers(secret: str, subject: str) -> Headers:
    """Return what a front end sends to the gateway."""
    return {"Authorization": f"Bearer {mint_token(secret, subject, email=_email(subject))}"}


def _email(subject: str) -> str:
    return f"{subject}@example.com"
