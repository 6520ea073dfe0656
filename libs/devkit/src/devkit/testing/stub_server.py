"""A service that answers byte for byte as a test says, and keeps what it was asked."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass


@dataclass
class ReceivedRequest:
    """A request as it came over the wire; the body is still to be read."""

    line: str
    headers: list[tuple[str, str]]
    reader: asyncio.StreamReader
    connection_number: int

    def header_values(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [value for found, value in self.headers if found.lower() == name]

    async def body(self) -> bytes:
        """Read the body to its end."""
        if self.header_values("transfer-encoding") == ["chunked"]:
            body = b""
            while size := int(await self.reader.readuntil(b"\n"), 16):
                body += await self.reader.readexactly(size)
                await self.reader.readline()
            await self.reader.readline()
            return body
        return await self.reader.readexactly(
            int("".join(self.header_values("content-length")) or 0)
        )


Behaviour = Callable[[ReceivedRequest, asyncio.StreamWriter], Awaitable[None]]


def respond_with(*pieces: bytes) -> Behaviour:
    """Read the request whole, then send these bytes, one write each."""

    async def behave(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        await request.body()
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return behave


def json_response(body: bytes = b"{}", status: str = "200 OK", headers: str = "") -> bytes:
    """Write an answer with this body."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


SERVICE_UNAVAILABLE = json_response(status="503 Service Unavailable")
"""Said to an edge that looks for somebody who has its error pages."""


async def close_without_response(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
    """Read the request, and close without a word."""
    await request.body()
    writer.close()


async def never_respond(request: ReceivedRequest, _: asyncio.StreamWriter) -> None:
    """Read the request, and say nothing until the connection is gone."""
    await request.body()
    await request.reader.readexactly(1)


class StubServer:
    """Stands where a service would."""

    def __init__(self) -> None:
        self.port = 0
        self.request_received, self.connection_closed = asyncio.Event(), asyncio.Event()
        self.reset()
        self._open = 0
        self._server: asyncio.Server | None = None
        self._busy: set[asyncio.Task[None]] = set()

    def reset(self) -> None:
        """Be an ordinary service again."""
        self.behaviour: Behaviour = respond_with(json_response())
        self.requests: list[ReceivedRequest] = []
        self.request_received.clear()
        self.connection_closed.clear()

    async def start(self) -> None:
        """Accept connections, always on the same port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Go away, with every connection."""
        if self._server:
            self._server.close()
        for task in self._busy:
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task:
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)
        self._open += 1
        connection = self._open
        try:
            while not writer.is_closing():
                await self._answer_one(reader, writer, connection)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            self.connection_closed.set()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer_one(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int
    ) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
        pairs = [line.partition(": ") for line in head[1:] if line]
        request = ReceivedRequest(
            head[0], [(name, value) for name, _, value in pairs], reader, connection
        )
        if request.line == "GET /healthz HTTP/1.1":
            await respond_with(SERVICE_UNAVAILABLE)(request, writer)
            return
        if request.line != "GET /readyz HTTP/1.1":
            self.requests.append(request)
            self.request_received.set()
        await self.behaviour(request, writer)
