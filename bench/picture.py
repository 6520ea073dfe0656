"""The table as a picture: a bar for each way, as long as its multiple of the floor, a piece for each process."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Final

from bench.report import SERVICES, Row

COLOURS: Final = {"tasks": "#3b6fb6", "gateway": "#e0a030", "edge": "#8a9a5b", "floor": "#777777"}
"""Of each process."""

UNIT: Final = 80
"""Pixels for one floor."""

_LEFT, _LINE, _BAR, _GAP, _TOP = 260, 18, 12, 12, 40

_HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">
<title>CPU for one request, as a multiple of the floor</title>
<rect width="100%" height="100%" fill="white"/>
"""


def picture(rows: Sequence[Row]) -> str:
    """Draw it as SVG."""
    longest = max(row.whole for row in rows)
    body, height = list[str](), _TOP
    for operation, group in groupby(rows, key=lambda row: row.operation):
        body.append(_text(10, height + _BAR - 2, operation, weight="bold"))
        for row in group:
            body.extend(_bar(row, height))
            height += _LINE
        height += _GAP
    width = round(_LEFT + (longest + 1) * UNIT)
    scale = [_mark(multiple, height) for multiple in range(int(longest) + 2)]
    return "\n".join(
        [
            _HEAD.format(width=width, height=height) + "\n".join([*_legend(), *scale, *body]),
            "</svg>",
            "",
        ]
    )


def _bar(row: Row, top: int) -> Iterator[str]:
    yield _text(120, top + _BAR - 2, row.way)
    left = float(_LEFT)
    for name in (name for name in ("floor", *SERVICES) if name in row.multiples):
        length = row.multiples[name] * UNIT
        yield f'<rect x="{left:.0f}" y="{top}" width="{length:.0f}" height="{_BAR}" fill="{COLOURS[name]}"/>'
        left += length
    yield _text(round(left) + 6, top + _BAR - 2, f"{row.whole:.1f}")


def _legend() -> Iterator[str]:
    for number, name in enumerate(COLOURS):
        left = _LEFT + number * 90
        yield f'<rect x="{left}" y="8" width="12" height="12" fill="{COLOURS[name]}"/>'
        yield _text(left + 18, 18, name)


def _mark(multiple: int, height: int) -> str:
    left = _LEFT + multiple * UNIT
    return f'<line x1="{left}" y1="{_TOP - 8}" x2="{left}" y2="{height}" stroke="#ddd"/>'


def _text(left: int, top: int, text: str, weight: str = "normal") -> str:
    return f'<text x="{left}" y="{top}" font-weight="{weight}">{escape(text)}</text>'
