"""Long request bodies, read while they arrive: limits on their size, time and number per user."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Final

from fastapi import Request

from common.middleware import DEADLINE_SECONDS
from common.problems import BodyTooLarge, RequestTimeout, Unavailable
from common.request_state import RequestState

UPLOADS_PER_USER_MAX: Final = 2
"""Concurrent uploads of one user per process; two, so that a stalled one can be retried."""


@dataclass(frozen=True)
class UploadLimits:
    """How large an upload may be, and how slow.

    A client has `pause_seconds` to send something. Each `bytes_per_second_min` that it sends add a
    second, up to `pause_seconds` again. So a client that sends nothing is given up after one pause,
    and one that sends less than the minimum rate a little later. Only the time in which the
    service waits for the client counts.
    """

    bytes_max: int
    seconds_max: float
    pause_seconds: float
    bytes_per_second_min: int


IMPORT_LIMITS: Final = UploadLimits(
    bytes_max=67_108_864, seconds_max=50.0, pause_seconds=10.0, bytes_per_second_min=1_024
)
"""64 MiB; longer imports come in parts, each with the first line.

50 seconds are less than an edge and the gateway wait for a body (60), so that the service responds.
"""


def read_upload(
    request: Request, limits: UploadLimits, finish_seconds: float
) -> AsyncIterator[bytes]:
    """Yield the body in chunks. From now on the limits replace the request's deadline.

    Args:
        request: The request.
        limits: The limits of the upload.
        finish_seconds: How long the request may take after its last byte.

    Raises:
        BodyTooLarge: The body is longer than the limits allow.
        RequestTimeout: The client is too slow, or the whole takes too long.
        Unavailable: The whole takes too long, and mostly not because of the client.
        ClientDisconnect: The client has left.
    """
    ends_at = asyncio.get_running_loop().time() + limits.seconds_max
    RequestState.of(request.scope).extend_deadline(limits.seconds_max + DEADLINE_SECONDS)
    return _read(request, limits, ends_at, finish_seconds)


async def _read(
    request: Request, limits: UploadLimits, ends_at: float, finish_seconds: float
) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in _read_in_time(request.stream(), limits, ends_at):
        size += len(chunk)
        if size > limits.bytes_max:
            raise BodyTooLarge
        yield chunk
    RequestState.of(request.scope).extend_deadline(finish_seconds)


async def _read_in_time(
    chunks: AsyncIterator[bytes], limits: UploadLimits, ends_at: float
) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    remaining_seconds = limits.pause_seconds
    waited_seconds = 0.0
    while True:
        started_at = loop.time()
        if started_at >= ends_at and waited_seconds < limits.seconds_max / 2:
            raise Unavailable("deadline-passed", "It took too long.")
        try:
            async with asyncio.timeout_at(min(started_at + remaining_seconds, ends_at)):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise RequestTimeout from None
        if chunk is None:
            return
        chunk_seconds = loop.time() - started_at
        waited_seconds += chunk_seconds
        earned_seconds = len(chunk) / limits.bytes_per_second_min
        remaining_seconds += earned_seconds - chunk_seconds
        remaining_seconds = min(remaining_seconds, limits.pause_seconds)
        yield chunk


async def with_pauses(chunks: AsyncIterator[bytes], pause_seconds: float) -> AsyncGenerator[bytes]:
    """Yield chunks, and an empty one whenever none has arrived for `pause_seconds`.

    A task reads between two chunks: a caller that stops early must close the generator
    (`contextlib.aclosing`).
    """
    next_chunk = asyncio.ensure_future(anext(chunks, None))
    try:
        while True:
            finished, _ = await asyncio.wait({next_chunk}, timeout=pause_seconds)
            if not finished:
                yield b""
            chunk = await next_chunk
            if chunk is None:
                return
            next_chunk = asyncio.ensure_future(anext(chunks, None))
            yield chunk
    finally:
        next_chunk.cancel()
        await asyncio.gather(next_chunk, return_exceptions=True)
