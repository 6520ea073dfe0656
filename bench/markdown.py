"""Tables in Markdown that are aligned, so that they can be read on a terminal as well."""

from collections.abc import Sequence


def render_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an aligned table; every row has a cell for each heading."""
    widths = [len(heading) for heading in headings]
    for row in rows:
        for column, cell in enumerate(row):
            widths[column] = max(widths[column], len(cell))
    lines = [_render_row(headings, widths), _render_row(["-" * width for width in widths], widths)]
    lines.extend(_render_row(row, widths) for row in rows)
    return "\n".join(lines)


def _render_row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
    return f"| {' | '.join(padded)} |"
