"""Development tokens as Better Auth's users sign them, and passports as the gateway makes them."""

import argparse
import time
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from devkit.platform.keys import load_or_create_secret
from devkit.platform.settings import VAR, RunSettings, load_settings

DEVELOPER: Final = "00000000-0000-4000-8000-000000000001"
"""The subject of a development token. A canonical UUID, so it is the user's id as well."""

DAY_SECONDS: Final = 86_400
"""A day."""

PASSPORT_SECONDS: Final = 900
"""How long a passport for tests is good: longer than any test, while the gateway's are good for a minute."""

ISSUER_LABEL: Final = "better-auth"
"""The gateway's default name for whoever issued the token."""


def mint_token(
    secret: str, subject: str, *, email: str | None = None, seconds: float = DAY_SECONDS
) -> str:
    """Sign a token as Better Auth's users do: HS256 with the secret's UTF-8 bytes."""
    now = int(time.time())
    claims = {"sub": subject, "email": email, "iat": now, "exp": now + int(seconds)}
    return jwt.encode(
        {name: value for name, value in claims.items() if value is not None},
        secret,
        algorithm="HS256",
    )


def user_id_of(subject: str) -> UUID:
    """Return the id of the user behind a subject: itself where it is a canonical UUID."""
    with suppress(ValueError):
        if str(UUID(subject)) == subject:
            return UUID(subject)
    return uuid5(uuid5(NAMESPACE_URL, f"urn:better-auth-issuer:{ISSUER_LABEL}"), subject)


def mint_passport(key: Ed25519PrivateKey, subject: str, *, email: str | None = None) -> str:
    """Sign a passport as the gateway would for the user behind this subject."""
    now = int(time.time())
    claims = {
        "iss": "auth-gateway",
        "aud": "services",
        "sub": str(user_id_of(subject)),
        "ext": {"issuer": ISSUER_LABEL, "subject": subject},
        "iat": now,
        "exp": now + PASSPORT_SECONDS,
    }
    return jwt.encode(
        claims | ({"email": email} if email else {}), key, "EdDSA", headers={"typ": "passport+jwt"}
    )


def development_secret(settings: RunSettings, folder: Path) -> str:
    """Return the secret that is set, else the one that is kept in the folder."""
    given = settings.better_auth_secret
    return given.get_secret_value() if given else load_or_create_secret(folder / "keys")


def main() -> None:
    """Print a token that the gateway of `make run` takes."""
    parser = argparse.ArgumentParser(prog="make token", description=main.__doc__)
    parser.add_argument("--sub", default=DEVELOPER, help="who it is for (default: %(default)s)")
    parser.add_argument("--email", help="their e-mail address (default: none)")
    parser.add_argument(
        "--days", type=float, default=1.0, help="how long it is good (default: %(default)s)"
    )
    chosen = parser.parse_args()
    secret = development_secret(load_settings(), VAR)
    print(mint_token(secret, chosen.sub, email=chosen.email, seconds=chosen.days * DAY_SECONDS))


if __name__ == "__main__":
    main()
