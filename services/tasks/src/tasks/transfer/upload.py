"""The lines of an upload."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

from fastapi import Request

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
    async with context.limits.uploads.for_user(context.user.id):
        upload = read_upload(request, IMPORT_LIMITS, MERGE_SECONDS)
        async with aclosing(with_pauses(upload, PAUSE_SECONDS)) as chunks:
            yield split_lines(chunks)
