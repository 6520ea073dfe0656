"""To see that connections come back."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine

_STEPS, _STEP_SECONDS = 200, 0.01


async def until_idle(engine: AsyncEngine) -> None:
    """Return as soon as nobody holds a connection.

    Raises:
        TimeoutError: Somebody does, for two seconds.
    """
    for _ in range(_STEPS):
        if "Checked out connections: 0" in engine.pool.status():
            return
        await asyncio.sleep(_STEP_SECONDS)
    raise TimeoutError
