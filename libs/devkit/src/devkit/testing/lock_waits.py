"""Waits until statements of a database are blocked by a lock."""

import asyncio
from typing import Final

import psycopg

TIMEOUT_SECONDS: Final = 10.0

_POLL_SECONDS: Final = 0.01

_COUNT_BLOCKED: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def wait_for_blocked_statements(url: str, count: int = 1) -> None:
    """Return as soon as at least `count` statements of this database wait for a lock.

    Raises:
        TimeoutError: There are fewer after `TIMEOUT_SECONDS`.
    """
    async with (
        asyncio.timeout(TIMEOUT_SECONDS),
        await psycopg.AsyncConnection.connect(url, autocommit=True) as connection,
    ):
        while True:
            cursor = await connection.execute(_COUNT_BLOCKED)
            row = await cursor.fetchone()
            if row and row[0] >= count:
                return
            await asyncio.sleep(_POLL_SECONDS)
