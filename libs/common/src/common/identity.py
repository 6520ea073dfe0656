"""Who is calling, as a service believes it: a passport that the gateway signed, and nothing else."""

import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Final
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi import Depends, Request
from jwt.types import Options
from pydantic import AfterValidator

from common.errors import Forbidden, Unauthorized
from common.settings import CommaSeparated

PASSPORT_TYPE: Final = "passport+jwt"
"""The `typ` of a passport's header, so that no other token can pass for one."""

PASSPORT_ISSUER: Final = "auth-gateway"
"""The `iss` of every passport."""

PASSPORT_AUDIENCE: Final = "services"
"""The `aud` of every passport."""

LEEWAY_SECONDS: Final = 30
"""How far the clocks of two machines may be apart."""

_KNOWN_MAX: Final = 10_000
"""Passports whose signature is remembered, per process."""


@dataclass(frozen=True, slots=True)
class User:
    """The caller, and the passport to carry on to another service."""

    id: UUID
    issuer: str
    subject: str
    email: str | None
    passport: str
    expires_at: int

    def require_same(self, named: str | None) -> None:
        """Let the caller name only themselves: by UUID in any case, or by the token's own subject.

        Raises:
            Forbidden: It is another user, whether or not that one exists.
        """
        if named is not None and named.lower() != str(self.id) and named != self.subject:
            raise Forbidden("other-user", "The request names another user than the token does.")


class PassportReader:
    """Verifies passports, and remembers those it has verified until they end."""

    def __init__(self, public_keys: Sequence[str]) -> None:
        self._keys = [public_key(text) for text in public_keys]
        self._verified = lru_cache(_KNOWN_MAX)(self._verify)

    def read(self, passport: str) -> User:
        """Return the user of a passport.

        Raises:
            Unauthorized: It is not one of ours, or it has ended.
        """
        user = self._verified(passport)
        if user.expires_at + LEEWAY_SECONDS <= time.time():
            raise _refused("token-expired", "The passport has ended.")
        return user

    def _verify(self, passport: str) -> User:
        for key in self._keys:
            try:
                return _user(passport, key)
            except jwt.InvalidSignatureError:
                continue
            except jwt.ExpiredSignatureError:
                raise _refused("token-expired", "The passport has ended.") from None
            except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
                break
        raise _refused("token-invalid", "The passport is not valid.")


def public_key(text: str) -> Ed25519PublicKey:
    """Read a public key: base64url of its 32 bytes.

    Raises:
        ValueError: It is not such a text.
    """
    return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def _require_public_keys(texts: tuple[str, ...]) -> tuple[str, ...]:
    if not [public_key(text) for text in texts]:
        raise ValueError("at least one key is needed")
    return texts


PublicKeys = Annotated[CommaSeparated, AfterValidator(_require_public_keys)]
"""A setting: the public keys of the gateway's passports, the old one beside the new one while they change."""


def _user(passport: str, key: Ed25519PublicKey) -> User:
    required: Options = {"require": ["exp", "iat", "sub"]}
    decoded = jwt.decode_complete(
        passport, key, ["EdDSA"], required, audience=PASSPORT_AUDIENCE, issuer=PASSPORT_ISSUER, leeway=LEEWAY_SECONDS
    )
    if decoded["header"].get("typ") != PASSPORT_TYPE:
        raise jwt.InvalidTokenError
    claims = decoded["payload"]
    whose = claims["ext"]
    return User(UUID(claims["sub"]), whose["issuer"], whose["subject"], claims.get("email"), passport, claims["exp"])


def _refused(code: str, detail: str) -> Unauthorized:
    return Unauthorized(code, detail, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}, reason=code)


def identify(request: Request) -> User:
    """Return the caller; `X-User-Id` must say the same as the passport.

    Raises:
        Unauthorized: There is no passport, or it is not to be believed.
    """
    if "user" in request.scope:
        return request.scope["user"]
    tokens = request.headers.getlist("authorization")
    if not tokens:
        raise Unauthorized("token-missing", "A token is needed.", headers={"WWW-Authenticate": "Bearer"})
    scheme, _, passport = tokens[0].partition(" ")
    if len(tokens) > 1 or scheme.lower() != "bearer":
        raise _refused("token-invalid", "One bearer token is needed.")
    user: User = request.app.state.passports.read(passport)
    if request.headers.getlist("x-user-id") != [str(user.id)]:
        raise _refused("token-invalid", "The passport and X-User-Id disagree.")
    request.scope["user"] = user
    return user


async def _current_user(request: Request) -> User:
    return identify(request)


CurrentUser = Annotated[User, Depends(_current_user)]
"""The caller; without a good passport the request ends with 401."""
