"""A TCP proxy for tests that counts round trips and simulates network failures."""

import asyncio
from asyncio import StreamReader, StreamWriter, Task
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

CHUNK_BYTES: Final = 65_536
"""Bytes that are read and forwarded at once."""

POSTGRES_PORT: Final = 5432
"""Port of a server whose URL names none; also the end of the name of a Unix socket."""


@dataclass
class Suspension:
    """A server that sleeps, perhaps behind several proxies, until a connection wakes it."""

    wake_seconds: float
    """How long it takes to wake up; all connections wait for that."""

    _awake_at: float | None = None

    async def wake(self) -> None:
        """Wake the server, and wait until it is awake."""
        now = asyncio.get_running_loop().time()
        if self._awake_at is None:
            self._awake_at = now + self.wake_seconds
        await asyncio.sleep(self._awake_at - now)


@dataclass
class FaultProxy:
    """A proxy whose settings apply to open and to new connections alike."""

    server_url: str
    """The server as libpq spells it: a URL, or `host=... port=...`."""

    pooled_url: str | None = None
    """Where it forwards to if that is a pooler in front of the server."""

    round_trips: int = 0
    """Requests that the server has responded to, since the start or since a test set it to 0.

    Consecutive chunks from a client count as one request.
    """

    delay_seconds: float = 0.0
    """How long each chunk is held back, in each direction."""

    dropped_requests: list[bool] = field(default_factory=list[bool])
    """Which of the next requests are dropped, with their connection, such as `[False, True]`."""

    dropped_responses: list[bool] = field(default_factory=list[bool])
    """Which of the next responses are dropped; the server has read their requests."""

    suspension: Suspension | None = None
    """What new connections wait for before they reach the server."""

    on_request: Callable[[bytes], None] | None = None
    """Called with each chunk from a client, before it is forwarded."""

    port: int = 0
    """Port on 127.0.0.1; chosen at the start."""

    _forwarding: asyncio.Event = field(default_factory=asyncio.Event)
    _connections: set[Task[None]] = field(default_factory=set[Task[None]])
    _listener: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The URL of the database through this proxy."""
        server = conninfo_to_dict(self.server_url)
        database = quote(str(server["dbname"]))
        return f"postgresql://{server['user']}@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def pause(self) -> None:
        """Forward nothing; connections can be opened and stay open."""
        self._forwarding.clear()

    def resume(self) -> None:
        """Forward what was held back and everything after it."""
        self._forwarding.set()

    def close_connections(self) -> None:
        """Close all connections; new ones are accepted."""
        for connection in self._connections:
            connection.cancel()

    async def stop_listening(self) -> None:
        """Accept no new connections, and close those that are open."""
        if self._listener:
            self._listener.close()
            self.close_connections()
            await asyncio.gather(*self._connections, return_exceptions=True)
            self._listener = None

    async def start_listening(self) -> None:
        """Accept connections, on the same port as before."""
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        connection = asyncio.create_task(self._handle_connection(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _handle_connection(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Forward one connection; that either side closes it is normal."""
        with suppress(OSError):
            async with _closing(writer):
                await self._forwarding.wait()
                if self.suspension is not None:
                    await self.suspension.wake()
                server_reader, server_writer = await self._open_server_connection()
                async with _closing(server_writer):
                    request_sent = asyncio.Event()
                    await _until_first_ends(
                        self._forward_requests(reader, server_writer, request_sent),
                        self._forward_responses(server_reader, writer, request_sent),
                    )

    async def _open_server_connection(self) -> tuple[StreamReader, StreamWriter]:
        server = conninfo_to_dict(self.pooled_url or self.server_url)
        host = str(server["host"])
        port = int(server.get("port") or POSTGRES_PORT)
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)

    async def _forward_requests(
        self, reader: StreamReader, server_writer: StreamWriter, request_sent: asyncio.Event
    ) -> None:
        async for chunk in self._read_chunks(reader):
            if self.on_request is not None:
                self.on_request(chunk)
            if self.dropped_requests and self.dropped_requests.pop(0):
                return
            request_sent.set()
            server_writer.write(chunk)
            await server_writer.drain()

    async def _forward_responses(
        self, server_reader: StreamReader, writer: StreamWriter, request_sent: asyncio.Event
    ) -> None:
        """Forward responses; the first chunk after a request ends a round trip."""
        async for chunk in self._read_chunks(server_reader):
            if self.dropped_responses and self.dropped_responses.pop(0):
                return
            if request_sent.is_set():
                self.round_trips += 1
                request_sent.clear()
            writer.write(chunk)
            await writer.drain()

    async def _read_chunks(self, reader: StreamReader) -> AsyncIterator[bytes]:
        while chunk := await reader.read(CHUNK_BYTES):
            await asyncio.sleep(self.delay_seconds)
            await self._forwarding.wait()
            yield chunk


async def _until_first_ends(*directions: Coroutine[None, None, None]) -> None:
    tasks = [asyncio.create_task(direction) for direction in directions]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _closing(writer: StreamWriter) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        writer.transport.abort()


@asynccontextmanager
async def run_fault_proxy(
    server_url: str, pooled_url: str | None = None
) -> AsyncGenerator[FaultProxy]:
    """Run a proxy in front of the server of this URL, or of the pooler in front of that."""
    proxy = FaultProxy(server_url, pooled_url)
    proxy.resume()
    await proxy.start_listening()
    try:
        yield proxy
    finally:
        await proxy.stop_listening()
