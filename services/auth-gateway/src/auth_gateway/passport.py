"""The passport: what the gateway says about a user to the services behind it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auth_gateway.identity import Identity
from auth_gateway.lru_cache import LeastRecentlyUsed
from common.identity import PASSPORT_AUDIENCE, PASSPORT_ISSUER, PASSPORT_TYPE

LIFE_SECONDS: Final = 60
"""From a passport's `iat` to its `exp`."""

MARGIN_SECONDS: Final = 15
"""A passport that ends sooner is not handed out: what a request may take, calls between services included."""

PASSPORTS_MAX: Final = 10_000
"""Passports kept for their users' next requests, per process."""


@dataclass(frozen=True, slots=True)
class Passport:
    """A signed passport, and when it may be handed out, in Unix seconds."""

    text: str
    fresh_from: float
    fresh_until: float


class PassportSigner:
    """Signs passports, and hands out the same one until shortly before it ends."""

    def __init__(self, key: Ed25519PrivateKey, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock
        self._passports: LeastRecentlyUsed[tuple[UUID, str, str | None], Passport] = (
            LeastRecentlyUsed(PASSPORTS_MAX)
        )
        self.signatures = 0

    def passport(self, identity: Identity) -> Passport:
        """Return a passport for this user that is good for at least `MARGIN_SECONDS`."""
        user = (identity.user_id, identity.subject, identity.email)
        passport = self._passports.get(user)
        if passport is None or not passport.fresh_from <= self._clock() < passport.fresh_until:
            passport = self._sign(identity)
            self._passports.put(user, passport)
        return passport

    def _sign(self, identity: Identity) -> Passport:
        self.signatures += 1
        now = int(self._clock())
        claims: dict[str, object] = {
            "iss": PASSPORT_ISSUER,
            "aud": PASSPORT_AUDIENCE,
            "sub": str(identity.user_id),
            "ext": {"issuer": identity.issuer_label, "subject": identity.subject},
            "iat": now,
            "exp": now + LIFE_SECONDS,
        }
        if identity.email is not None:
            claims["email"] = identity.email
        text = jwt.encode(claims, self._key, algorithm="EdDSA", headers={"typ": PASSPORT_TYPE})
        return Passport(text, fresh_from=now, fresh_until=now + LIFE_SECONDS - MARGIN_SECONDS)
