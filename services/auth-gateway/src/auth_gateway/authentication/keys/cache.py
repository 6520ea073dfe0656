"""Keeps the key set fresh: fetches it in the background, and once more for an unknown key id.

While nobody uses the keys they are hardly fetched: the key server would read them in its database,
which could never be suspended. The first token after such a time waits for a fetch.
"""

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
from auth_gateway.authentication.keys.jwks import KeySet, VerificationKey, parse_key_set
from auth_gateway.lru_cache import LRUCache
from common.identity import LEEWAY_SECONDS
from common.problems import Unavailable

REQUEST_WAIT_SECONDS: Final = 1.5
"""The longest wait of a request for a fetch, which may go on without it.

The edge waits 3 s for a decision.
"""

FETCH_TIMEOUT_SECONDS: Final = 10.0
"""The longest fetch, unless `KEYS_FETCH_SECONDS` is set."""

RETRY_SECONDS: Final = 10.0
"""Time between two fetches for unknown key ids, or after a fetch that failed."""

START_SECONDS: Final = 10.0
"""How long a gateway without keys counts as starting, so that a rollout keeps one that has them.

Not longer, because it has to start while the key server is away, too.
"""

START_RETRY_SECONDS: Final = 0.5
"""Time between two fetches of a gateway that is starting."""

STALE_MAX_SECONDS: Final = 86_400.0
"""How long the last good set is used while no other can be fetched."""

REFRESH_AT_AGE_RATIO: Final = 0.8
"""The share of its maximum age at which a set is fetched again, so that no request waits for it."""

UNUSED_MAX_AGE_SECONDS: Final = STALE_MAX_SECONDS / 2
"""The age at which a set is fetched again although no token has needed it.

It leaves half a day for a key server that is away before the set is too old to be used.
"""

REFRESH_CHECK_SECONDS: Final = 1.0
"""Time between two checks whether a fetch is due."""

FIRST_SEEN_MAX: Final = 10_000
"""Tokens with unknown key ids that are remembered: a digest and a number for each."""

KEY_SET_AGE: Final = Gauge(
    "key_set_age_seconds",
    "Time since the keys were fetched: infinite if they never were, NaN if none are needed.",
)
"""Well above `KEYS_MAX_AGE_SECONDS` while the key server is unavailable."""

KEY_SET_MAX_AGE: Final = Gauge("key_set_max_age_seconds", "The setting KEYS_MAX_AGE_SECONDS.")
"""What an alert compares the age with."""

NOT_YET_PUBLISHED_HINT: Final = (
    "Wait as Retry-After says; if this goes on, set BETTER_AUTH_JWKS_URL or BETTER_AUTH_URL to the "
    "server that issued the token."
)
"""What a developer can do when the key server responds, but lacks the key of a token as yet."""

_LOG: Final = logging.getLogger(__name__)


class KeysUnavailable(Unavailable, status=Unavailable.status, title=Unavailable.title):
    """The key of a token is unknown now: there is no key set, or none newer than the token."""

    def __init__(self, retry_after_seconds: float, failure: KeySetError | None = None) -> None:
        super().__init__("keys-unavailable", "The keys that verify tokens cannot be fetched now.")
        self.hint = NOT_YET_PUBLISHED_HINT
        if failure is not None:
            self.hint = (
                f"The key server {failure.reason}: correct that, or set BETTER_AUTH_JWKS_URL."
            )
        self.headers = {"Retry-After": str(max(1, math.ceil(retry_after_seconds)))}


@dataclass(frozen=True, slots=True)
class KeyState:
    """State of the keys for readiness.

    `degraded`: the last good set is used, because a fetch failed or is late; `off`: none is needed.
    `reason` says why the last fetch failed, None if it succeeded.
    """

    status: Literal["ok", "degraded", "unavailable", "off"]
    age_seconds: float | None
    key_count: int
    reason: str | None = None


