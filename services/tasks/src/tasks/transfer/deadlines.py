import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from common.middleware import DEADLINE_SECONDS
from common.problems import Unavailable

Result = TypeVar("Result")


async def within_deadline(database_work: Awaitable[Result]) -> Result:
    """Limit one step of an import to the time of a normal request.

    The whole import may take longer.

    Raises:
        Unavailable: The step took too long.
    """
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await database_work
    except TimeoutError:
        raise Unavailable("deadline-passed", "It took too long.") from None
