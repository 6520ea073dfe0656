"""How long connections take to open: seconds, while a suspended database wakes up."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

SLOW_SECONDS: Final = 0.5
"""From when on opening a connection counts as slow."""

RECENT_SECONDS: Final = 1.5
"""How long requests still wait after a slow one: as long as they wait for a busy pool."""


class ConnectTimes:
    """Knows whether connections of an engine take long to open, now or a moment ago."""

    def __init__(self) -> None:
        self._began_at: dict[object, float] = {}
        self._slow_one_ended_at = -RECENT_SECONDS

    @contextmanager
    def measure(self) -> Generator[None]:
        """Measure the time of the block, which opens a connection."""
        key = object()
        self._began_at[key] = time.monotonic()
        try:
            yield
        finally:
            now = time.monotonic()
            if now - self._began_at.pop(key) > SLOW_SECONDS:
                self._slow_one_ended_at = now

    @property
    def are_slow(self) -> bool:
        """Whether a request that got no connection should go on waiting for one."""
        now = time.monotonic()
        if now - self._slow_one_ended_at < RECENT_SECONDS:
            return True
        return any(now - began_at > SLOW_SECONDS for began_at in self._began_at.values())
