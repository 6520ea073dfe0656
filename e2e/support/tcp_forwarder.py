"""A port of this machine that leads to another address."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
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

    def close_connections(self) -> None:
        """End what is still open."""
        for connection in self._connections:
            connection.cancel()


async def _copy(reader: StreamReader, writer: StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()
    writer.write_eof()


@asynccontextmanager
async def run_tcp_forwarder() -> AsyncGenerator[TcpForwarder]:
    """Listen at a free port of 127.0.0.1 until the block ends."""
    forwarder = TcpForwarder()
    server = await asyncio.start_server(forwarder.serve, "127.0.0.1", 0)
    forwarder.port = server.sockets[0].getsockname()[1]
    try:
        yield forwarder
    finally:
        server.close()
        forwarder.close_connections()
