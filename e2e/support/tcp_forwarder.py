"""A port of this machine that leads to another address."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import Final

_CHUNK_BYTES: Final = 65536


@dataclass
class TcpForwarder:
    """Forwards each connection unchanged. What ends or fails on one side does so on the other."""

    port: int = 0
    target: tuple[str, int] | None = None
    """Host and port; without a target, connections are closed at once."""

    _connections: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Forward one connection until both directions have ended."""
        connection = asyncio.create_task(self._forward(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)
        with suppress(asyncio.CancelledError):
            await connection

    async def _forward(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            if self.target is None:
                return
            try:
                target_reader, target_writer = await asyncio.open_connection(*self.target)
            except OSError:
                return
            try:
                await asyncio.gather(_copy(reader, target_writer), _copy(target_reader, writer))
            except OSError:
                return
            finally:
                target_writer.close()
        finally:
            writer.close()

    async def start(self) -> asyncio.Server:
        """Listen at a free port of 127.0.0.1."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def stop(self, server: asyncio.Server) -> None:
        """Stop listening, and end what is still open."""
        server.close()
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _copy(reader: StreamReader, writer: StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()
    writer.write_eof()


@contextmanager
def run_tcp_forwarder() -> Generator[TcpForwarder]:
    """Forward until the block ends.

    It has an event loop in a thread of its own: some tests block that of the session while they
    wait for a response.
    """
    forwarder = TcpForwarder()
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        server = asyncio.run_coroutine_threadsafe(forwarder.start(), loop).result()
        try:
            yield forwarder
        finally:
            asyncio.run_coroutine_threadsafe(forwarder.stop(server), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
