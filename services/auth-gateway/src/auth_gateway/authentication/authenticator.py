"""The decision: a look into the cache for a token that is known, all the rules for one that is not."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from prometheus_client import Counter

from auth_gateway.authentication.errors import TokenRefused
from auth_gateway.authentication.keys import KeyCache
from auth_gateway.authentication.parser import bearer_token
from auth_gateway.authentication.verifier import Verifier
from auth_gateway.identity import Identity
from auth_gateway.lru_cache import LeastRecentlyUsed
from auth_gateway.passport import PassportSigner
from auth_gateway.settings import GatewaySettings
from common.identity import LEEWAY_SECONDS
from common.logging import log, pseudonym

VERDICTS_MAX: Final = 10_000
"""Tokens whose verdict is remembered, per process."""

VERDICTS: Final = Counter("token_verdicts", "Decisions about tokens.", ["verdict"])
"""What came of each token that reads like one: `remembered`, `granted` by the rules, or the reason of a refusal."""

_REMEMBERED: Final = VERDICTS.labels("remembered")
_SCHEME: Final = b"bearer "


@dataclass(frozen=True, slots=True)
class Granted:
    """A request may pass, and this is who sends it; `subject_hash` stands for the user in logs."""

    user_id: str
    passport: str
    subject_hash: str


@dataclass(frozen=True, slots=True)
class _Verdict:
    identity: Identity
    granted: Granted
    fresh_from: float
    fresh_until: float


class Gatekeeper:
    """Decides who is calling; both modes of the gateway ask it, and nobody else knows about tokens."""

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
        self._verdicts: LeastRecentlyUsed[bytes, _Verdict] = LeastRecentlyUsed(VERDICTS_MAX)

    def known(self, authorization: bytes | str) -> Granted | None:
        """Return the verdict on the token of a lone `Authorization` header if nothing is left to do for it."""
        header = (
            authorization.encode(errors="replace")
            if isinstance(authorization, str)
            else authorization
        )
        if header[: len(_SCHEME)].lower() != _SCHEME:
            return None
        verdict = self._verdicts.get(sha256(header[len(_SCHEME) :]).digest())
        if verdict is None or not verdict.fresh_from <= self._clock() < verdict.fresh_until:
            return None
        _REMEMBERED.inc()
        return verdict.granted

    async def decide(self, headers: Iterable[tuple[bytes, bytes]]) -> Granted:
        """Return who sends a request with these headers.

        Raises:
            TokenRefused: The token, or the lack of one, breaks a rule.
            KeysUnavailable: Nobody can tell now.
        """
        token = bearer_token(headers)
        digest = sha256(token).digest()
        verdict = self._verdicts.get(digest)
        if verdict is None or verdict.identity.expires_at + LEEWAY_SECONDS <= self._clock():
            return self._grant(digest, await self._verify(token))
        _REMEMBERED.inc()
        return self._grant(digest, verdict.identity)

    async def _verify(self, token: bytes) -> Identity:
        """Apply the rules; log and count what came of it (rule 14)."""
        try:
            identity = await self.verifier.verify(token)
        except TokenRefused as refusal:
            VERDICTS.labels(refusal.reason).inc()
            log("info", "token", granted=False, reason=refusal.reason, key_id=refusal.key_id)
            raise
        VERDICTS.labels("granted").inc()
        log("info", "token", granted=True, key_id=identity.key_id, user=pseudonym(identity.user_id))
        return identity

    def _grant(self, digest: bytes, identity: Identity) -> Granted:
        """Remember a verdict for as long as token and passport last."""
        passport = self._signer.passport(identity)
        granted = Granted(str(identity.user_id), passport.text, pseudonym(identity.user_id))
        fresh_until = min(passport.fresh_until, identity.expires_at + LEEWAY_SECONDS)
        self._verdicts.put(digest, _Verdict(identity, granted, passport.fresh_from, fresh_until))
        return granted
