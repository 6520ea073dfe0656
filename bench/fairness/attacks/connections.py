"""What is sent before a request is understood: heads, frames of bodies, tokens, and connections themselves."""

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.fairness.attack import Attack, Run, repeat
from bench.fairness.client import Attacker, Request, get

FLOOD_BYTES: Final = 200_000_000
"""How much one flood sends at most."""

_START: Final = b"GET /tasks HTTP/1.1\r\nHost: platform.example\r\n"
_CHUNKED: Final = b"POST /tasks HTTP/1.1\r\nHost: platform.example\r\nTransfer-Encoding: chunked\r\nAuthorization: "
_LINE: Final = b"X-Filler: " + b"x" * 4_000 + b"\r\n"


def _stream(
    count: int, start: Callable[[Attacker], bytes], piece: bytes, *, at_service: bool = False
) -> Run:
    """On so many connections, send a start and then the same piece, 200 MB of it unless the server closes."""

    async def send(attacker: Attacker) -> None:
        async def write(writer: asyncio.StreamWriter) -> None:
            writer.write(start(attacker))
            for _ in range(FLOOD_BYTES // len(piece)):
                writer.write(piece)
                await writer.drain()

        while True:
            await attacker.converse(write, port=attacker.tasks_port if at_service else None)
            await asyncio.sleep(0.5)

    async def run(attacker: Attacker) -> None:
        await asyncio.gather(*(send(attacker) for _ in range(count)))

    return run


def _headers(_: Attacker) -> bytes:
    return _START


def _endless_header(_: Attacker) -> bytes:
    return _START + b"X-Filler: "


def _endless_url(_: Attacker) -> bytes:
    return b"GET /tasks?q="


def _chunk_extension(attacker: Attacker) -> bytes:
    return _CHUNKED + attacker.authorization.encode() + b"\r\n\r\n1;x="


def _chunks(attacker: Attacker) -> bytes:
    return _CHUNKED + attacker.authorization.encode() + b"\r\n\r\n"


def _trailers(attacker: Attacker) -> bytes:
    return _CHUNKED + attacker.authorization.encode() + b"\r\n\r\n2\r\n{}\r\n0\r\n"


def _hold(count: int, start: bytes, pause_seconds: float, piece: bytes) -> Run:
    """Open so many connections, and send a small piece on each after every pause."""

    async def hold(attacker: Attacker) -> None:
        async def write(writer: asyncio.StreamWriter) -> None:
            writer.write(start)
            while True:
                await asyncio.sleep(pause_seconds)
                writer.write(piece)
                await writer.drain()

        while True:
            await attacker.converse(write)
            await asyncio.sleep(0.5)

    async def run(attacker: Attacker) -> None:
        await asyncio.gather(*(hold(attacker) for _ in range(count)))

    return run


async def _pipeline(attacker: Attacker) -> None:
    """Send 100 requests in one go each second, and read no response before the next hundred is sent."""
    lines = f"GET /tasks?limit=20 HTTP/1.1\r\nHost: platform.example\r\nAuthorization: {attacker.authorization}\r\n\r\n"

    async def write(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(lines.encode() * 100)
            await writer.drain()
            await asyncio.sleep(1)

    while True:
        await attacker.converse(write)
        await asyncio.sleep(0.5)


async def _unknown_keys(attacker: Attacker) -> None:
    """Send 50 tokens a second, each by a key that nobody has heard of."""
    key = Ed25519PrivateKey.generate()
    await _tokens(
        attacker,
        50,
        lambda number: jwt.encode({"sub": "x"}, key, "EdDSA", headers={"kid": f"k{number}"}),
    )


async def _forged(attacker: Attacker) -> None:
    """Send 90 different tokens a second whose signature is wrong."""
    wrong = "x" * 32
    await _tokens(
        attacker, 90, lambda number: jwt.encode({"sub": f"{number}", "exp": 2**33}, wrong, "HS256")
    )


async def _long_tokens(attacker: Attacker) -> None:
    """Send 90 different tokens of 7 KB a second whose signature is wrong."""
    wrong = "x" * 32
    claims: dict[str, object] = {"email": "x" * 5_000, "exp": 2**33}
    await _tokens(
        attacker, 90, lambda number: jwt.encode(claims | {"sub": f"{number}"}, wrong, "HS256")
    )


async def _tokens(attacker: Attacker, per_second: float, token: Callable[[int], str]) -> None:
    request = get("/tasks")
    number = 0
    async with asyncio.TaskGroup() as group:
        while True:
            number += 1
            data = Request(request.method, request.target).encode(f"Bearer {token(number)}")
            group.create_task(attacker.send_bytes(data))
            await asyncio.sleep(1 / per_second)


_TAGS: Final = ", ".join(f'"{number}"' for number in range(10_000, 11_700))
_MANY_TAGS: Final = Request("GET", "/tasks", headers=(f"If-None-Match: {_TAGS}",))
_BROKEN_TAGS: Final = Request("GET", "/tasks", headers=("If-None-Match: " + '"' * 15_000,))
_MANY_COMMAS: Final = Request(
    "DELETE", f"/tasks/{UUID(int=0)}", headers=("If-Match: " + ", " * 7_500,)
)
_LONG_PATH: Final = get("/tasks/" + "%41" * 2_500)

ATTACKS: Final = (
    Attack("connections", "200 MB of headers, 2 at once", _stream(2, _headers, _LINE)),
    Attack(
        "connections",
        "200 MB of headers at a service's port, 2",
        _stream(2, _headers, _LINE, at_service=True),
    ),
    Attack(
        "connections", "a header of 200 MB, 2 at once", _stream(2, _endless_header, b"x" * 65_536)
    ),
    Attack("connections", "a URL of 200 MB, 2 at once", _stream(2, _endless_url, b"x" * 65_536)),
    Attack(
        "connections",
        "a chunk extension of 200 MB, 2 at once",
        _stream(2, _chunk_extension, b"x" * 65_536),
    ),
    Attack("connections", "trailers of 200 MB, 2 at once", _stream(2, _trailers, _LINE)),
    Attack(
        "connections",
        "200 MB in chunks of one byte, 2 at once",
        _stream(2, _chunks, b"1\r\n \r\n" * 10_000),
    ),
    Attack("connections", "300 connections that say nothing", _hold(300, b"", 3_600, b"")),
    Attack("connections", "1,200 connections that say nothing", _hold(1_200, b"", 3_600, b"")),
    Attack(
        "connections", "300 heads of one byte a second", _hold(300, _START + b"X-Slow: ", 1, b"x")
    ),
    Attack("connections", "100 requests in one go, each second", _pipeline),
    Attack("connections", "50 tokens a second by unknown keys", _unknown_keys),
    Attack("connections", "90 forged tokens a second", _forged),
    Attack("connections", "90 tokens of 7 KB a second", _long_tokens),
    Attack("connections", "If-None-Match with 1,700 tags, 90/s", repeat(90, _MANY_TAGS)),
    Attack("connections", "If-None-Match of 15,000 quotes, 90/s", repeat(90, _BROKEN_TAGS)),
    Attack("connections", "If-Match of 7,500 commas, 90/s", repeat(90, _MANY_COMMAS)),
    Attack("connections", "a path of 7.5 KB, 90/s", repeat(90, _LONG_PATH)),
    Attack("connections", "the OpenAPI document, 90/s", repeat(90, get("/openapi.json"))),
)
