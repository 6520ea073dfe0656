"""A key server whose responses a test chooses."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from .token_factory import ES256, HS256, PUBLISHED, STRANGER, Json, Signer, key_set, key_set_of

Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]


def respond_with(body: bytes, status: str = "200 OK", headers: str = "") -> Respond:
    """Send this response."""

    async def respond(writer: asyncio.StreamWriter) -> None:
        length = f"Content-Length: {len(body)}\r\n"
        head = f"HTTP/1.1 {status}\r\n{length}Connection: close\r\n{headers}\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    return respond


async def close_without_response(_: asyncio.StreamWriter) -> None:
    """Close the connection at once."""


async def respond_with_garbage(writer: asyncio.StreamWriter) -> None:
    """Send something that is not HTTP."""
    writer.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
    await writer.drain()


async def never_respond(_: asyncio.StreamWriter) -> None:
    """Outlast the timeout of every client."""
    await asyncio.sleep(60)


def respond_after(seconds: float, respond: Respond) -> Respond:
    """Respond after a pause."""

    async def respond_later(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await respond(writer)

    return respond_later


def respond_when(event: asyncio.Event, respond: Respond) -> Respond:
    """Respond when the test sets the event."""

    async def respond_later(writer: asyncio.StreamWriter) -> None:
        await event.wait()
        await respond(writer)

    return respond_later


async def send_endless_headers(writer: asyncio.StreamWriter) -> None:
    """Send header after header, as fast as they are read."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(1000)))
        await writer.drain()


async def send_body_slowly(writer: asyncio.StreamWriter) -> None:
    """Send a byte from time to time, so that no single read takes long."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(600):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.1)


def numbered_keys(signer: Signer, count: int) -> list[Json]:
    """Make JWKs that differ in their key ids only: "0", "1" and so on."""
    return [signer.jwk(kid=str(number)) for number in range(count)]


INVALID_RESPONSES: Final[dict[str, Respond]] = {
    "500": respond_with(key_set(STRANGER.jwk()), "500 Internal Server Error"),
    "404": respond_with(key_set(STRANGER.jwk()), "404 Not Found"),
    "204": respond_with(b"", "204 No Content"),
    "redirect": respond_with(b"", "302 Found", "Location: /api/auth/jwks\r\n"),
    "redirect with keys": respond_with(
        key_set(STRANGER.jwk()), "301 Moved Permanently", "Location: /\r\n"
    ),
    "hung up": close_without_response,
    "no HTTP": respond_with_garbage,
    "header without end": respond_with(b"", headers="X: " + "x" * 200_000 + "\r\n"),
    "body cut off": respond_with(b"", headers="Content-Length: 50\r\n"),
    "nothing": respond_with(b""),
    "no JSON": respond_with(b"<html>"),
    "no UTF-8": respond_with(b"\xff\xfe{}"),
    "compressed": respond_with(b"\x1f\x8b\x08\x00", headers="Content-Encoding: gzip\r\n"),
    "10 MB": respond_with(key_set(STRANGER.jwk()) + b" " * 10_000_000),
    "one byte too long": respond_with(key_set(STRANGER.jwk()).ljust(65_537)),
    "200,000 deep": respond_with(b"[" * 200_000),
    "deep within the limit": respond_with(b'{"keys":' + b"[" * 30_000 + b"]" * 30_000 + b"}"),
    "array": respond_with(json.dumps([STRANGER.jwk()]).encode()),
    "keys is null": respond_with(b'{"keys":null}'),
    "keys is an object": respond_with(json.dumps({"keys": STRANGER.jwk()}).encode()),
    "keys are texts": respond_with(b'{"keys":["a",1,null,[],true]}'),
    "keys twice": respond_with(b'{"keys":[],' + key_set(STRANGER.jwk())[1:]),
    "not a number": respond_with(key_set(STRANGER.jwk())[:-1] + b',"a":NaN}'),
    "empty set": respond_with(key_set()),
    "65 keys": respond_with(key_set_of(numbered_keys(STRANGER, 65))),
    "oct": respond_with(key_set(HS256.jwk(kid="key-eddsa"))),
    "private key": respond_with(key_set(STRANGER.jwk(d="A" * 43))),
    "one name twice": respond_with(key_set(STRANGER.jwk(), ES256.jwk(kid=STRANGER.key_id))),
}
"""Responses that are no key set, by what is wrong with them."""


class KeyServer:
    """Records the heads of its requests, and sends the response that a test sets."""

    def __init__(self) -> None:
        published_keys = [signer.jwk() for signer in PUBLISHED]
        self.respond: Respond = respond_with(key_set_of(published_keys))
        self.requests: list[bytes] = []
        self.requested = asyncio.Event()
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncGenerator["KeyServer"]:
        """Listen on a free port of the loopback."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        scheme = "https" if tls else "http"
        port = server.sockets[0].getsockname()[1]
        self.url = f"{scheme}://127.0.0.1:{port}/api/auth/jwks"
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            self.requested.set()
            await self.respond(writer)
        except (ConnectionError, EOFError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            writer.close()
