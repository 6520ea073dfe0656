"""A TCP proxy before PostgreSQL or a service, for tests: it counts round trips, and fails as a network does."""

import asyncio
from asyncio import StreamReader, StreamWriter, Task
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

CHUNK_BYTES: Final = 65_536
"""What is passed on at once."""

POSTGRES_PORT: Final = 5432
"""Where a server is whose URL names no port; a socket's name ends with it, too."""


@dataclass
class FaultProxy:
    """A place between client and server, where connections that are open and new ones meet the same fate."""

    server_url: str
    """The server in libpq's words: a URL, or `host=… port=…`."""

    round_trips: int = 0
    """Bursts from a client that the server has answered, since the start or since a test set it to 0."""

    delay_seconds: float = 0.0
    """How long each chunk is held back, in each direction."""

    dropped_requests: list[bool] = field(default_factory=list[bool])
    """Which of the next questions get lost on their way, each with its connection: `[False, True]` is the second."""

    dropped_responses: list[bool] = field(default_factory=list[bool])
    """Which of the next answers get lost, to questions that the server has read."""

    port: int = 0
    """Where it listens on 127.0.0.1; chosen when it starts."""

    _flowing: asyncio.Event = field(default_factory=asyncio.Event)
    _connections: set[Task[None]] = field(default_factory=set[Task[None]])
    _listener: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The URL of the database, by way of this proxy."""
        server = conninfo_to_dict(self.server_url)
        return f"postgresql://{server['user']}@127.0.0.1:{self.port}/{quote(str(server['dbname']))}?sslmode=disable"

    def pause(self) -> None:
        """Become a black hole: connections open, and nothing passes."""
        self._flowing.clear()

    def resume(self) -> None:
        """Let pass what was held back, and all that follows."""
        self._flowing.set()

    def close_connections(self) -> None:
        """Close all connections; new ones are welcome."""
        for connection in self._connections:
            connection.cancel()

    async def stop_listening(self) -> None:
        """Take no new connections, and close those that are open."""
        if self._listener:
            self._listener.close()
            self.close_connections()
            await asyncio.gather(*self._connections, return_exceptions=True)
            self._listener = None

    async def start_listening(self) -> None:
        """Take connections, on the same port as before."""
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        connection = asyncio.create_task(self._connect(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _connect(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Serve one connection; that either side goes away is nothing unusual."""
        with suppress(OSError):
            async with _closing(writer):
                await self._flowing.wait()
                server_reader, server_writer = await self._open_server()
                async with _closing(server_writer):
                    await self._exchange(reader, writer, server_reader, server_writer)

    async def _open_server(self) -> tuple[StreamReader, StreamWriter]:
        server = conninfo_to_dict(self.server_url)
        host, port = str(server["host"]), int(server.get("port") or POSTGRES_PORT)
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)

    async def _exchange(
        self,
        reader: StreamReader,
        writer: StreamWriter,
        server_reader: StreamReader,
        server_writer: StreamWriter,
    ) -> None:
        """Pass on both ways until one side leaves."""
        asked = asyncio.Event()
        ways = self._ask(reader, server_writer, asked), self._answer(server_reader, writer, asked)
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(
        self, reader: StreamReader, server_writer: StreamWriter, asked: asyncio.Event
    ) -> None:
        async for chunk in self._chunks(reader):
            if self.dropped_requests and self.dropped_requests.pop(0):
                return
            asked.set()
            server_writer.write(chunk)
            await server_writer.drain()

    async def _answer(
        self, server_reader: StreamReader, writer: StreamWriter, asked: asyncio.Event
    ) -> None:
        """Pass answers on; the first chunk after a question ends a round trip."""
        async for chunk in self._chunks(server_reader):
            if self.dropped_responses and self.dropped_responses.pop(0):
                return
            self.round_trips += asked.is_set()
            asked.clear()
            writer.write(chunk)
            await writer.drain()

    async def _chunks(self, reader: StreamReader) -> AsyncIterator[bytes]:
        while chunk := await reader.read(CHUNK_BYTES):
            await asyncio.sleep(self.delay_seconds)
            await self._flowing.wait()
            yield chunk


@asynccontextmanager
async def _closing(writer: StreamWriter) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        writer.transport.abort()


@asynccontextmanager
async def run_fault_proxy(server_url: str) -> AsyncGenerator[FaultProxy]:
    """Run a proxy before the database of this URL."""
    proxy = FaultProxy(server_url)
    proxy.resume()
    await proxy.start_listening()
    try:
        yield proxy
    finally:
        await proxy.stop_listening()
