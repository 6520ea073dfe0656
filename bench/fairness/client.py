"""The attacker's HTTP client: raw bytes over sockets, so that it can also send what a proper client would not."""

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

SLOW_BYTES: Final = 1_024
"""How much a slow reader reads in a second."""

CONNECTIONS_MAX: Final = 1_500
"""Requests that one attacker has open at a time; what would be more is not sent."""

Read = Callable[[asyncio.StreamReader], Awaitable[None]]
"""What is done with the rest of a response, once its status is known."""


@dataclass(frozen=True)
class Request:
    """A request without what tells who sends it."""

    method: str
    target: str
    body: bytes = b""
    headers: tuple[str, ...] = ("Content-Type: application/json",)
    """Header lines."""

    def encode(self, authorization: str, *, announced_bytes: int | None = None) -> bytes:
        """Return it as it is sent; the connection ends with its response."""
        length = len(self.body) if announced_bytes is None else announced_bytes
        lines = [
            f"{self.method} {self.target} HTTP/1.1",
            "Host: platform.example",
            f"Authorization: {authorization}",
            "Connection: close",
            f"Content-Length: {length}",
        ]
        lines.extend(self.headers)
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


def get(target: str) -> Request:
    """Make a request that reads."""
    return Request("GET", target)


def post(target: str, body: object) -> Request:
    """Make a request that creates something."""
    return Request("POST", target, json.dumps(body, ensure_ascii=False).encode())


async def read_all(reader: asyncio.StreamReader) -> None:
    """Read as fast as possible, and keep nothing."""
    while await reader.read(BLOCK_BYTES):
        pass


async def read_slowly(reader: asyncio.StreamReader) -> None:
    """Read a little in each second."""
    while True:
        if not await reader.read(SLOW_BYTES):
            return
        await asyncio.sleep(1)


@dataclass
class Attacker:
    """One user who means no good, and what became of their requests."""

    port: int
    """Of the one URL."""

    tasks_port: int
    """The tasks service's own."""

    owner_id: UUID
    task_ids: list[UUID]
    authorization: str
    address: str | None
    """Where the requests come from; None leaves it to the system."""

    outcomes: Counter[str] = field(default_factory=Counter[str])
    """How often each status was received; `cut` stands for a connection that broke."""

    _open: int = 0

    async def send(self, request: Request, read: Read = read_all) -> None:
        """Send a request on a connection of its own and read the response."""
        await self.send_bytes(request.encode(self.authorization), read)

    async def send_bytes(self, data: bytes, read: Read = read_all) -> None:
        """Send these bytes and read the response."""

        async def write(writer: asyncio.StreamWriter) -> None:
            writer.write(data)
            await writer.drain()

        await self.converse(write, read)

    async def converse(
        self,
        write: Callable[[asyncio.StreamWriter], Awaitable[None]],
        read: Read = read_all,
        *,
        port: int | None = None,
    ) -> None:
        """Open a connection, write, and read at the same time; a broken connection is an outcome, not an error."""
        if self._open >= CONNECTIONS_MAX:
            self.outcomes["not sent"] += 1
            return
        self._open += 1
        try:
            await self._converse(write, read, port or self.port)
        except (OSError, asyncio.IncompleteReadError):
            self.outcomes["cut"] += 1
        finally:
            self._open -= 1

    async def _converse(
        self, write: Callable[[asyncio.StreamWriter], Awaitable[None]], read: Read, port: int
    ) -> None:
        local = (self.address, 0) if self.address else None
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, local_addr=local, limit=BLOCK_BYTES
        )
        writing = asyncio.ensure_future(write(writer))
        try:
            await self._read(reader, read)
        finally:
            writing.cancel()
            with suppress(OSError, asyncio.CancelledError):
                await writing
            writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader, read: Read) -> None:
        line = await reader.readline()
        _version, _, rest = line.decode("latin-1").partition(" ")
        if not rest:
            self.outcomes["cut"] += 1
            return
        status, _, _phrase = rest.partition(" ")
        self.outcomes[status] += 1
        await read(reader)