class KeyCache:
    """Caches the key set at one URL. As a context manager, it also refreshes it in the background.

    Args:
        url: Where the keys are published; None if no published keys are used.
        max_age_seconds: A set is fetched again before it reaches this age.
        fetch_seconds: The longest fetch.
        clock: A monotonic clock in seconds.
    """

    def __init__(
        self,
        url: str | None,
        *,
        max_age_seconds: float,
        fetch_seconds: float = FETCH_TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._max_age_seconds = max_age_seconds
        self._fetch_seconds = fetch_seconds
        self._clock = clock
        self._authorities = trusted_authorities()
        self._key_set = KeySet([])
        self._fetched_at = -math.inf
        self._opened_at = -math.inf
        self._last_attempt_at = -math.inf
        self._no_fetch_before = -math.inf
        # Fetches are numbered, because clocks are too coarse to order them.
        self._fetch_count = 0
        self._good_fetch_number = 0
        self._good_fetch_began_at = -math.inf
        self._fetch_count_at_first_sight: LRUCache[bytes, int] = LRUCache(FIRST_SEEN_MAX)
        self._key_was_missing = False
        self._is_used = False
        self._fetch_ends_disuse = False
        self.last_error: KeySetError | None = None
        self._fetch_task: asyncio.Task[None] | None = None
        self._refresh_task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        KEY_SET_MAX_AGE.set(self._max_age_seconds)
        KEY_SET_AGE.set_function(self._age_for_metrics)
        self._opened_at = self._clock()
        self._refresh_task = asyncio.create_task(self._refresh_forever())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Cancel the background refresh and a running fetch."""
        tasks = [task for task in (self._refresh_task, self._fetch_task) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def is_starting(self) -> bool:
        """Whether the first keys may still arrive within `START_SECONDS`."""
        if self._url is None or self._has_keys:
            return False
        return self._clock() - self._opened_at < START_SECONDS

    @property
    def state(self) -> KeyState:
        """The state that readiness shows."""
        if self._url is None:
            return KeyState("off", None, 0)
        reason = None
        if self.last_error is not None:
            reason = self.last_error.reason
        age_seconds = self._age_seconds
        if age_seconds > STALE_MAX_SECONDS:
            return KeyState("unavailable", None, 0, reason)
        is_late = age_seconds > self._max_age_seconds and not self._awaits_use
        if self.last_error is not None or is_late:
            return KeyState("degraded", age_seconds, len(self._key_set), reason)
        return KeyState("ok", age_seconds, len(self._key_set), reason)

    async def key_set(self) -> KeySet:
        """Return the key set.

        Raises:
            KeysUnavailable: There is no usable set.
        """
        if not self._has_keys or self._is_unsure:
            await self._fetch_for_request()
        if not self._has_keys:
            raise self._unavailable()
        self._is_used = True
        return self._key_set

    @property
    def cached_key_set(self) -> KeySet:
        """The last good set, empty before there is one; nothing is fetched."""
        return self._key_set

    def cached_key(self, key_id: str) -> VerificationKey | None:
        """Return the key with this id if it is cached and fresh; nothing is fetched."""
        if self._is_unsure:
            return None
        return self._use_key(key_id)

    async def key(
        self, key_id: str, token_digest: bytes, token_age_seconds: float
    ) -> VerificationKey | None:
        """Return the key with this id, after one more fetch if that is needed and allowed.

        None means that no such key is published: a set that was fetched after the token was issued
        lacks it. The time of issue is taken from the token's age (by `iat`, which is not verified
        yet, and by two clocks that may differ), or from when this process first saw the token. So
        a token with a wrong `iat` harms only itself.

        Args:
            key_id: The `kid` of the token.
            token_digest: Identifies the token.
            token_age_seconds: Time since its `iat`.

        Raises:
            KeysUnavailable: There is no usable set, or none that is newer than the token.
        """
        if self._fetch_count_at_first_sight.get(token_digest) is None:
            self._fetch_count_at_first_sight.put(token_digest, self._fetch_count)
        if self.cached_key(key_id) is None:
            await self._fetch_for_request()
        key = self._use_key(key_id)
        if key is None and not self._is_newer_than_token(token_digest, token_age_seconds):
            self._key_was_missing = True
            raise self._unavailable()
        return key

    async def refresh(self) -> None:
        """Fetch the set if it is missing, or used and near its maximum age, or lacked a key."""
        if self._key_was_missing:
            self._start_fetch()
            self._delay_next_fetch()
        elif self._age_seconds >= self._refresh_age_seconds:
            self._start_fetch()
        await self.wait_for_fetch()

    async def wait_for_fetch(self) -> None:
        """Wait until no fetch is running."""
        if self._fetch_task is not None:
            await asyncio.wait([self._fetch_task])

    @property
    def _age_seconds(self) -> float:
        return self._clock() - self._fetched_at

    @property
    def _refresh_age_seconds(self) -> float:
        """The age at which the background refresh fetches the set again."""
        if self._is_used or self.last_error is not None:
            return self._max_age_seconds * REFRESH_AT_AGE_RATIO
        return UNUSED_MAX_AGE_SECONDS

    @property
    def _awaits_use(self) -> bool:
        """Whether the set is past its maximum age only because no token has needed it."""
        is_being_fetched = self._last_attempt_at > self._good_fetch_began_at
        return self._age_seconds > self._max_age_seconds and not is_being_fetched

    @property
    def _is_unsure(self) -> bool:
        """Whether a token must wait for a fetch, because the set was not refreshed while unused.

        All tokens wait that arrive during that fetch, not only the first: a key that was revoked
        meanwhile must not be accepted because another token came before.
        """
        if self._awaits_use:
            return True
        is_recent = self._clock() - self._last_attempt_at < REQUEST_WAIT_SECONDS
        return self._fetch_ends_disuse and self._fetch_task is not None and is_recent

    def _use_key(self, key_id: str) -> VerificationKey | None:
        """Return a key of the last good set, and note that the set is used."""
        if not self._has_keys:
            return None
        key = self._key_set.get(key_id)
        if key is not None:
            self._is_used = True
        return key

    def _age_for_metrics(self) -> float:
        """Return the age; keys that nobody needs have none, or do not grow older than they may."""
        if self._url is None:
            return math.nan
        if self._awaits_use and self._has_keys:
            return self._max_age_seconds
        return self._age_seconds

    @property
    def _has_keys(self) -> bool:
        return self._age_seconds <= STALE_MAX_SECONDS

    def _is_newer_than_token(self, token_digest: bytes, token_age_seconds: float) -> bool:
        """Return whether the set was fetched after the token was issued."""
        if not self._has_keys:
            return False
        fetch_count = self._fetch_count_at_first_sight.get(token_digest)
        if fetch_count is not None and self._good_fetch_number > fetch_count:
            return True
        set_age_seconds = self._clock() - self._good_fetch_began_at
        return token_age_seconds - LEEWAY_SECONDS > set_age_seconds

    def _unavailable(self) -> KeysUnavailable:
        if self._fetch_task is not None:
            return KeysUnavailable(1, self.last_error)
        return KeysUnavailable(self._next_fetch_at - self._clock(), self.last_error)

    async def _fetch_for_request(self) -> None:
        """Start a fetch if one is allowed, and wait for the running one as long as requests may."""
        self._start_fetch()
        self._delay_next_fetch()
        if self._fetch_task is not None:
            await asyncio.wait([self._fetch_task], timeout=REQUEST_WAIT_SECONDS)

    def _delay_next_fetch(self) -> None:
        """Allow no other fetch until `RETRY_SECONDS` after the last one began."""
        not_before = self._last_attempt_at + RETRY_SECONDS
        self._no_fetch_before = max(self._no_fetch_before, not_before)

    @property
    def _next_fetch_at(self) -> float:
        """The time from which a fetch is allowed."""
        if self.is_starting:
            return self._last_attempt_at + START_RETRY_SECONDS
        return self._no_fetch_before

    async def _refresh_forever(self) -> None:
        while self._url is not None:
            await self.refresh()
            await asyncio.sleep(START_RETRY_SECONDS if self.is_starting else REFRESH_CHECK_SECONDS)

    def _start_fetch(self) -> None:
        """Start a fetch unless one is running, or began too recently."""
        if self._fetch_task is not None or self._clock() < self._next_fetch_at:
            return
        self._key_was_missing = False
        self._is_used = False
        self._fetch_ends_disuse = self._awaits_use
        self._last_attempt_at = self._clock()
        self._fetch_task = asyncio.create_task(self._fetch(self._url or ""))

    async def _fetch(self, url: str) -> None:
        """Replace the key set by the published one if that is usable."""
        self._fetch_count += 1
        try:
            document = await download(url, self._fetch_seconds, self._authorities)
            key_set = parse_key_set(document)
        except KeySetError as error:
            self._record_failure(error)
        except Exception as error:  # noqa: BLE001 - the background refresh must go on and try again
            reason = "cannot be asked, for a reason that was not foreseen"
            self._record_failure(KeySetError(reason, repr(error)))
        else:
            self._store(key_set)
        finally:
            self._fetch_task = None

    def _store(self, key_set: KeySet) -> None:
        if key_set.rejected and key_set.rejected != self._key_set.rejected:
            _LOG.warning(
                "The key server publishes keys that may not be used: %s",
                "; ".join(key_set.rejected),
            )
        if self.last_error is not None:
            _LOG.warning("The keys can be fetched again.")
        self._key_set = key_set
        self._good_fetch_number = self._fetch_count
        self._good_fetch_began_at = self._last_attempt_at
        self._fetched_at = self._clock()
        self.last_error = None

    def _record_failure(self, error: KeySetError) -> None:
        is_repeated = str(error) == str(self.last_error)
        self.last_error = error
        self._delay_next_fetch()
        if is_repeated and self.is_starting:
            return
        _LOG.warning("The keys cannot be fetched: the key server at %s %s.", self._url, error)
