"""What is sent before a request is processed: headers, chunks, tokens, connections themselves."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Final
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.fairness.attack import Attack, Run, send_at_rate
from bench.fairness.client import Attacker, Request, get

FLOOD_BYTES: Final = 200_000_000
"""How much one connection sends at most."""

RETRY_SECONDS: Final = 0.5
"""Pause before a connection that the server closed is opened again."""

_START: Final = b"GET /tasks HTTP/1.1\r\nHost: platform.example\r\n"
_CHUNKED: Final = (
    b"POST /tasks HTTP/1.1\r\nHost: platform.example\r\nTransfer-Encoding: chunked\r\n"
)
_PIPELINED: Final = b"GET /tasks?limit=20 HTTP/1.1\r\nHost: platform.example\r\n"
_LINE: Final = b"X-Filler: " + b"x" * 4_000 + b"\r\n"


def _flood(
    count: int, start: Callable[[Attacker], bytes], block: bytes, *, at_service: bool = False
) -> Run:
    """On `count` connections, send a start, then a block again and again.

    Args:
        count: Connections.
        start: Returns what is sent first.
        block: Repeated until the server closes the connection, or up to `FLOOD_BYTES`.
        at_service: Connect to the port of the tasks service.
    """

    async def send(attacker: Attacker) -> None:
        port = attacker.port
        if at_service:
            port = attacker.tasks_port

        async def write(writer: asyncio.StreamWriter) -> None:
            writer.write(start(attacker))
            for _ in range(FLOOD_BYTES // len(block)):
                writer.write(block)
                await writer.drain()

        while True:
            await attacker.connect(write, port=port)
            await asyncio.sleep(RETRY_SECONDS)

    async def run(attacker: Attacker) -> None:
        clients = [send(attacker) for _ in range(count)]
        await asyncio.gather(*clients)

    return run


def _headers(_: Attacker) -> bytes:
    return _START


def _endless_header(_: Attacker) -> bytes:
    return _START + b"X-Filler: "


def _endless_url(_: Attacker) -> bytes:
    return b"GET /tasks?q="


def _chunked_head(attacker: Attacker) -> bytes:
    return _CHUNKED + f"Authorization: {attacker.authorization}\r\n\r\n".encode()


def _chunk_extension(attacker: Attacker) -> bytes:
    return _chunked_head(attacker) + b"1;x="


def _trailers(attacker: Attacker) -> bytes:
    return _chunked_head(attacker) + b"2\r\n{}\r\n0\r\n"


def _hold(count: int, start: bytes, pause_seconds: float, block: bytes) -> Run:
    """Open `count` connections, and send a block on each after every pause."""

    async def hold(attacker: Attacker) -> None:
        async def write(writer: asyncio.StreamWriter) -> None:
            writer.write(start)
            while True:
                await asyncio.sleep(pause_seconds)
                writer.write(block)
                await writer.drain()

        while True:
            await attacker.connect(write)
            await asyncio.sleep(RETRY_SECONDS)

    async def run(attacker: Attacker) -> None:
        clients = [hold(attacker) for _ in range(count)]
        await asyncio.gather(*clients)

    return run


async def _pipeline(attacker: Attacker) -> None:
    """Send 100 requests at once each second, without waiting for their responses."""
    head = _PIPELINED + f"Authorization: {attacker.authorization}\r\n\r\n".encode()

    async def write(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(head * 100)
            await writer.drain()
            await asyncio.sleep(1)

    while True:
        await attacker.connect(write)
        await asyncio.sleep(RETRY_SECONDS)


async def _send_unknown_key_ids(attacker: Attacker) -> None:
    """Send 50 tokens a second, each with an unknown key id."""
    key = Ed25519PrivateKey.generate()

    def token(number: int) -> str:
        return jwt.encode({"sub": "x"}, key, "EdDSA", headers={"kid": f"k{number}"})

    await _send_tokens(attacker, 50, token)


async def _send_forged_tokens(attacker: Attacker) -> None:
    """Send 90 different tokens a second whose signature is wrong."""

    def token(number: int) -> str:
        return jwt.encode({"sub": f"{number}", "exp": _FAR_FUTURE}, _WRONG_SECRET, "HS256")

    await _send_tokens(attacker, 90, token)


async def _send_long_tokens(attacker: Attacker) -> None:
    """Send 90 different tokens of 7 KB a second whose signature is wrong."""

    def token(number: int) -> str:
        claims: dict[str, object] = {"email": "x" * 5_000, "exp": _FAR_FUTURE, "sub": f"{number}"}
        return jwt.encode(claims, _WRONG_SECRET, "HS256")

    await _send_tokens(attacker, 90, token)


async def _send_tokens(attacker: Attacker, per_second: float, token: Callable[[int], str]) -> None:
    """Send a request at a rate, each time with another token."""
    request = get("/tasks")
    async with asyncio.TaskGroup() as group:
        for number in itertools.count(1):
            data = request.encode(f"Bearer {token(number)}")
            group.create_task(attacker.send_bytes(data))
            await asyncio.sleep(1 / per_second)


_FAR_FUTURE: Final = 2**33
_WRONG_SECRET: Final = "x" * 32
_TAGS: Final = ", ".join(f'"{number}"' for number in range(10_000, 11_700))
_MANY_TAGS: Final = Request("GET", "/tasks", headers=(f"If-None-Match: {_TAGS}",))
_BROKEN_TAGS: Final = Request("GET", "/tasks", headers=("If-None-Match: " + '"' * 15_000,))
_MANY_COMMAS: Final = Request(
    "DELETE", f"/tasks/{UUID(int=0)}", headers=("If-Match: " + ", " * 7_500,)
)
_LONG_PATH: Final = get("/tasks/" + "%41" * 2_500)

ATTACKS: Final[tuple[Attack, ...]] = (
    Attack("connections", "200 MB of headers, 2 at once", _flood(2, _headers, _LINE)),
    Attack(
        "connections",
        "200 MB of headers at a service's port, 2",
        _flood(2, _headers, _LINE, at_service=True),
    ),
    Attack(
        "connections", "a header of 200 MB, 2 at once", _flood(2, _endless_header, b"x" * 65_536)
    ),
    Attack("connections", "a URL of 200 MB, 2 at once", _flood(2, _endless_url, b"x" * 65_536)),
    Attack(
        "connections",
        "a chunk extension of 200 MB, 2 at once",
        _flood(2, _chunk_extension, b"x" * 65_536),
    ),
    Attack("connections", "trailers of 200 MB, 2 at once", _flood(2, _trailers, _LINE)),
    Attack(
        "connections",
        "200 MB in chunks of one byte, 2 at once",
        _flood(2, _chunked_head, b"1\r\n \r\n" * 10_000),
    ),
    Attack("connections", "300 connections that say nothing", _hold(300, b"", 3_600, b"")),
    Attack("connections", "1,200 connections that say nothing", _hold(1_200, b"", 3_600, b"")),
    Attack(
        "connections", "300 heads of one byte a second", _hold(300, _START + b"X-Slow: ", 1, b"x")
    ),
    Attack("connections", "100 requests in one go, each second", _pipeline),
    Attack("connections", "50 tokens a second by unknown keys", _send_unknown_key_ids),
    Attack("connections", "90 forged tokens a second", _send_forged_tokens),
    Attack("connections", "90 tokens of 7 KB a second", _send_long_tokens),
    Attack("connections", "If-None-Match with 1,700 tags, 90/s", send_at_rate(90, _MANY_TAGS)),
    Attack("connections", "If-None-Match of 15,000 quotes, 90/s", send_at_rate(90, _BROKEN_TAGS)),
    Attack("connections", "If-Match of 7,500 commas, 90/s", send_at_rate(90, _MANY_COMMAS)),
    Attack("connections", "a path of 7.5 KB, 90/s", send_at_rate(90, _LONG_PATH)),
    Attack("connections", "the OpenAPI document, 90/s", send_at_rate(90, get("/openapi.json"))),
)
