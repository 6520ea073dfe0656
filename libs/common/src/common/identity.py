"""Who is calling, as a service believes it: a passport that the gateway signed, and nothing else."""

import base64
import time
from contextlib import suppress
from functools import lru_cache
from typing import Annotated, Final
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import AfterValidator, AliasPath, BaseModel, Field

from common.problems import Unauthorized
from common.settings import CommaSeparated

PASSPORT_TYPE: Final = "passport+jwt"
"""The `typ` of a passport's header, so that no other token can pass for one."""

PASSPORT_ISSUER: Final = "auth-gateway"
"""The `iss` of every passport."""

PASSPORT_AUDIENCE: Final = "services"
"""The `aud` of every passport."""

LEEWAY_SECONDS: Final = 30
"""How far the clocks of two machines may be apart."""

_VERIFIER = jwt.PyJWT(
    {"require": ["exp", "iat", "sub"], "verify_exp": False}
)  # while it is remembered, it may end


class User(BaseModel, frozen=True):
    """The caller, and the passport to carry on to another service."""

    id: UUID = Field(alias="sub")
    issuer: str = Field(validation_alias=AliasPath("ext", "issuer"))
    subject: str = Field(validation_alias=AliasPath("ext", "subject"))
    email: str | None = None
    expires_at: int = Field(alias="exp")
    passport: str


class PassportVerifier:
    """Verifies passports, and remembers those it has verified until they end.

    A public key is base64url of its 32 bytes; any other text is a ValueError.
    """

    def __init__(self, public_keys: list[str] | tuple[str, ...]) -> None:
        self._keys = [
            Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(text + "=="))
            for text in public_keys
        ]
        self._verified = lru_cache(10_000)(self._verify)

    def verify(self, passport: str) -> User:
        """Return the user of a passport.

        Raises:
            Unauthorized: It is not one of ours, or it has ended.
        """
        user = self._verified(passport)
        if user.expires_at + LEEWAY_SECONDS <= time.time():
            raise Unauthorized("token-expired", "The passport has ended.")
        return user

    def _verify(self, passport: str) -> User:
        for key in self._keys:
            with suppress(jwt.InvalidTokenError, ValueError):
                return _user(passport, key)
        raise Unauthorized("token-invalid", "The passport is not valid.")


def _require_readable(texts: tuple[str, ...]) -> tuple[str, ...]:
    PassportVerifier(texts)
    return texts


PublicKeys = Annotated[CommaSeparated, Field(min_length=1), AfterValidator(_require_readable)]
"""A setting: the public keys of the gateway's passports, the old one beside the new one while they change."""


def _user(passport: str, key: Ed25519PublicKey) -> User:
    decoded = _VERIFIER.decode_complete(
        passport,
        key,
        ["EdDSA"],
        audience=PASSPORT_AUDIENCE,
        issuer=PASSPORT_ISSUER,
        leeway=LEEWAY_SECONDS,
    )
    if decoded["header"].get("typ") != PASSPORT_TYPE:
        raise jwt.InvalidTokenError
    return User.model_validate({**decoded["payload"], "passport": passport})
