"""The bodies of transfer requests: lines of an upload, and chunks of an export."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

from fastapi import Request

from common.middleware import DEADLINE_SECONDS
from common.uploads import IMPORT_LIMITS, read_upload, with_pauses
from tasks.transfer.context import ImportContext
from tasks.transfer.lines import Line, split_lines

MERGE_SECONDS: Final = 45.0
"""How long an import may take after its last byte, waiting included.

Less than the users service, which forwards the import, waits for the response.
"""

PAUSE_SECONDS: Final = 0.5
"""After this time without any data the lines that have arrived are staged, however few."""


@asynccontextmanager
async def upload_lines(
    request: Request, context: ImportContext
) -> AsyncGenerator[AsyncIterator[Line | None]]:
    """Wait for an upload slot of the user, and read the body as lines during the block."""
    async with context.limits.uploads.slots_of(context.user.id):
        upload = read_upload(request, IMPORT_LIMITS, MERGE_SECONDS)
        async with aclosing(with_pauses(upload, PAUSE_SECONDS)) as chunks:
            yield split_lines(chunks)


async def with_deadline_per_chunk(
    request: Request, chunks: AsyncIterable[bytes]
) -> AsyncIterator[bytes]:
    """Yield chunks; each one gets the deadline of a whole request."""
    async for chunk in chunks:
        now = asyncio.get_running_loop().time()
        request.scope["deadline"].reschedule(now + DEADLINE_SECONDS)
        yield chunk
