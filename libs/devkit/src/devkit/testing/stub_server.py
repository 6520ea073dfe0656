"""A server that responds byte for byte as a test says, and keeps the requests it received."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True)
class ReceivedRequest:
    """The head of a request; the body is still to be read."""

    line: str
    """The request line."""

    headers: list[tuple[str, str]]
    reader: asyncio.StreamReader
    connection_number: int
    """Number of the connection since the start of the server, from 1."""

    def header_values(self, lower_case_name: str) -> list[str]:
        """Return all values of a header."""
        return [value for name, value in self.headers if name.lower() == lower_case_name]

    async def body(self) -> bytes:
        """Read the body."""
        if self.header_values("transfer-encoding") == ["chunked"]:
            return await self._chunked_body()
        content_length = "".join(self.header_values("content-length"))
        return await self.reader.readexactly(int(content_length or 0))

    async def _chunked_body(self) -> bytes:
        body = b""
        while size := int(await self.reader.readuntil(b"\n"), 16):
            body += await self.reader.readexactly(size)
            await self.reader.readline()
        await self.reader.readline()
        return body


Behaviour = Callable[[ReceivedRequest, asyncio.StreamWriter], Awaitable[None]]
"""Responds to a request, or does not."""


def respond_with(*blocks: bytes) -> Behaviour:
    """Return a behaviour that reads the whole request, then sends these bytes, one write each."""

    async def behave(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        await request.body()
        for block in blocks:
            writer.write(block)
            await writer.drain()

    return behave


def json_response(body: bytes = b"{}", status: str = "200 OK", headers: str = "") -> bytes:
    """Return the bytes of a response.

    Args:
        body: JSON text.
        status: Status code and reason phrase.
        headers: Further header lines, each with its line end.
    """
    head = (
        f"HTTP/1.1 {status}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"{headers}\r\n"
    )
    return head.encode() + body


SERVICE_UNAVAILABLE = json_response(status="503 Service Unavailable")
"""The response to `/healthz`: an edge that looks for a server of error pages finds none here."""


async def close_without_response(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
    """Read the request and close the connection."""
    await request.body()
    writer.close()


async def never_respond(request: ReceivedRequest, _: asyncio.StreamWriter) -> None:
    """Read the request and do nothing until the client closes the connection."""
    await request.body()
    await request.reader.readexactly(1)


class StubServer:
    """An HTTP server on 127.0.0.1 in the place of a service.

    Attributes:
        port: Port of the server, the same after each start.
        behaviour: How requests are responded to.
        requests: Received requests, without those for `/healthz` and `/readyz`.
        request_received: Set at each of these requests.
        connection_closed: Set when a client closes a connection.
    """

    def __init__(self) -> None:
        self.port = 0
        self.request_received = asyncio.Event()
        self.connection_closed = asyncio.Event()
        self.reset()
        self._connection_count = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def reset(self) -> None:
        """Respond with an empty JSON object again, and forget what was received."""
        self.behaviour: Behaviour = respond_with(json_response())
        self.requests: list[ReceivedRequest] = []
        self.request_received.clear()
        self.connection_closed.clear()

    async def start(self) -> None:
        """Accept connections, always on the same port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Accept no more connections, and close those that are open."""
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._connection_count += 1
        connection_number = self._connection_count
        try:
            while not writer.is_closing():
                request = await _read_head(reader, connection_number)
                await self._respond(request, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            self.connection_closed.set()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _respond(self, request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        if request.line == "GET /healthz HTTP/1.1":
            await respond_with(SERVICE_UNAVAILABLE)(request, writer)
            return
        if request.line != "GET /readyz HTTP/1.1":
            self.requests.append(request)
            self.request_received.set()
        await self.behaviour(request, writer)


async def _read_head(reader: asyncio.StreamReader, connection_number: int) -> ReceivedRequest:
    head = await reader.readuntil(b"\r\n\r\n")
    request_line, *header_lines = head.decode("latin-1").splitlines()
    headers: list[tuple[str, str]] = []
    for line in header_lines:
        if line:
            name, _, value = line.partition(": ")
            headers.append((name, value))
    return ReceivedRequest(request_line, headers, reader, connection_number)
