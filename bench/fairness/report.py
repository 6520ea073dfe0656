"""What the others saw of each attack, beside what they may see at most."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Final

from bench.fairness.honest import Sight
from bench.report import aligned

FAILURES_MAX_PERCENT: Final = 1.0
"""Requests of others that may fail."""

P99_MAX_MILLISECONDS: Final = 1_000.0
"""How long all but one in a hundred of them may take."""

MEMORY_MAX_MEBIBYTES: Final = {"tasks": 160.0, "users": 256.0, "gateway": 256.0}
"""The most that a service may hold. Containers have 256 MiB; the tasks service is held to less."""

HEADINGS: Final = (
    "attack",
    "failed",
    "p50 ms",
    "p99 ms",
    "tasks",
    "users",
    "gateway",
    "attacker saw",
    "missed",
)
"""Columns; the services' in MiB."""


@dataclass(frozen=True)
class Result:
    """One attack, as the others saw it."""

    attack: str
    requests: int
    failures: Counter[str]
    """By operation and outcome."""

    p50_milliseconds: float
    p99_milliseconds: float
    peaks: Mapping[str, float | None]
    """MiB by service; None for one that did not live through it."""

    outcomes: Counter[str]
    """What the attacker saw."""

    starved: Sequence[str]
    """Operations that failed for the most part: few in number, they hardly count among all requests."""

    @property
    def failed_percent(self) -> float:
        """Return how many of a hundred requests of others failed."""
        return 100 * self.failures.total() / self.requests

    @property
    def missed(self) -> list[str]:
        """Return the goals that were missed, by their names."""
        missed = [
            *self.starved,
            *(name for name, peak in self.peaks.items() if _is_too_much(name, peak)),
        ]
        if self.p99_milliseconds > P99_MAX_MILLISECONDS:
            missed.insert(0, "p99")
        if self.failed_percent > FAILURES_MAX_PERCENT:
            missed.insert(0, "failed")
        return missed


def summarize(
    attack: str, sights: Sequence[Sight], peaks: Mapping[str, float | None], outcomes: Counter[str]
) -> Result:
    """Count what the others saw."""
    failures = Counter(
        f"{sight.operation} {sight.outcome}" for sight in sights if sight.outcome != "ok"
    )
    percentiles = quantiles([sight.seconds * 1000 for sight in sights], n=100)
    asked = Counter(sight.operation for sight in sights)
    failed = Counter(sight.operation for sight in sights if sight.outcome != "ok")
    return Result(
        attack=attack,
        requests=len(sights),
        failures=failures,
        p50_milliseconds=percentiles[49],
        p99_milliseconds=percentiles[98],
        peaks=peaks,
        outcomes=outcomes,
        starved=[operation for operation in asked if failed[operation] * 2 > asked[operation]],
    )


def table(results: Sequence[Result]) -> str:
    """Write the table; it is Markdown as well."""
    return aligned([HEADINGS, ("---",) * len(HEADINGS), *map(_cells, results)])


def in_short(result: Result) -> str:
    """Say on one line how an attack went."""
    memory = ", ".join(f"{name} {_memory(peak)}" for name, peak in result.peaks.items())
    verdict = f"missed: {', '.join(result.missed)}" if result.missed else "ok"
    failures = ", ".join(
        f"{count} x {failure}" for failure, count in result.failures.most_common(3)
    )
    seen = f"{result.failed_percent:.1f} % failed ({failures})" if failures else "none failed"
    return f"{seen}, p99 {result.p99_milliseconds:.0f} ms, MiB: {memory}; {verdict}"


def goals() -> str:
    """Say what is asked of every row."""
    memory = ", ".join(f"{name} {most:.0f} MiB" for name, most in MEMORY_MAX_MEBIBYTES.items())
    return f"Goals: failed <= {FAILURES_MAX_PERCENT:g} %, p99 <= {P99_MAX_MILLISECONDS:g} ms, at most {memory}"


def _is_too_much(service: str, peak: float | None) -> bool:
    return peak is None or peak > MEMORY_MAX_MEBIBYTES.get(service, float("inf"))


def _cells(result: Result) -> tuple[str, ...]:
    outcomes = ", ".join(
        f"{count} x {outcome}" for outcome, count in result.outcomes.most_common(3)
    )
    return (
        result.attack,
        f"{result.failed_percent:.1f} %",
        f"{result.p50_milliseconds:.0f}",
        f"{result.p99_milliseconds:.0f}",
        *(_memory(result.peaks[name]) for name in MEMORY_MAX_MEBIBYTES),
        outcomes,
        ", ".join(result.missed),
    )


def _memory(peak: float | None) -> str:
    return "ended" if peak is None else f"{peak:.0f}"
