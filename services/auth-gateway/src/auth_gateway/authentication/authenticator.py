"""Decides who sends a request: a cache look-up for a known token, all rules for a new one."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from prometheus_client import Counter

from auth_gateway.authentication.errors import InvalidToken
from auth_gateway.authentication.keys import KeyCache
from auth_gateway.authentication.parser import RawHeaders, get_bearer_token
from auth_gateway.authentication.verifier import Verifier
from auth_gateway.identity import Identity
from auth_gateway.lru_cache import LRUCache
from auth_gateway.passport import PassportSigner
from auth_gateway.settings import GatewaySettings
from common.identity import LEEWAY_SECONDS
from common.logging import log, pseudonym

CACHED_DECISIONS_MAX: Final = 10_000
"""Accepted tokens whose decision is cached, per process."""

TOKEN_VERDICTS: Final = Counter("token_verdicts", "Decisions about tokens.", ["verdict"])
"""Decisions by `verdict`: `remembered` (cached), `granted` (verified), or the rejection reason."""

_CACHE_HITS: Final = TOKEN_VERDICTS.labels("remembered")
_SCHEME: Final = b"bearer "


@dataclass(frozen=True, slots=True)
class AuthenticatedUser:
    """The user who sends a request; `pseudonym` stands for the user in logs."""

    user_id: str
    passport: str
    pseudonym: str


@dataclass(frozen=True, slots=True)
class CachedDecision:
    """An accepted token. `user` may be used between `usable_from` and `usable_until` (Unix)."""

    identity: Identity
    user: AuthenticatedUser
    usable_from: float
    usable_until: float


class Authenticator:
    """Authenticates requests by their headers, for both modes of the gateway."""

    def __init__(
        self,
        settings: GatewaySettings,
        keys: KeyCache,
        signer: PassportSigner,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.verifier = Verifier(settings, keys, clock)
        self._signer = signer
        self._clock = clock
        self._decisions: LRUCache[bytes, CachedDecision] = LRUCache(CACHED_DECISIONS_MAX)

    def get_cached(self, authorization: bytes | str) -> AuthenticatedUser | None:
        """Return the user of a cached decision whose passport is still usable.

        Args:
            authorization: The value of the only `Authorization` header of a request.
        """
        header = authorization
        if isinstance(header, str):
            header = header.encode(errors="replace")
        if header[: len(_SCHEME)].lower() != _SCHEME:
            return None
        decision = self._decisions.get(sha256(header[len(_SCHEME) :]).digest())
        if decision is None:
            return None
        if not decision.usable_from <= self._clock() < decision.usable_until:
            return None
        _CACHE_HITS.inc()
        return decision.user

    def get_cached_by_headers(self, headers: RawHeaders) -> AuthenticatedUser | None:
        """Return `get_cached` for a request with exactly one `authorization` header."""
        values = [value for name, value in headers if name == b"authorization"]
        if len(values) != 1:
            return None
        return self.get_cached(values[0])

    async def authenticate(self, headers: RawHeaders) -> AuthenticatedUser:
        """Return the user who sends a request with these headers.

        Raises:
            InvalidToken: The token breaks a rule, or is missing.
            KeysUnavailable: The keys that verify the token cannot be fetched now.
        """
        token = get_bearer_token(headers)
        digest = sha256(token).digest()
        decision = self._decisions.get(digest)
        if decision is None or decision.identity.expires_at + LEEWAY_SECONDS <= self._clock():
            identity = await self._verify(token)
        else:
            identity = decision.identity
            _CACHE_HITS.inc()
        return self._accept(digest, identity)

    async def _verify(self, token: bytes) -> Identity:
        """Verify a token, and log and count the decision (rule 14)."""
        try:
            identity = await self.verifier.verify(token)
        except InvalidToken as error:
            TOKEN_VERDICTS.labels(error.reason).inc()
            log("info", "token", granted=False, reason=error.reason, key_id=error.key_id)
            raise
        TOKEN_VERDICTS.labels("granted").inc()
        log("info", "token", granted=True, key_id=identity.key_id, user=pseudonym(identity.user_id))
        return identity

    def _accept(self, digest: bytes, identity: Identity) -> AuthenticatedUser:
        """Issue a passport, and cache the decision for as long as token and passport last."""
        passport = self._signer.get_passport(identity)
        user = AuthenticatedUser(
            user_id=str(identity.user_id),
            passport=passport.token,
            pseudonym=pseudonym(identity.user_id),
        )
        decision = CachedDecision(
            identity=identity,
            user=user,
            usable_from=passport.usable_from,
            usable_until=min(passport.usable_until, identity.expires_at + LEEWAY_SECONDS),
        )
        self._decisions.put(digest, decision)
        return user
