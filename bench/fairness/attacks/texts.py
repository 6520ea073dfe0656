"""Texts that are expensive to process: a service works longer for them than the client."""

import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from bench.fairness.attack import Attack, Run, send_at_rate
from bench.fairness.client import Request, get, post

MARKS: Final = "a" + "\u0300\u0316" * 15_500
"""62 KB of combining marks of two classes.

Normalization sorts them, in time that grows with the square of their number.
"""

SHORT_MARKS: Final = "a" + "\u0300\u0316" * 24
"""As many characters as the name of a label may have."""

LONG_MARKS: Final = "a" + "\u0300\u0316" * 4_900
"""As many characters as a description may have."""

QUERY_MARKS: Final = quote("a" + "\u0300\u0316" * 640)
"""As many as fit into a URL of 8 KB."""

IMPORT_HEADER: Final = b'{"kind":"export","format":1,"user":{}}\n'
"""The first line of every import."""

NDJSON_HEADERS: Final = ("Content-Type: application/x-ndjson",)


def import_request(lines: bytes) -> Request:
    """Return an import of these lines."""
    return Request("POST", "/users/me/import", IMPORT_HEADER + lines, NDJSON_HEADERS)


def task_line(number: int, fields: Mapping[str, object] | None = None) -> bytes:
    """Return a task as a line of an import, with these fields."""
    task: dict[str, object] = {
        "kind": "task",
        "id": f"00000000-0000-4000-8000-{number:012}",
        "title": "Water the plants",
        "created_at": "2026-11-21T08:30:00.000000Z",
        "updated_at": "2026-11-21T08:30:00.000000Z",
        "is_completed": False,
    }
    task.update(fields or {})
    return json.dumps(task, ensure_ascii=False).encode() + b"\n"


def task_lines(count: int, fields: Mapping[str, object] | None = None) -> bytes:
    """Return tasks that differ in their ids only."""
    return b"".join(task_line(number, fields) for number in range(count))


def _create(per_second: float, fields: Mapping[str, object]) -> Run:
    """Create a task with these fields, at a rate."""
    body: dict[str, object] = {"title": "Water the plants"}
    body.update(fields)
    return send_at_rate(per_second, post("/tasks", body))


def _send_time_zone(per_second: float, time_zone: str) -> Run:
    body = json.dumps({"time_zone": time_zone}, ensure_ascii=False).encode()
    return send_at_rate(per_second, Request("PATCH", "/users/me", body))


_MARKED_LINES = task_lines(16, {"title": MARKS})
_LONG_LINES = task_lines(16, {"description": LONG_MARKS})
_UNKNOWN = {f"unknown_{number}": 1 for number in range(3_500)}
_UNKNOWN_LINES = task_lines(16, _UNKNOWN)
_NUMBERS = [int("9" * 1_000)] * 60
_NESTED = [json.loads("[" * 28 + "]" * 28)] * 1_000
_EQUAL = Request("POST", "/tasks", b"{" + b'"a":1,' * 8_000 + b'"a":1}')
_OPENING = Request("POST", "/tasks", b"[" * 60_000)

ATTACKS: Final[tuple[Attack, ...]] = (
    Attack("texts", "62 KB of marks as a title, 4/s", _create(4, {"title": MARKS})),
    Attack("texts", "62 KB of marks as a description, 4/s", _create(4, {"description": MARKS})),
    Attack("texts", "62 KB of marks as a label, 4/s", _create(4, {"labels": [MARKS]})),
    Attack(
        "texts",
        "a label of 49 marks, 1,200 times, 20/s",
        _create(20, {"labels": [SHORT_MARKS] * 600}),
    ),
    Attack("texts", "a description of 9,801 marks, 20/s", _create(20, {"description": LONG_MARKS})),
    Attack(
        "texts",
        "62 KB of marks as a list's name, 4/s",
        send_at_rate(4, post("/lists", {"name": MARKS})),
    ),
    Attack("texts", "7 KB of marks in q, 50/s", send_at_rate(50, get(f"/tasks?q={QUERY_MARKS}"))),
    Attack(
        "texts",
        "7 KB of marks in label, 50/s",
        send_at_rate(50, get(f"/tasks?label={QUERY_MARKS}")),
    ),
    Attack(
        "texts",
        "imports of 16 lines of 62 KB of marks, 1/s",
        send_at_rate(1, import_request(_MARKED_LINES)),
    ),
    Attack(
        "texts",
        "imports of 16 descriptions of marks, 2/s",
        send_at_rate(2, import_request(_LONG_LINES)),
    ),
    Attack("texts", "15,000 wrong labels, 10/s", _create(10, {"labels": [0] * 15_000})),
    Attack("texts", "15,000 empty labels, 10/s", _create(10, {"labels": [""] * 15_000})),
    Attack("texts", "10,000 short labels, 10/s", _create(10, {"labels": ["ab"] * 10_000})),
    Attack("texts", "62 KB of marks as a time zone, 4/s", _send_time_zone(4, MARKS)),
    Attack("texts", "8,000 equal fields, 50/s", send_at_rate(50, _EQUAL)),
    Attack("texts", "60,000 opening brackets, 50/s", send_at_rate(50, _OPENING)),
    Attack("texts", "3,500 unknown fields, 20/s", _create(20, _UNKNOWN)),
    Attack(
        "texts",
        "imports with 3,500 unknown fields a line, 2/s",
        send_at_rate(2, import_request(_UNKNOWN_LINES)),
    ),
    Attack("texts", "60 numbers of 1,000 digits, 50/s", _create(50, {"priority": _NUMBERS})),
    Attack("texts", "1,000 lists within lists, 50/s", _create(50, {"labels": _NESTED})),
    Attack(
        "texts",
        "2,000 unknown parameters, 50/s",
        send_at_rate(50, get("/tasks?" + "&".join(["a=1"] * 1_900))),
    ),
)
