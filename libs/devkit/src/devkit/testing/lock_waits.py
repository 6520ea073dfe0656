"""To see from outside that a statement waits for somebody else's lock."""

import asyncio
from typing import Final

import psycopg

_WAITING: Final = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""

_STEPS, _STEP_SECONDS = 500, 0.01


async def wait_for_blocked_statements(url: str, count: int = 1) -> None:
    """Return as soon as so many statements wait in this database.

    Raises:
        TimeoutError: They do not, for five seconds.
    """
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for _ in range(_STEPS):
            found = await (await connection.execute(_WAITING)).fetchone()
            if found and found[0] >= count:
                return
            await asyncio.sleep(_STEP_SECONDS)
    raise TimeoutError
