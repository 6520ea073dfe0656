"""The attacker's HTTP client: sends raw bytes, also those that a proper client would not send."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

BLOCK_BYTES: Final = 65_536
"""How much is read or written at a time."""

SLOW_BYTES_PER_SECOND: Final = 1_024
"""How much a slow client reads."""

CONNECTIONS_MAX: Final = 1_500
"""Open connections of an attacker; requests beyond that are not sent."""

ReadResponse = Callable[[asyncio.StreamReader], Awaitable[None]]
"""Reads the rest of a response, after its status line."""

Write = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Writes to a connection while its response is read."""


@dataclass(frozen=True)
class Request:
    """A request without its `Authorization` header."""

    method: str
    target: str
    body: bytes = b""
    headers: tuple[str, ...] = ("Content-Type: application/json",)
    """Header lines without line ends."""

    def encode(self, authorization: str, *, announced_bytes: int | None = None) -> bytes:
        """Return the bytes of the request, with `Connection: close`.

        Args:
            authorization: Value of the `Authorization` header.
            announced_bytes: Value of `Content-Length`; None for the length of the body.
        """
        if announced_bytes is None:
            announced_bytes = len(self.body)
        lines = [
            f"{self.method} {self.target} HTTP/1.1",
            "Host: platform.example",
            f"Authorization: {authorization}",
            "Connection: close",
            f"Content-Length: {announced_bytes}",
        ]
        lines.extend(self.headers)
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


def get(target: str) -> Request:
    """Return a GET request."""
    return Request("GET", target)


def post(target: str, body: object) -> Request:
    """Return a POST request with a JSON body."""
    return Request("POST", target, json.dumps(body, ensure_ascii=False).encode())


async def read_all(reader: asyncio.StreamReader) -> None:
    """Read as fast as possible."""
    while await reader.read(BLOCK_BYTES):
        pass


async def read_slowly(reader: asyncio.StreamReader) -> None:
    """Read `SLOW_BYTES_PER_SECOND`."""
    while True:
        block = await reader.read(SLOW_BYTES_PER_SECOND)
        if not block:
            return
        await asyncio.sleep(1)


@dataclass
class Attacker:
    """A user who attacks the platform, and the outcomes of their requests."""

    port: int
    """Port of the platform's public URL."""

    tasks_port: int
    """Port of the tasks service."""

    owner_id: UUID
    task_ids: list[UUID]
    authorization: str
    """Value of the `Authorization` header."""

    address: str | None
    """IP address that connections come from; None leaves it to the system."""

    outcomes: Counter[str] = field(default_factory=Counter[str])
    """Number of responses by status; `cut` counts connections that broke."""

    _open_connections: int = 0

    async def send(self, request: Request, read_response: ReadResponse = read_all) -> None:
        """Send a request on a connection of its own and read the response."""
        await self.send_bytes(request.encode(self.authorization), read_response)

    async def send_bytes(self, data: bytes, read_response: ReadResponse = read_all) -> None:
        """Send bytes on a connection of their own and read the response."""

        async def write(writer: asyncio.StreamWriter) -> None:
            writer.write(data)
            await writer.drain()

        await self.connect(write, read_response)

    async def connect(
        self, write: Write, read_response: ReadResponse = read_all, *, port: int | None = None
    ) -> None:
        """Open a connection, write and read at the same time, and count the outcome.

        Args:
            write: Writes the request.
            read_response: Reads the response after its status line.
            port: None for the public one.
        """
        if self._open_connections >= CONNECTIONS_MAX:
            self.outcomes["not sent"] += 1
            return
        self._open_connections += 1
        try:
            await self._write_and_read(write, read_response, port or self.port)
        except (OSError, asyncio.IncompleteReadError):
            self.outcomes["cut"] += 1
        finally:
            self._open_connections -= 1

    async def _write_and_read(self, write: Write, read_response: ReadResponse, port: int) -> None:
        local_address = None
        if self.address:
            local_address = (self.address, 0)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, local_addr=local_address, limit=BLOCK_BYTES
        )
        writing = asyncio.ensure_future(write(writer))
        try:
            await self._read(reader, read_response)
        finally:
            writing.cancel()
            with suppress(OSError, asyncio.CancelledError):
                await writing
            writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader, read_response: ReadResponse) -> None:
        status_line = await reader.readline()
        _version, _, rest = status_line.decode("latin-1").partition(" ")
        if not rest:
            self.outcomes["cut"] += 1
            return
        status, _, _phrase = rest.partition(" ")
        self.outcomes[status] += 1
        await read_response(reader)
