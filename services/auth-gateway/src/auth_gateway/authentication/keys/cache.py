"""The key set, kept fresh: fetched in the background, and once more for a key id that it lacks."""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Self

from prometheus_client import Gauge

from auth_gateway.authentication.keys.download import download, trusted_authorities
from auth_gateway.authentication.keys.errors import KeySetError
from auth_gateway.authentication.keys.jwks import KeySet, VerifyingKey, read_key_set
from auth_gateway.lru_cache import LeastRecentlyUsed
from common.identity import LEEWAY_SECONDS
from common.problems import Unavailable

WAIT_SECONDS: Final = 1.5
"""How long a request waits for a fetch, which may go on without it; the edge waits 3 s for a decision."""

FETCH_SECONDS: Final = 10.0
"""How long a fetch may take, unless `KEYS_FETCH_SECONDS` says otherwise."""

RETRY_SECONDS: Final = 10.0
"""Time between two fetches for unknown key ids, or after a fetch that failed."""

LAST_GOOD_SECONDS: Final = 86_400.0
"""How long the last good set is used while no other can be had."""

EARLY: Final = 0.8
"""The share of its age limit after which a set is fetched anew, so that no request waits for it."""

TICK_SECONDS: Final = 1.0
"""How often it is looked whether a fetch is due."""

TOKENS_MAX: Final = 10_000
"""Tokens with unknown key ids that are remembered; of each a digest and a number."""

AGE: Final = Gauge("key_set_age_seconds", "Time since the keys were fetched, infinite without any.")
"""Well above `KEYS_MAX_AGE_SECONDS` when the key server is away."""

_LOG: Final = logging.getLogger(__name__)


