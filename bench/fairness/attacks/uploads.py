"""Bodies that arrive slowly, not at all, or in great numbers."""

import asyncio
from typing import Final

from bench.fairness.attack import Attack, Run, repeat_on_connections, send_at_rate
from bench.fairness.attacks.texts import (
    IMPORT_HEADER,
    NDJSON_HEADERS,
    import_request,
    task_line,
    task_lines,
)
from bench.fairness.client import Attacker, Request, post
from bench.fairness.dataset import Dataset
from bench.meter import MEBIBYTE

_UPLOAD: Final = post("/tasks", {})
_IMPORT: Final = Request("POST", "/users/me/import", headers=NDJSON_HEADERS)


RETRY_SECONDS: Final = 0.5
"""Pause before a connection that the server closed is opened again."""


def _trickle(count: int, request: Request, start: bytes, pause_seconds: float) -> Run:
    """Announce a body on `count` connections, send its start, then one space after each pause."""

    async def send(attacker: Attacker) -> None:
        head = request.encode(attacker.authorization, announced_bytes=60_000)
        head = head.removesuffix(request.body)

        async def write(writer: asyncio.StreamWriter) -> None:
            writer.write(head + start)
            while True:
                await asyncio.sleep(pause_seconds)
                writer.write(b" ")
                await writer.drain()

        while True:
            await attacker.connect(write)
            await asyncio.sleep(RETRY_SECONDS)

    async def run(attacker: Attacker) -> None:
        clients = [send(attacker) for _ in range(count)]
        await asyncio.gather(*clients)

    return run


def _large_import(mebibytes: int) -> Request:
    fields = {"description": "Water the plants. " * 500}
    count = mebibytes * MEBIBYTE // len(task_line(1, fields))
    return import_request(task_lines(count, fields))


_NEVER: Final = 3_600.0
_SMALL_IMPORT = import_request(task_lines(200))
_BAD_END = import_request(task_lines(5_000) + b"{}\n")

ATTACKS: Final[tuple[Attack, ...]] = (
    Attack("uploads", "an import of one space every 2 s", _trickle(1, _IMPORT, IMPORT_HEADER, 2)),
    Attack("uploads", "10 imports of one space every 2 s", _trickle(10, _IMPORT, IMPORT_HEADER, 2)),
    Attack("uploads", "40 imports of one space every 2 s", _trickle(40, _IMPORT, IMPORT_HEADER, 2)),
    Attack("uploads", "50 imports that stall at once", _trickle(50, _IMPORT, b"", _NEVER)),
    Attack("uploads", "50 uploads that stall", _trickle(50, _UPLOAD, b"", _NEVER)),
    Attack("uploads", "300 uploads of one space every second", _trickle(300, _UPLOAD, b"{", 1)),
    Attack(
        "uploads",
        "imports of 48 MiB, one after the other",
        repeat_on_connections(1, _large_import(48)),
    ),
    Attack("uploads", "imports of 48 MiB, 4 at once", repeat_on_connections(4, _large_import(48))),
    Attack("uploads", "imports of 200 tasks, 20 at once", repeat_on_connections(20, _SMALL_IMPORT)),
    Attack(
        "uploads",
        "imports of 5,000 whose last line is bad, 5 at once",
        repeat_on_connections(5, _BAD_END),
    ),
    Attack(
        "uploads", "imports into 10,000 tasks, 20/s", send_at_rate(20, _SMALL_IMPORT), Dataset.SMALL
    ),
)
