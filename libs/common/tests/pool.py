"""Wait for connections to return to the pool."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine

_STEPS = 200
_STEP_SECONDS = 0.01


async def until_idle(engine: AsyncEngine) -> None:
    """Wait until no connection is checked out.

    Raises:
        TimeoutError: A connection is still checked out after two seconds.
    """
    for _ in range(_STEPS):
        if "Checked out connections: 0" in engine.pool.status():
            return
        await asyncio.sleep(_STEP_SECONDS)
    raise TimeoutError
