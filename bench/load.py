"""Clients that send one request after the other, each over a connection that stays open."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from devkit.platform.errors import CannotRunError

CLIENTS: Final = 16
"""Clients at the same time."""

_CONTENT_LENGTH: Final = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)

Script = Callable[[bytes], bytes]
"""Returns the next request of a client, given the response to the one before."""


async def send_requests(url: str, scripts: Sequence[Script], count: int) -> list[float]:
    """Send requests with one client for each script; return the seconds that each took.

    Args:
        url: Base URL of the server.
        scripts: Clients.
        count: Requests of all clients together.

    Raises:
        CannotRunError: The status of a response was not 2xx.
    """
    host, _, port = url.removeprefix("http://").partition(":")
    durations: list[float] = []
    remaining = iter(range(count))
    clients = [_run_client(host, int(port), script, remaining, durations) for script in scripts]
    await asyncio.gather(*clients)
    return durations


async def _run_client(
    host: str, port: int, script: Script, remaining: Iterator[int], durations: list[float]
) -> None:
    """Send requests until no client has any left to send."""
    reader, writer = await asyncio.open_connection(host, port)
    response = b""
    for _ in remaining:
        request = script(response)
        started_at = time.perf_counter()
        writer.write(request)
        response = await _read_response(reader)
        durations.append(time.perf_counter() - started_at)
    writer.close()


async def _read_response(reader: asyncio.StreamReader) -> bytes:
    """Return the body of a response."""
    head = await reader.readuntil(b"\r\n\r\n")
    content_length = _CONTENT_LENGTH.search(head)
    body = b""
    if content_length:
        body = await reader.readexactly(int(content_length[1]))
    if not head.startswith(b"HTTP/1.1 2"):
        raise CannotRunError(f"A request failed: {head.decode()}{body.decode()}")
    return body
