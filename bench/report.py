"""What was measured, as a table for people and as JSON for everything else."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from bench.measure import DATABASE, Memory, Sample

PYTHON: Final = ("tasks", "gateway")
"""Services that are ours."""

SERVICES: Final = (*PYTHON, "edge")
"""All services that a request can pass."""

HEADINGS: Final = (
    "tasks",
    "gateway",
    "edge",
    "Python",
    "all",
    "PostgreSQL",
    "trips",
    "p50 ms",
    "p99 ms",
    "load",
)
"""Columns; the first five in multiples of the floor, PostgreSQL in multiples of what it does for the floor."""


@dataclass(frozen=True)
class Row:
    """What one operation took on one way: CPU in multiples of the floor's for the same operation."""

    operation: str
    way: str
    microseconds: float
    multiples: dict[str, float]
    postgres: float
    round_trips: float
    p50_milliseconds: float
    p99_milliseconds: float
    load: float

    @property
    def python(self) -> float:
        """All processes of ours."""
        return sum(self.multiples.get(name, 0) for name in PYTHON)

    @property
    def whole(self) -> float:
        """All processes but the database's."""
        return sum(self.multiples.values())


def rows_of(samples: Sequence[Sample]) -> list[Row]:
    """Compare every sample with the floor."""
    floors = {sample.operation: sample for sample in samples if sample.way.name == "floor"}
    return [_row(sample, floors[sample.operation]) for sample in samples]


def _row(sample: Sample, floor: Sample) -> Row:
    names, unit = [service.name for service in sample.way.services], floor.microseconds("floor")
    database = floor.microseconds(DATABASE)
    return Row(
        operation=sample.operation.name,
        way=sample.way.name,
        microseconds=round(sample.microseconds(*names)),
        multiples={name: round(sample.microseconds(name) / unit, 2) for name in names},
        postgres=round(sample.microseconds(DATABASE) / database, 2) if database else 0,
        round_trips=round(sample.round_trips, 2),
        p50_milliseconds=round(sample.percentile(50), 1),
        p99_milliseconds=round(sample.percentile(99), 1),
        load=round(sample.load, 1),
    )


def table(rows: Sequence[Row], memory: Sequence[Memory]) -> str:
    """Write the table; it is Markdown as well."""
    lines = [("operation", "way", *HEADINGS), ("---",) * (len(HEADINGS) + 2), *map(_cells, rows)]
    held = [("memory", "MiB early", "MiB late", "answers between"), ("---",) * 4]
    held += [
        (each.service, f"{each.early:.0f}", f"{each.late:.0f}", f"{each.answers:,}")
        for each in memory
    ]
    return f"{aligned(lines)}\n\n{aligned(held)}"


def to_json(rows: Sequence[Row], memory: Sequence[Memory]) -> str:
    """Write everything down, with what it was measured on."""
    machine = {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
    }
    measured = {
        "machine": machine,
        "rows": [asdict(row) for row in rows],
        "memory": [asdict(each) for each in memory],
    }
    return json.dumps(measured, indent=1) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    if row.way == "floor":
        shares = (f"{row.microseconds:.0f} µs", "", "", "1", "1")
    else:
        shares = tuple(
            f"{row.multiples[name]:.2f}" if name in row.multiples else "" for name in SERVICES
        )
        shares += (f"{row.python:.2f}", f"{row.whole:.2f}")
    measured = (row.postgres, row.round_trips, row.p50_milliseconds, row.p99_milliseconds, row.load)
    return (row.operation, row.way, *shares, *(f"{value:g}" for value in measured))


def aligned(lines: Sequence[tuple[str, ...]]) -> str:
    """Write lines of cells as a table; a line of `---` separates the headings."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(f"| {' | '.join(map(_filled, line, widths))} |" for line in lines)


def _filled(cell: str, width: int) -> str:
    return cell.ljust(width, "-" if cell == "---" else " ")
