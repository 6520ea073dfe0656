"""A key server that can be as sick as a test wants."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from .forge import PUBLISHED, key_set

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def document(body: bytes, status: str = "200 OK", headers: str = "") -> Answer:
    """Answer with this body."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    return answer


async def nothing(_: asyncio.StreamWriter) -> None:
    """Hang up without a word."""


async def garbage(writer: asyncio.StreamWriter) -> None:
    """Answer something that is no HTTP."""
    writer.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
    await writer.drain()


async def never(_: asyncio.StreamWriter) -> None:
    """Keep the client waiting for longer than it waits."""
    await asyncio.sleep(60)


async def drip(writer: asyncio.StreamWriter) -> None:
    """Send a byte now and then, so that no single read takes long."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(600):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.1)


class KeyServer:
    """Counts its requests, keeps their heads, and answers as it is told."""

    def __init__(self) -> None:
        self.answer: Answer = document(key_set(*(signer.jwk() for signer in PUBLISHED)))
        self.requests: list[bytes] = []
        self.asked = asyncio.Event()
        self.address = ""
        self._busy: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["KeyServer"]:
        """Listen on a free port of the loopback."""
        server = await asyncio.start_server(self._converse, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/auth/jwks"
        try:
            yield self
        finally:
            server.close()
            for task in self._busy:
                task.cancel()
            await asyncio.gather(*self._busy, return_exceptions=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task:
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            self.asked.set()
            await self.answer(writer)
        except (ConnectionError, EOFError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            writer.close()
