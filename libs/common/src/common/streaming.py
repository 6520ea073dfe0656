"""Response bodies that are sent while they are made."""

from collections.abc import AsyncIterable, AsyncIterator

from fastapi import Request

from common.middleware import DEADLINE_SECONDS
from common.request_state import RequestState


async def with_deadline_per_chunk(
    request: Request, chunks: AsyncIterable[bytes]
) -> AsyncIterator[bytes]:
    """Yield chunks; each one gets the deadline of a whole request."""
    state = RequestState.of(request.scope)
    async for chunk in chunks:
        state.extend_deadline(DEADLINE_SECONDS)
        yield chunk


async def prepend(first: bytes, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Yield a first chunk, and then others."""
    yield first
    async for chunk in chunks:
        yield chunk
