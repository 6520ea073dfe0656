"""A key server that can be as sick as a test wants."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from .token_factory import ES256, HS256, PUBLISHED, STRANGER, key_set

Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]


def document(body: bytes, status: str = "200 OK", headers: str = "") -> Respond:
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


def after(seconds: float, answer: Respond) -> Respond:
    """Answer later."""

    async def answer_later(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await answer(writer)

    return answer_later


def once(event: asyncio.Event, answer: Respond) -> Respond:
    """Answer when a test says so."""

    async def answer_then(writer: asyncio.StreamWriter) -> None:
        await event.wait()
        await answer(writer)

    return answer_then


async def headers_without_end(writer: asyncio.StreamWriter) -> None:
    """Send header after header, as fast as they are taken."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(1000)))
        await writer.drain()


async def drip(writer: asyncio.StreamWriter) -> None:
    """Send a byte now and then, so that no single read takes long."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(600):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.1)


FAILURES: Final[dict[str, Respond]] = {
    "500": document(key_set(STRANGER.jwk()), "500 Internal Server Error"),
    "404": document(key_set(STRANGER.jwk()), "404 Not Found"),
    "204": document(b"", "204 No Content"),
    "redirect": document(b"", "302 Found", "Location: /api/auth/jwks\r\n"),
    "redirect with keys": document(
        key_set(STRANGER.jwk()), "301 Moved Permanently", "Location: /\r\n"
    ),
    "hung up": nothing,
    "no HTTP": garbage,
    "header without end": document(b"", headers="X: " + "x" * 200_000 + "\r\n"),
    "body cut off": document(b"", headers="Content-Length: 50\r\n"),
    "nothing": document(b""),
    "no JSON": document(b"<html>"),
    "no UTF-8": document(b"\xff\xfe{}"),
    "compressed": document(b"\x1f\x8b\x08\x00", headers="Content-Encoding: gzip\r\n"),
    "10 MB": document(key_set(STRANGER.jwk()) + b" " * 10_000_000),
    "one byte too long": document(key_set(STRANGER.jwk()).ljust(65_537)),
    "200,000 deep": document(b"[" * 200_000),
    "deep within the limit": document(b'{"keys":' + b"[" * 30_000 + b"]" * 30_000 + b"}"),
    "array": document(json.dumps([STRANGER.jwk()]).encode()),
    "keys is null": document(b'{"keys":null}'),
    "keys is an object": document(json.dumps({"keys": STRANGER.jwk()}).encode()),
    "keys are texts": document(b'{"keys":["a",1,null,[],true]}'),
    "keys twice": document(b'{"keys":[],' + key_set(STRANGER.jwk())[1:]),
    "not a number": document(key_set(STRANGER.jwk())[:-1] + b',"a":NaN}'),
    "empty set": document(key_set()),
    "65 keys": document(key_set(*(STRANGER.jwk(kid=str(n)) for n in range(65)))),
    "oct": document(key_set(HS256.jwk(kid="key-eddsa"))),
    "private key": document(key_set(STRANGER.jwk(d="A" * 43))),
    "one name twice": document(key_set(STRANGER.jwk(), ES256.jwk(kid=STRANGER.key_id))),
}
"""Every answer that is not a key set, by what is wrong with it."""


class KeyServer:
    """Counts its requests, keeps their heads, and answers as it is told."""

    def __init__(self) -> None:
        self.respond: Respond = document(key_set(*(signer.jwk() for signer in PUBLISHED)))
        self.requests: list[bytes] = []
        self.requested = asyncio.Event()
        self.url = ""
        self._busy: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncGenerator["KeyServer"]:
        """Listen on a free port of the loopback."""
        server = await asyncio.start_server(self._converse, "127.0.0.1", 0, ssl=tls)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/auth/jwks"
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
            self.requested.set()
            await self.respond(writer)
        except (ConnectionError, EOFError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            writer.close()
