"""The measurements as a Markdown table and as JSON."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from bench.markdown import render_table
from bench.measure import DATABASE, Memory, Sample
from bench.testbed import BASELINE

PYTHON_SERVICES: Final = ("tasks", "gateway")

SERVICES: Final = (*PYTHON_SERVICES, "edge")
"""All services that a request can pass."""

HEADINGS: Final = (
    "operation",
    "topology",
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
"""Columns. From `tasks` to `all` they are multiples of the baseline's CPU time.

`PostgreSQL` is a multiple of the CPU time that PostgreSQL needs for the baseline.
"""

MEMORY_HEADINGS: Final = ("memory", "MiB early", "MiB late", "responses between")


@dataclass(frozen=True)
class Row:
    """One operation on one topology: CPU as multiples of the baseline's for the operation."""

    operation: str
    topology: str
    microseconds: float
    """CPU time of all services for one request."""

    multiples: dict[str, float]
    """By the name of the service."""

    postgres: float
    round_trips: float
    p50_milliseconds: float
    p99_milliseconds: float
    load: float

    @property
    def python(self) -> float:
        """The multiple of all Python services."""
        return sum(self.multiples.get(name, 0) for name in PYTHON_SERVICES)

    @property
    def total(self) -> float:
        """The multiple of all services; the database is not one."""
        return sum(self.multiples.values())


def compare_with_baseline(samples: Sequence[Sample]) -> list[Row]:
    """Return a row for each sample."""
    baselines = {sample.operation: sample for sample in samples if sample.topology.name == BASELINE}
    return [_compare(sample, baselines[sample.operation]) for sample in samples]


def _compare(sample: Sample, baseline: Sample) -> Row:
    names = [service.name for service in sample.topology.services]
    baseline_microseconds = baseline.microseconds(BASELINE)
    multiples: dict[str, float] = {}
    for name in names:
        multiples[name] = round(sample.microseconds(name) / baseline_microseconds, 2)
    postgres = 0.0
    postgres_microseconds = baseline.microseconds(DATABASE)
    if postgres_microseconds:
        postgres = round(sample.microseconds(DATABASE) / postgres_microseconds, 2)
    return Row(
        operation=sample.operation.name,
        topology=sample.topology.name,
        microseconds=round(sample.microseconds(*names)),
        multiples=multiples,
        postgres=postgres,
        round_trips=round(sample.round_trips, 2),
        p50_milliseconds=round(sample.percentile(50), 1),
        p99_milliseconds=round(sample.percentile(99), 1),
        load=round(sample.load, 1),
    )


def render_report(rows: Sequence[Row], memory: Sequence[Memory]) -> str:
    """Return the tables of CPU time and of memory, as Markdown."""
    cpu_table = render_table(HEADINGS, [_cells(row) for row in rows])
    memory_table = render_table(MEMORY_HEADINGS, [_memory_cells(item) for item in memory])
    return f"{cpu_table}\n\n{memory_table}"


def _cells(row: Row) -> list[str]:
    cells = [row.operation, row.topology]
    if row.topology == BASELINE:
        cells += [f"{row.microseconds:.0f} µs", "", "", "1", "1"]
    else:
        for name in SERVICES:
            cells.append(_multiple(row.multiples.get(name)))
        cells += [_multiple(row.python), _multiple(row.total)]
    cells += [
        f"{row.postgres:g}",
        f"{row.round_trips:g}",
        f"{row.p50_milliseconds:g}",
        f"{row.p99_milliseconds:g}",
        f"{row.load:g}",
    ]
    return cells


def _multiple(multiple: float | None) -> str:
    if multiple is None:
        return ""
    return f"{multiple:.2f}"


def _memory_cells(memory: Memory) -> list[str]:
    return [
        memory.service,
        f"{memory.early:.0f}",
        f"{memory.late:.0f}",
        f"{memory.responses:,}",
    ]


def render_json(rows: Sequence[Row], memory: Sequence[Memory]) -> str:
    """Return the measurements, and on what they were made, as JSON."""
    document = {
        "machine": {
            "python": platform.python_version(),
            "system": platform.system(),
            "machine": platform.machine(),
        },
        "rows": [asdict(row) for row in rows],
        "memory": [asdict(item) for item in memory],
    }
    return json.dumps(document, indent=1) + "\n"
