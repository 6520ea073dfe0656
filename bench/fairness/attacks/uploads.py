"""Bodies that come slowly, not at all, or in great numbers."""

import asyncio
from typing import Final

from bench.fairness.attack import Attack, Run, repeat, together
from bench.fairness.attacks.texts import FIRST_LINE, NDJSON, import_of, task_line
from bench.fairness.client import Attacker, Request, post
from bench.fairness.dataset import Data

MEBIBYTE: Final = 2**20
"""Bytes."""

_UPLOAD: Final = post("/tasks", {})
_IMPORT: Final = Request("POST", "/users/me/import", headers=NDJSON)


def _trickle(count: int, request: Request, start: bytes, pause_seconds: float) -> Run:
    """Announce a body on so many connections, send its start, then one space after each pause."""

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
            await attacker.converse(write)
            await asyncio.sleep(0.5)

    async def run(attacker: Attacker) -> None:
        await asyncio.gather(*(send(attacker) for _ in range(count)))

    return run


def _import_of_size(mebibytes: int) -> Request:
    line = task_line(1, description="Water the plants. " * 500)
    count = mebibytes * MEBIBYTE // len(line)
    return import_of(
        b"".join(
            task_line(number, description="Water the plants. " * 500) for number in range(count)
        )
    )


_NEVER: Final = 3_600.0
_SMALL_IMPORT = import_of(b"".join(task_line(number) for number in range(200)))
_BAD_END = import_of(b"".join(task_line(number) for number in range(5_000)) + b"{}\n")

ATTACKS: Final = (
    Attack("uploads", "an import of one space every 2 s", _trickle(1, _IMPORT, FIRST_LINE, 2)),
    Attack("uploads", "10 imports of one space every 2 s", _trickle(10, _IMPORT, FIRST_LINE, 2)),
    Attack("uploads", "40 imports of one space every 2 s", _trickle(40, _IMPORT, FIRST_LINE, 2)),
    Attack("uploads", "50 imports that stall at once", _trickle(50, _IMPORT, b"", _NEVER)),
    Attack("uploads", "50 uploads that stall", _trickle(50, _UPLOAD, b"", _NEVER)),
    Attack("uploads", "300 uploads of one space every second", _trickle(300, _UPLOAD, b"{", 1)),
    Attack("uploads", "imports of 48 MiB, one after the other", together(1, _import_of_size(48))),
    Attack("uploads", "imports of 48 MiB, 4 at once", together(4, _import_of_size(48))),
    Attack("uploads", "imports of 200 tasks, 20 at once", together(20, _SMALL_IMPORT)),
    Attack("uploads", "imports of 5,000 whose last line is bad, 5 at once", together(5, _BAD_END)),
    Attack("uploads", "imports into 10,000 tasks, 20/s", repeat(20, _SMALL_IMPORT), Data.SMALL),
)
