"""The key set, kept fresh: fetched in the background, and once more for a key id that it lacks."""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal, Self

import httpx
from prometheus_client import Gauge

from auth_gateway.keys.jwks import KeySet, read_key_set
from common.errors import Unavailable

CONNECT_SECONDS: Final = 1.0
"""How long connecting to the key server may take."""

FETCH_SECONDS: Final = 1.5
"""How long a whole fetch may take; the edge waits 3 s for a decision."""

DOCUMENT_MAX_BYTES: Final = 65_536
"""A longer key set is not read to its end."""

RETRY_SECONDS: Final = 10.0
"""Time between two fetches for unknown key ids, or after a fetch that failed."""

LAST_GOOD_SECONDS: Final = 86_400.0
"""How long the last good set is used while no other can be had."""

EARLY: Final = 0.8
"""The share of its age limit after which a set is fetched anew, so that no request waits for it."""

TICK_SECONDS: Final = 1.0
"""How often it is looked whether a set has come to that age."""

AGE: Final = Gauge("key_set_age_seconds", "Time since the keys were fetched, infinite without any.")
"""Well above `KEYS_MAX_AGE_SECONDS` when the key server is away."""

_HEADERS: Final = {"User-Agent": "auth-gateway", "Accept-Encoding": "identity"}
_LOG: Final = logging.getLogger(__name__)


class KeysUnavailable(Unavailable, status=Unavailable.status, title=Unavailable.title):
    """There is no key set, and none can be had now."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__("keys-unavailable", "The keys that verify tokens cannot be fetched now.")
        self.headers = {"Retry-After": str(max(1, math.ceil(retry_after_seconds)))}


@dataclass(frozen=True, slots=True)
class KeyState:
    """How the keys are: `degraded` lives on the last good set, `off` needs none."""

    status: Literal["ok", "degraded", "unavailable", "off"]
    age_seconds: float | None
    keys: int


class KeyCache:
    """The keys at one address; entered as a context, it also keeps them fresh."""

    def __init__(
        self, address: str | None, *, max_age_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._address = address
        self._max_age_seconds = max_age_seconds
        self._clock = clock
        self._keys = KeySet([])
        self._good_at = self._tried_at = self._closed_until = -math.inf
        self._failed = False
        self._flight: asyncio.Task[None] | None = None
        self._upkeep: asyncio.Task[None] | None = None
        # A proxy or .netrc that is meant for others must not stand between us and the keys.
        self._client = httpx.AsyncClient(
            headers=_HEADERS, timeout=httpx.Timeout(FETCH_SECONDS, connect=CONNECT_SECONDS), trust_env=False
        )

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
        await self._client.aclose()

    @property
    def state(self) -> KeyState:
        """What readiness shows."""
        age = self._clock() - self._good_at
        if self._address is None:
            return KeyState("off", None, 0)
        if age > LAST_GOOD_SECONDS:
            return KeyState("unavailable", None, 0)
        stale = self._failed or age > self._max_age_seconds
        return KeyState("degraded" if stale else "ok", age, len(self._keys))

    async def key_set(self, key_id: str | None) -> KeySet:
        """Return the key set; if it lacks this key id, after one more fetch where that is allowed.

        Raises:
            KeysUnavailable: There is no usable set.
        """
        if not self._has_keys or (key_id is not None and self._keys.named(key_id) is None):
            await self._fetch_if_open()
            self._closed_until = max(self._closed_until, self._tried_at + RETRY_SECONDS)
        if not self._has_keys:
            raise KeysUnavailable(self._closed_until - self._clock())
        return self._keys

    async def refresh(self) -> None:
        """Fetch the set if it comes to its age limit, or is missing."""
        if self._clock() - self._good_at >= self._max_age_seconds * EARLY:
            await self._fetch_if_open()

    @property
    def _has_keys(self) -> bool:
        return self._clock() - self._good_at <= LAST_GOOD_SECONDS

    async def _keep_fresh(self) -> None:
        while self._address is not None:
            await self.refresh()
            await asyncio.sleep(TICK_SECONDS)

    async def _fetch_if_open(self) -> None:
        """Fetch, unless it was tried just now; whoever comes meanwhile waits for the same fetch."""
        if self._flight is None and self._clock() >= self._closed_until:
            self._flight = asyncio.create_task(self._fetch())
        if self._flight is not None:
            await asyncio.shield(self._flight)

    async def _fetch(self) -> None:
        """Replace the set by the published one, but never by a bad one."""
        self._tried_at = self._clock()
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                self._keys = read_key_set(await self._download())
        except (httpx.HTTPError, OSError, ValueError) as error:
            self._failed = True
            self._closed_until = self._tried_at + RETRY_SECONDS
            _LOG.warning("The keys cannot be fetched: %r", error)
        else:
            self._failed = False
            self._good_at = self._clock()
        finally:
            self._flight = None

    async def _download(self) -> bytes:
        document = bytearray()
        async with self._client.stream("GET", self._address or "") as response:
            if response.status_code != HTTPStatus.OK:
                raise ValueError("not 200")
            async for chunk in response.aiter_raw():
                document += chunk
                if len(document) > DOCUMENT_MAX_BYTES:
                    raise ValueError("too long")
        return bytes(document)
