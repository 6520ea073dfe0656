"""Long request bodies, read as they come: how long they may be, how slow their clients, and how many of one user."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Final

from fastapi import Request

from common.middleware import DEADLINE_SECONDS
from common.problems import BodyTooLarge, RequestTimeout, Unavailable
from common.request_state import RequestState

UPLOADS_PER_USER_MAX: Final = 2
"""Uploads of one user that one process reads at once: two, so that a retry need not wait for what hangs."""


@dataclass(frozen=True)
class UploadLimits:
    """What an upload may be and take.

    A client has `pause_seconds` to send something. What it sends gains it time, a second for `bytes_per_second_min`,
    up to that pause again: so whoever sends nothing is given up after one pause, and whoever sends less than that, a
    little later. Only time in which the service waits for the client counts: it may be slow itself.
    """

    bytes_max: int
    seconds_max: float
    pause_seconds: float
    bytes_per_second_min: int


IMPORT_LIMITS: Final = UploadLimits(
    bytes_max=67_108_864, seconds_max=50.0, pause_seconds=10.0, bytes_per_second_min=1_024
)
"""64 MiB; what is longer comes in parts, each with the first line. 50 seconds are less than an edge and the gateway let
pass until a body has come (60), so that it is the service that answers."""


def read_upload(
    request: Request, limits: UploadLimits, finish_seconds: float
) -> AsyncIterator[bytes]:
    """Yield the body in pieces; from now on the limits hold instead of the request's deadline.

    That is `finish_seconds` away when all is there.

    Raises:
        BodyTooLarge: It is longer than the limits allow.
        RequestTimeout: The client is too slow, or the whole takes too long.
        Unavailable: The whole takes too long, and more than half of that was not the client's.
        ClientDisconnect: The client has left.
    """
    ends_at = asyncio.get_running_loop().time() + limits.seconds_max
    RequestState.of(request.scope).extend_deadline(limits.seconds_max + DEADLINE_SECONDS)
    return _read(request, limits, ends_at, finish_seconds)


async def _read(
    request: Request, limits: UploadLimits, ends_at: float, finish_seconds: float
) -> AsyncIterator[bytes]:
    size = 0
    async for piece in _in_time(request.stream(), limits, ends_at):
        size += len(piece)
        if size > limits.bytes_max:
            raise BodyTooLarge
        yield piece
    RequestState.of(request.scope).extend_deadline(finish_seconds)


async def _in_time(
    pieces: AsyncIterator[bytes], limits: UploadLimits, ends_at: float
) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    patience, waited = limits.pause_seconds, 0.0
    while True:
        began = loop.time()
        if began >= ends_at and waited < limits.seconds_max / 2:
            raise Unavailable("deadline-passed", "It took too long.")
        try:
            async with asyncio.timeout_at(min(began + patience, ends_at)):
                piece = await anext(pieces, None)
        except TimeoutError:
            raise RequestTimeout from None
        if piece is None:
            return
        waited += loop.time() - began
        patience += len(piece) / limits.bytes_per_second_min - (loop.time() - began)
        patience = min(patience, limits.pause_seconds)
        yield piece


async def with_pauses(pieces: AsyncIterator[bytes], pause_seconds: float) -> AsyncGenerator[bytes]:
    """Yield pieces as they come, and an empty one as soon as none has come for `pause_seconds`.

    A task reads on between two pieces, so whoever reads no further must close it (`contextlib.aclosing`).
    """
    coming = asyncio.ensure_future(anext(pieces, None))
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=pause_seconds)
            if not done:
                yield b""
            piece = await coming
            if piece is None:
                return
            coming = asyncio.ensure_future(anext(pieces, None))
            yield piece
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
