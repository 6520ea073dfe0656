"""The passport: the internal identity JWT that the gateway signs for the services."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auth_gateway.identity import Identity
from auth_gateway.lru_cache import LRUCache
from common.identity import PASSPORT_AUDIENCE, PASSPORT_ISSUER, PASSPORT_TYPE

LIFETIME_SECONDS: Final = 60
"""From a passport's `iat` to its `exp`."""

MARGIN_SECONDS: Final = 15
"""A passport is not issued in its last seconds: a request and its calls to services take time."""

CACHED_PASSPORTS_MAX: Final = 10_000
"""Passports that are cached for their users' next requests, per process."""


@dataclass(frozen=True, slots=True)
class Passport:
    """A signed passport, and the time in which it may be issued, in Unix seconds."""

    token: str
    usable_from: float
    usable_until: float


@dataclass(frozen=True, slots=True)
class _CacheKey:
    user_id: UUID
    subject: str
    email: str | None


class PassportSigner:
    """Signs passports, and issues the same one until shortly before it ends."""

    def __init__(self, key: Ed25519PrivateKey, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock
        self._passports: LRUCache[_CacheKey, Passport] = LRUCache(CACHED_PASSPORTS_MAX)
        self.signature_count = 0

    def get_passport(self, identity: Identity) -> Passport:
        """Return a passport of this user that is valid for at least `MARGIN_SECONDS`."""
        cache_key = _CacheKey(identity.user_id, identity.subject, identity.email)
        passport = self._passports.get(cache_key)
        if passport is None or not self._is_usable(passport):
            passport = self._sign(identity)
            self._passports.put(cache_key, passport)
        return passport

    def _is_usable(self, passport: Passport) -> bool:
        return passport.usable_from <= self._clock() < passport.usable_until

    def _sign(self, identity: Identity) -> Passport:
        self.signature_count += 1
        now = int(self._clock())
        claims: dict[str, object] = {
            "iss": PASSPORT_ISSUER,
            "aud": PASSPORT_AUDIENCE,
            "sub": str(identity.user_id),
            "ext": {"issuer": identity.issuer_label, "subject": identity.subject},
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
        }
        if identity.email is not None:
            claims["email"] = identity.email
        token = jwt.encode(claims, self._key, algorithm="EdDSA", headers={"typ": PASSPORT_TYPE})
        return Passport(
            token=token,
            usable_from=now,
            usable_until=now + LIFETIME_SECONDS - MARGIN_SECONDS,
        )
