"""Draws the table as a bar chart: one bar for each row, with a segment for each process."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from operator import attrgetter
from typing import Final

from bench.report import SERVICES, Row
from bench.testbed import BASELINE

COLOURS: Final = {"tasks": "#3b6fb6", "gateway": "#e0a030", "edge": "#8a9a5b", BASELINE: "#777777"}
"""Colour of each process."""

UNIT_PIXELS: Final = 80
"""Width of the baseline's bar."""

_LEFT: Final = 260
_TOP: Final = 40
_ROW_HEIGHT: Final = 18
_BAR_HEIGHT: Final = 12
_GROUP_GAP: Final = 12
_LEGEND_STEP: Final = 90

_HEAD: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"
     font-family="sans-serif" font-size="12">
<title>CPU for one request, as a multiple of the baseline</title>
<rect width="100%" height="100%" fill="white"/>"""


def draw_chart(rows: Sequence[Row]) -> str:
    """Return the chart as SVG."""
    bars: list[str] = []
    height = _TOP
    for operation, group in groupby(rows, key=attrgetter("operation")):
        bars.append(_text(10, height + _BAR_HEIGHT - 2, operation, weight="bold"))
        for row in group:
            bars.extend(_bar(row, height))
            height += _ROW_HEIGHT
        height += _GROUP_GAP
    longest = max(row.total for row in rows)
    width = round(_LEFT + (longest + 1) * UNIT_PIXELS)
    lines = [_HEAD.format(width=width, height=height)]
    lines.extend(_legend())
    lines.extend(_scale_mark(multiple, height) for multiple in range(int(longest) + 2))
    lines.extend(bars)
    lines.append("</svg>\n")
    return "\n".join(lines)


def _bar(row: Row, top: int) -> Iterator[str]:
    text_top = top + _BAR_HEIGHT - 2
    yield _text(120, text_top, row.topology)
    left = float(_LEFT)
    for name in (BASELINE, *SERVICES):
        if name in row.multiples:
            width = row.multiples[name] * UNIT_PIXELS
            yield _rectangle(left, top, width, name)
            left += width
    yield _text(round(left) + 6, text_top, f"{row.total:.1f}")


def _rectangle(left: float, top: int, width: float, process: str) -> str:
    return (
        f'<rect x="{left:.0f}" y="{top}" width="{width:.0f}" height="{_BAR_HEIGHT}" '
        f'fill="{COLOURS[process]}"/>'
    )


def _legend() -> Iterator[str]:
    for number, process in enumerate(COLOURS):
        left = _LEFT + number * _LEGEND_STEP
        yield _rectangle(left, 8, _BAR_HEIGHT, process)
        yield _text(left + 18, 18, process)


def _scale_mark(multiple: int, height: int) -> str:
    left = _LEFT + multiple * UNIT_PIXELS
    return f'<line x1="{left}" y1="{_TOP - 8}" x2="{left}" y2="{height}" stroke="#ddd"/>'


def _text(left: int, top: int, text: str, weight: str = "normal") -> str:
    return f'<text x="{left}" y="{top}" font-weight="{weight}">{escape(text)}</text>'
