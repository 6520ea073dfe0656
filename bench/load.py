"""Clients that ask one thing after the other, each over a connection that is kept."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from typing import Final

from devkit.platform.errors import CannotRunError

CLIENTS: Final = 16
"""How many ask at once."""

_LENGTH: Final = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)

Script = Callable[[bytes], bytes]
"""What a client asks next, after this answer."""


async def ask(url: str, scripts: Sequence[Script], count: int) -> list[float]:
    """Ask so many times together, a client for each script; return how many seconds each answer took.

    Raises:
        CannotRunError: An answer was a refusal.
    """
    host, _, port = url.removeprefix("http://").partition(":")
    took, left = list[float](), iter(range(count))

    async def go_on(script: Script) -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        answer = b""
        for _ in left:
            request, began = script(answer), time.perf_counter()
            writer.write(request)
            answer = await _answer(reader)
            took.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*map(go_on, scripts))
    return took


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    body = await reader.readexactly(int(length[1])) if length else b""
    if not head.startswith(b"HTTP/1.1 2"):
        raise CannotRunError(f"It was refused: {head.decode()}{body.decode()}")
    return body