class KeysUnavailable(Unavailable, status=Unavailable.status, title=Unavailable.title):
    """Nobody can tell now which key a token needs: there is no key set, or none that is newer than the token."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__("keys-unavailable", "The keys that verify tokens cannot be fetched now.")
        self.headers = {"Retry-After": str(max(1, math.ceil(retry_after_seconds)))}


@dataclass(frozen=True, slots=True)
class KeyState:
    """How the keys are: `degraded` lives on the last good set, `off` needs none.

    `reason` says in one sentence why the last fetch failed, None if it did not.
    """

    status: Literal["ok", "degraded", "unavailable", "off"]
    age_seconds: float | None
    keys: int
    reason: str | None = None


class KeyCache:
    """The keys at one address; entered as a context, it also keeps them fresh."""

    def __init__(
        self,
        address: str | None,
        *,
        max_age_seconds: float,
        fetch_seconds: float = FETCH_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = address
        self._max_age_seconds = max_age_seconds
        self._fetch_seconds = fetch_seconds
        self._clock = clock
        self._authorities = trusted_authorities()
        self._keys = KeySet([])
        self._good_at = -math.inf
        self._tried_at = -math.inf
        self._closed_until = -math.inf
        # Fetches are numbered, because clocks are too coarse to tell what came first.
        self._fetches = 0
        self._good_fetch = 0
        self._good_fetch_began_at = -math.inf
        self._first_seen: LeastRecentlyUsed[bytes, int] = LeastRecentlyUsed(TOKENS_MAX)
        self._is_missed = False
        self.failure: KeySetError | None = None
        self._flight: asyncio.Task[None] | None = None
        self._upkeep: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        AGE.set_function(lambda: self._clock() - self._good_at)
        self._upkeep = asyncio.create_task(self._keep_fresh())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop fetching."""
        tasks = [task for task in (self._upkeep, self._flight) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def state(self) -> KeyState:
        """What readiness shows."""
        age = self._clock() - self._good_at
        reason = self.failure.reason if self.failure else None
        if self._address is None:
            return KeyState("off", None, 0)
        if age > LAST_GOOD_SECONDS:
            return KeyState("unavailable", None, 0, reason)
        is_stale = self.failure is not None or age > self._max_age_seconds
        return KeyState("degraded" if is_stale else "ok", age, len(self._keys), reason)

    async def key_set(self) -> KeySet:
        """Return the key set.

        Raises:
            KeysUnavailable: There is no usable set.
        """
        if not self._has_keys:
            await self._fetch_for_request()
        if not self._has_keys:
            raise self._unavailable()
        return self._keys

    @property
    def cached(self) -> KeySet:
        """The last good set, empty before there is one; nothing is fetched."""
        return self._keys

    def cached_key(self, key_id: str) -> VerifyingKey | None:
        """Return the key of this id if it is known; nothing is fetched."""
        return self._keys.named(key_id) if self._has_keys else None

    async def key(self, key_id: str, digest: bytes, age_seconds: float) -> VerifyingKey | None:
        """Return the key of this id, after one more fetch where that is needed and allowed.

        None says that no such key is published: a set that was fetched after the token had come into being lacks it.
        When that was, the token's age says (since `iat`, which is not verified yet, by two clocks that may differ), or
        our own first sight of the token with this digest. So a token that lies about its age harms only itself.

        Raises:
            KeysUnavailable: There is no usable set, or none that is newer than the token.
        """
        self._remember(digest)
        if self.cached_key(key_id) is None:
            await self._fetch_for_request()
        key = self.cached_key(key_id)
        if key is None and not self._is_newer_than(digest, age_seconds):
            self._is_missed = True
            raise self._unavailable()
        return key

    async def refresh(self) -> None:
        """Fetch the set if it comes to its age limit, is missing, or lacked a key since the last fetch."""
        if self._is_missed:
            self._start_fetch()
            self._pause()
        elif self._clock() - self._good_at >= self._max_age_seconds * EARLY:
            self._start_fetch()
        await self.settled()

    async def settled(self) -> None:
        """Wait until no fetch is running."""
        if self._flight is not None:
            await asyncio.wait([self._flight])

    @property
    def _has_keys(self) -> bool:
        return self._clock() - self._good_at <= LAST_GOOD_SECONDS

    def _remember(self, digest: bytes) -> None:
        """Note how many fetches had begun before a token was seen for the first time."""
        if self._first_seen.get(digest) is None:
            self._first_seen.put(digest, self._fetches)

    def _is_newer_than(self, digest: bytes, age_seconds: float) -> bool:
        """Tell whether the set was asked for when the token was there already."""
        if not self._has_keys:
            return False
        first_seen = self._first_seen.get(digest)
        if first_seen is not None and self._good_fetch > first_seen:
            return True
        return age_seconds - LEEWAY_SECONDS > self._clock() - self._good_fetch_began_at

    def _unavailable(self) -> KeysUnavailable:
        if self._flight is not None:
            return KeysUnavailable(1)
        return KeysUnavailable(self._closed_until - self._clock())

    async def _fetch_for_request(self) -> None:
        """Start a fetch where one is allowed, and wait for whichever runs, but no longer than a request may."""
        self._start_fetch()
        self._pause()
        if self._flight is not None:
            await asyncio.wait([self._flight], timeout=WAIT_SECONDS)

    def _pause(self) -> None:
        """Allow no further fetch until some time after the last one began."""
        self._closed_until = max(self._closed_until, self._tried_at + RETRY_SECONDS)

    async def _keep_fresh(self) -> None:
        while self._address is not None:
            await self.refresh()
            await asyncio.sleep(TICK_SECONDS)

    def _start_fetch(self) -> None:
        """Start a fetch, unless one is running or was tried just now."""
        if self._flight is None and self._clock() >= self._closed_until:
            self._is_missed = False
            self._tried_at = self._clock()
            self._flight = asyncio.create_task(self._fetch())

    async def _fetch(self) -> None:
        """Replace the set by the published one, but never by a bad one."""
        self._fetches += 1
        try:
            document = await download(self._address or "", self._fetch_seconds, self._authorities)
            keys = read_key_set(document)
        except KeySetError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the upkeep goes on and tries again
            self._fail(
                KeySetError("cannot be asked, for a reason that was not foreseen", repr(error))
            )
        else:
            self._keep(keys)
        finally:
            self._flight = None

    def _keep(self, keys: KeySet) -> None:
        if keys.refused and keys.refused != self._keys.refused:
            _LOG.warning(
                "The key server publishes keys that may not be used: %s", "; ".join(keys.refused)
            )
        if self.failure is not None:
            _LOG.warning("The keys can be fetched again.")
        self._keys = keys
        self._good_fetch = self._fetches
        self._good_fetch_began_at = self._tried_at
        self._good_at = self._clock()
        self.failure = None

    def _fail(self, error: KeySetError) -> None:
        self.failure = error
        self._pause()
        _LOG.warning("The keys cannot be fetched: the key server at %s %s.", self._address, error)
