"""Users, and the passports that prove who they are: identity JWTs that the gateway signs."""

import base64
import time
from functools import lru_cache
from typing import Annotated, Final
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import AfterValidator, AliasPath, BaseModel, Field

from common.problems import Unauthorized
from common.settings import CommaSeparated

PASSPORT_TYPE: Final = "passport+jwt"
"""The `typ` of a passport's header, so that no other token is accepted as one."""

PASSPORT_ISSUER: Final = "auth-gateway"
"""The `iss` of every passport."""

PASSPORT_AUDIENCE: Final = "services"
"""The `aud` of every passport."""

LEEWAY_SECONDS: Final = 30
"""How far the clocks of two machines may be apart."""

VERIFIED_MAX: Final = 10_000
"""Verified passports in the cache of a process."""

# The expiry is checked with every request, because a cached passport may expire.
_DECODER = jwt.PyJWT({"require": ["exp", "iat", "sub"], "verify_exp": False})


class User(BaseModel, frozen=True):
    """An authenticated user, and the passport to pass on to other services."""

    id: UUID = Field(alias="sub")
    issuer: str = Field(validation_alias=AliasPath("ext", "issuer"))
    subject: str = Field(validation_alias=AliasPath("ext", "subject"))
    email: str | None = None
    expires_at: int = Field(alias="exp")
    passport: str


class PassportVerifier:
    """Verifies passports, and caches verified ones until they expire.

    Args:
        public_keys: Ed25519 keys, each base64url of its 32 bytes; any other text is a ValueError.
    """

    def __init__(self, public_keys: list[str] | tuple[str, ...]) -> None:
        self._keys: list[Ed25519PublicKey] = []
        for text in public_keys:
            key_bytes = base64.urlsafe_b64decode(text + "==")
            self._keys.append(Ed25519PublicKey.from_public_bytes(key_bytes))
        self._verify_cached = lru_cache(VERIFIED_MAX)(self._verify)

    def verify(self, passport: str) -> User:
        """Return the user of a passport.

        Raises:
            Unauthorized: The passport is invalid or has expired.
        """
        user = self._verify_cached(passport)
        if user.expires_at + LEEWAY_SECONDS <= time.time():
            raise Unauthorized("token-expired", "The passport has ended.")
        return user

    def _verify(self, passport: str) -> User:
        for key in self._keys:
            try:
                return _decode(passport, key)
            except (jwt.InvalidTokenError, ValueError):
                continue
        raise Unauthorized("token-invalid", "The passport is not valid.")


def _require_public_keys(texts: tuple[str, ...]) -> tuple[str, ...]:
    PassportVerifier(texts)
    return texts


PublicKeys = Annotated[CommaSeparated, Field(min_length=1), AfterValidator(_require_public_keys)]
"""A setting: public keys of passports; during a rotation the old one and the new one."""


def _decode(passport: str, key: Ed25519PublicKey) -> User:
    decoded = _DECODER.decode_complete(
        passport,
        key,
        ["EdDSA"],
        audience=PASSPORT_AUDIENCE,
        issuer=PASSPORT_ISSUER,
        leeway=LEEWAY_SECONDS,
    )
    if decoded["header"].get("typ") != PASSPORT_TYPE:
        raise jwt.InvalidTokenError
    claims = dict(decoded["payload"])
    claims["passport"] = passport
    return User.model_validate(claims)
