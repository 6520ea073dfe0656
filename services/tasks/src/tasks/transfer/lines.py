"""Splitting an uploaded byte stream into numbered lines."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from typing import Final, NamedTuple

from common.ndjson import is_blank
from common.validation import BODY_MAX_BYTES

FIRST_LINE: Final = 2
"""The number of the first line here: line 1, the profile, stays in the users service."""

BLANK_LINES_AT_ONCE: Final = 2_000
"""Blank lines that are skipped without a pause, in about a millisecond."""


class Line(NamedTuple):
    """One line of an import as it was sent, and its number in the file."""

    number: int
    text: bytes


async def split_lines(chunks: AsyncIterable[bytes]) -> AsyncIterator[Line | None]:
    """Yield the lines of a stream, holding no more in memory than one chunk and one line.

    Blank lines are counted, but not yielded. An empty chunk means that the client pauses, and is
    yielded as None. A line longer than `BODY_MAX_BYTES` is the last one that is read.
    """
    number = FIRST_LINE
    async for text in _split(chunks):
        if text is None:
            yield None
            continue
        is_skipped = is_blank(text) and len(text) <= BODY_MAX_BYTES
        if not is_skipped:
            yield Line(number, text)
        elif number % BLANK_LINES_AT_ONCE == 0:
            await asyncio.sleep(0)  # let other requests run
        number += 1


async def _split(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes | None]:
    rest = bytearray()
    async for chunk in chunks:
        if not chunk:
            yield None
        head, line_feed, tail = chunk.rpartition(b"\n")
        if line_feed:
            for text in (rest + head).split(b"\n"):
                yield bytes(text)
            rest.clear()
        rest += tail
        if len(rest) > BODY_MAX_BYTES:
            break
    if rest:
        yield bytes(rest)
