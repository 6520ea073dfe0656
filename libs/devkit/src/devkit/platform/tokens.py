"""Development tokens as Better Auth's users get them, and passports as the gateway signs them."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from devkit.platform.keys import load_or_create_secret
from devkit.platform.settings import RunSettings

DEVELOPER: Final = "00000000-0000-4000-8000-000000000001"
"""The subject of a development token. A canonical UUID, so it is the user's id as well."""

DAY_SECONDS: Final = 86_400

PASSPORT_SECONDS: Final = 900
"""Lifetime of a passport for tests: longer than any test; the gateway's passports live a minute."""

ISSUER_LABEL: Final = "better-auth"
"""The gateway's default label of the token's issuer."""


def mint_token(
    secret: str, subject: str, *, email: str | None = None, seconds: float = DAY_SECONDS
) -> str:
    """Sign a token like those of Better Auth's users: HS256 with the UTF-8 bytes of the secret.

    Args:
        secret: Better Auth's secret.
        subject: Claim `sub`.
        email: Claim `email`; None leaves it out.
        seconds: Lifetime from now.
    """
    now = int(time.time())
    claims: dict[str, object] = {"sub": subject}
    if email is not None:
        claims["email"] = email
    claims["iat"] = now
    claims["exp"] = now + int(seconds)
    return jwt.encode(claims, secret, algorithm="HS256")


def user_id_of(subject: str) -> UUID:
    """Return the user id of a subject: the subject itself if it is a canonical UUID."""
    with suppress(ValueError):
        if str(UUID(subject)) == subject:
            return UUID(subject)
    issuer_namespace = uuid5(NAMESPACE_URL, f"urn:better-auth-issuer:{ISSUER_LABEL}")
    return uuid5(issuer_namespace, subject)


def mint_passport(key: Ed25519PrivateKey, subject: str, *, email: str | None = None) -> str:
    """Sign a passport as the gateway does for the user of this subject."""
    now = int(time.time())
    claims: dict[str, object] = {
        "iss": "auth-gateway",
        "aud": "services",
        "sub": str(user_id_of(subject)),
        "ext": {"issuer": ISSUER_LABEL, "subject": subject},
        "iat": now,
        "exp": now + PASSPORT_SECONDS,
    }
    if email:
        claims["email"] = email
    return jwt.encode(claims, key, "EdDSA", headers={"typ": "passport+jwt"})


def development_secret(settings: RunSettings, folder: Path) -> str:
    """Return the configured Better Auth secret, or the one that is kept in `folder`."""
    if settings.better_auth_secret:
        return settings.better_auth_secret.get_secret_value()
    return load_or_create_secret(folder / "keys")
