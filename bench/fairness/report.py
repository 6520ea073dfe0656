"""What honest users observed during each attack, compared with the goals."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Final

from bench.fairness.honest import OK, Observation
from bench.markdown import render_table

FAILURES_MAX_PERCENT: Final = 1.0
"""Requests of honest users that may fail."""

P99_MAX_MILLISECONDS: Final = 1_000.0
"""99th percentile of their response times."""

MEMORY_MAX_MEBIBYTES: Final = {"tasks": 160.0, "users": 256.0, "gateway": 256.0}
"""Memory that a service may use. Containers have 256 MiB; the goal for tasks is lower."""

HEADINGS: Final = (
    "attack",
    "failed",
    "p50 ms",
    "p99 ms",
    "tasks",
    "users",
    "gateway",
    "attacker's responses",
    "missed",
)
"""Columns; those of the services are in MiB."""


@dataclass(frozen=True)
class Result:
    """One attack, as honest users observed it."""

    attack: str
    requests: int
    """Requests of honest users."""

    failures: Counter[str]
    """By operation and outcome."""

    p50_milliseconds: float
    p99_milliseconds: float
    peaks: Mapping[str, float | None]
    """Peak memory in MiB by service; None for one that has ended."""

    outcomes: Counter[str]
    """Outcomes of the attacker's requests."""

    failing_operations: Sequence[str]
    """Operations that failed for the most part; rare ones hardly count among all requests."""

    @property
    def failed_percent(self) -> float:
        """Percentage of the honest users' requests that failed."""
        return 100 * self.failures.total() / self.requests

    @property
    def missed_goals(self) -> list[str]:
        """The names of the goals that were missed."""
        missed_goals: list[str] = []
        if self.failed_percent > FAILURES_MAX_PERCENT:
            missed_goals.append("failed")
        if self.p99_milliseconds > P99_MAX_MILLISECONDS:
            missed_goals.append("p99")
        missed_goals.extend(self.failing_operations)
        for service, peak in self.peaks.items():
            if _is_too_much(service, peak):
                missed_goals.append(service)
        return missed_goals


def summarize(
    attack: str,
    observations: Sequence[Observation],
    peaks: Mapping[str, float | None],
    outcomes: Counter[str],
) -> Result:
    """Return the result of an attack.

    Args:
        attack: Name of the attack.
        observations: Requests of the honest users.
        peaks: Peak memory in MiB by service; None for one that has ended.
        outcomes: Outcomes of the attacker's requests.
    """
    failures: Counter[str] = Counter()
    requests_by_operation: Counter[str] = Counter()
    failures_by_operation: Counter[str] = Counter()
    for observation in observations:
        requests_by_operation[observation.operation] += 1
        if observation.outcome != OK:
            failures[f"{observation.operation} {observation.outcome}"] += 1
            failures_by_operation[observation.operation] += 1
    failing_operations = [
        operation
        for operation, requests in requests_by_operation.items()
        if failures_by_operation[operation] * 2 > requests
    ]
    milliseconds = [observation.seconds * 1000 for observation in observations]
    percentiles = quantiles(milliseconds, n=100)
    return Result(
        attack=attack,
        requests=len(observations),
        failures=failures,
        p50_milliseconds=percentiles[49],
        p99_milliseconds=percentiles[98],
        peaks=peaks,
        outcomes=outcomes,
        failing_operations=failing_operations,
    )


def render_results(results: Sequence[Result]) -> str:
    """Return the table as Markdown."""
    return render_table(HEADINGS, [_cells(result) for result in results])


def summary_line(result: Result) -> str:
    """Return one line about an attack."""
    requests = "none failed"
    if result.failures:
        failures = _most_common(result.failures)
        requests = f"{result.failed_percent:.1f} % failed ({failures})"
    verdict = "ok"
    if result.missed_goals:
        verdict = f"missed: {', '.join(result.missed_goals)}"
    memory = ", ".join(f"{name} {_mebibytes(peak)}" for name, peak in result.peaks.items())
    return f"{requests}, p99 {result.p99_milliseconds:.0f} ms, MiB: {memory}; {verdict}"


def render_goals() -> str:
    """Return one line with the goals."""
    memory = ", ".join(f"{name} {goal:.0f} MiB" for name, goal in MEMORY_MAX_MEBIBYTES.items())
    return (
        f"Goals: failed <= {FAILURES_MAX_PERCENT:g} %, p99 <= {P99_MAX_MILLISECONDS:g} ms, "
        f"at most {memory}"
    )


def _is_too_much(service: str, peak: float | None) -> bool:
    if peak is None:
        return True
    return service in MEMORY_MAX_MEBIBYTES and peak > MEMORY_MAX_MEBIBYTES[service]


def _cells(result: Result) -> list[str]:
    cells = [
        result.attack,
        f"{result.failed_percent:.1f} %",
        f"{result.p50_milliseconds:.0f}",
        f"{result.p99_milliseconds:.0f}",
    ]
    cells.extend(_mebibytes(result.peaks[service]) for service in MEMORY_MAX_MEBIBYTES)
    cells.append(_most_common(result.outcomes))
    cells.append(", ".join(result.missed_goals))
    return cells


def _most_common(counts: Counter[str]) -> str:
    return ", ".join(f"{count} x {name}" for name, count in counts.most_common(3))


def _mebibytes(peak: float | None) -> str:
    if peak is None:
        return "ended"
    return f"{peak:.0f}"
