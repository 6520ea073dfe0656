"""Texts that are dear to read: what one request makes a service do is more than what it sends."""

import json
from typing import Final
from urllib.parse import quote

from bench.fairness.attack import Attack, Run, repeat
from bench.fairness.client import Request, get, post

MARKS: Final = "a" + "\u0300\u0316" * 15_500
"""62 KB of combining marks of two classes: to sort them takes time that grows with the square of their number."""

SHORT_MARKS: Final = "a" + "\u0300\u0316" * 24
"""As many as the name of a label may have characters."""

LONG_MARKS: Final = "a" + "\u0300\u0316" * 4_900
"""As many as a description may have characters."""

QUERY_MARKS: Final = quote("a" + "\u0300\u0316" * 640)
"""As many as a URL of 8 KB can hold."""

FIRST_LINE: Final = b'{"kind":"export","format":1,"user":{}}\n'
"""What every import begins with."""

NDJSON: Final = ("Content-Type: application/x-ndjson",)


def import_of(lines: bytes) -> Request:
    """Make an import of these lines."""
    return Request("POST", "/users/me/import", FIRST_LINE + lines, NDJSON)


def task_line(number: int, **members: object) -> bytes:
    """Write one task as an import has it."""
    task = {
        "kind": "task",
        "id": f"00000000-0000-4000-8000-{number:012}",
        "title": "Water the plants",
        "created_at": "2026-11-21T08:30:00.000000Z",
        "updated_at": "2026-11-21T08:30:00.000000Z",
        "is_completed": False,
        **members,
    }
    return json.dumps(task, ensure_ascii=False).encode() + b"\n"


def _create(per_second: float, **members: object) -> Run:
    body = {"title": "Water the plants"}
    return repeat(per_second, post("/tasks", body | members))


_MARKED_LINES = b"".join(task_line(number, title=MARKS) for number in range(16))
_LONG_LINES = b"".join(task_line(number, description=LONG_MARKS) for number in range(16))
_UNKNOWN = {f"unknown_{number}": 1 for number in range(3_500)}
_UNKNOWN_LINES = b"".join(task_line(number, **_UNKNOWN) for number in range(16))
_NUMBERS = [int("9" * 1_000)] * 60
_NESTED = [json.loads("[" * 28 + "]" * 28)] * 1_000
_EQUAL = Request("POST", "/tasks", b"{" + b'"a":1,' * 8_000 + b'"a":1}')
_OPENING = Request("POST", "/tasks", b"[" * 60_000)
_ZONE = Request("PATCH", "/users/me", json.dumps({"time_zone": MARKS}, ensure_ascii=False).encode())

ATTACKS: Final = (
    Attack("texts", "62 KB of marks as a title, 4/s", _create(4, title=MARKS)),
    Attack("texts", "62 KB of marks as a description, 4/s", _create(4, description=MARKS)),
    Attack("texts", "62 KB of marks as a label, 4/s", _create(4, labels=[MARKS])),
    Attack(
        "texts", "a label of 49 marks, 1,200 times, 20/s", _create(20, labels=[SHORT_MARKS] * 600)
    ),
    Attack("texts", "a description of 9,801 marks, 20/s", _create(20, description=LONG_MARKS)),
    Attack(
        "texts", "62 KB of marks as a list's name, 4/s", repeat(4, post("/lists", {"name": MARKS}))
    ),
    Attack("texts", "7 KB of marks in q, 50/s", repeat(50, get(f"/tasks?q={QUERY_MARKS}"))),
    Attack("texts", "7 KB of marks in label, 50/s", repeat(50, get(f"/tasks?label={QUERY_MARKS}"))),
    Attack(
        "texts", "imports of 16 lines of 62 KB of marks, 1/s", repeat(1, import_of(_MARKED_LINES))
    ),
    Attack("texts", "imports of 16 descriptions of marks, 2/s", repeat(2, import_of(_LONG_LINES))),
    Attack("texts", "15,000 wrong labels, 10/s", _create(10, labels=[0] * 15_000)),
    Attack("texts", "15,000 empty labels, 10/s", _create(10, labels=[""] * 15_000)),
    Attack("texts", "10,000 short labels, 10/s", _create(10, labels=["ab"] * 10_000)),
    Attack("texts", "62 KB of marks as a time zone, 4/s", repeat(4, _ZONE)),
    Attack("texts", "8,000 equal fields, 50/s", repeat(50, _EQUAL)),
    Attack("texts", "60,000 opening brackets, 50/s", repeat(50, _OPENING)),
    Attack("texts", "3,500 unknown fields, 20/s", _create(20, **_UNKNOWN)),
    Attack(
        "texts",
        "imports with 3,500 unknown fields a line, 2/s",
        repeat(2, import_of(_UNKNOWN_LINES)),
    ),
    Attack("texts", "60 numbers of 1,000 digits, 50/s", _create(50, priority=_NUMBERS)),
    Attack("texts", "1,000 lists within lists, 50/s", _create(50, labels=_NESTED)),
    Attack(
        "texts",
        "2,000 unknown parameters, 50/s",
        repeat(50, get("/tasks?" + "&".join(["a=1"] * 1_900))),
    ),
)
