"""Measuring in turns: one block of requests on each way, and again, so that the machine's moods reach all alike."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from statistics import fmean, quantiles
from typing import Final

from bench.load import CLIENTS, Script, ask
from bench.meter import Meter, resident_mebibytes
from bench.operations import DECISION, OPERATIONS, Client, Operation
from bench.stage import Stage, Way

WARM_UP: Final = 80
"""Requests until a connection is open and the driver has prepared the statements."""

COUNTED: Final = 16
"""Requests of which the round trips are counted."""

DATABASE: Final = "postgres"
"""Under this name stands what the database used."""


@dataclass
class Sample:
    """What one operation took on one way, in all its blocks."""

    operation: Operation
    way: Way
    requests: int = 0
    cpu_seconds: Counter[str] = field(default_factory=Counter[str])
    """By the service's name, and the database's."""

    answer_seconds: list[float] = field(default_factory=list[float])
    loads: list[float] = field(default_factory=list[float])
    round_trips: float = 0

    def microseconds(self, *names: str) -> float:
        """Return the CPU of these services for one request."""
        return sum(self.cpu_seconds[name] for name in names) * 1e6 / self.requests

    def percentile(self, percent: int) -> float:
        """Return after how many milliseconds so many of a hundred answers were there."""
        return quantiles(self.answer_seconds, n=100)[percent - 1] * 1000

    @property
    def load(self) -> float:
        """How many processes of the machine wanted to run, whoever's they are."""
        return fmean(self.loads)


@dataclass(frozen=True)
class Memory:
    """What a service held after a round of everything and at the end, in MiB, and how often it answered in between."""

    service: str
    early: float
    late: float
    answers: int


Say = Callable[[str], None]


async def measure(
    stage: Stage, rounds: int, requests: int, say: Say
) -> tuple[list[Sample], list[Memory]]:
    """Measure every operation on every way, in so many rounds with so many requests each."""
    await _go_round(stage, list(_turns(stage)), requests, lambda step: say(f"warming up: {step}"))
    early, samples = _resident(stage), list(_turns(stage))
    for number in range(1, rounds + 1):
        await _go_round(
            stage, samples, requests, lambda step, at=number: say(f"round {at} of {rounds}: {step}")
        )
    late = _resident(stage)
    await _count_round_trips(stage, samples, say)
    memory = [
        Memory(
            name,
            early[name],
            late[name],
            sum(each.requests for each in samples if service in each.way.services),
        )
        for name, service in stage.services().items()
    ]
    return samples, memory


def _turns(stage: Stage) -> Iterator[Sample]:
    for operation in OPERATIONS:
        yield from (Sample(operation, way) for way in stage.ways)
    yield from (Sample(DECISION, way) for way in stage.decisions)


async def _go_round(stage: Stage, samples: Iterable[Sample], requests: int, say: Say) -> None:
    for sample in samples:
        say(f"{sample.operation.name}, {sample.way.name}")
        scripts = _scripts(stage, sample.way, sample.operation, requests)
        processes = {service.name: service.process for service in sample.way.services}
        meter = Meter({**processes, DATABASE: stage.postgres.process})
        sample.answer_seconds += await ask(sample.way.url, scripts, requests)
        sample.cpu_seconds.update(meter.read())
        sample.loads.append(os.getloadavg()[0])
        sample.requests += requests


def _scripts(stage: Stage, way: Way, operation: Operation, requests: int) -> list[Script]:
    """Give each client something to say, and those who write tasks of their own for it."""
    owners = stage.writers if operation.writes else stage.readers
    if operation.writes:
        for owner in owners:
            owner.add(stage.database_url, requests)
    return [
        operation.script(Client(owner, way.identify(owner))) for owner in (owners * 2)[:CLIENTS]
    ]


async def _count_round_trips(stage: Stage, samples: Iterable[Sample], say: Say) -> None:
    """Note the round trips of each operation, of the floor and of the service on whichever way; one client counts."""
    for way in stage.counted:
        for operation in OPERATIONS:
            say(f"counting round trips: {operation.name}, {way.name}")
            await ask(way.url, _scripts(stage, way, operation, WARM_UP)[:1], WARM_UP)
            scripts, stage.proxy.round_trips = _scripts(stage, way, operation, COUNTED)[:1], 0
            await ask(way.url, scripts, COUNTED)
            for sample in samples:
                if sample.operation is operation and (sample.way.name == "floor") == (
                    way.name == "floor"
                ):
                    sample.round_trips = stage.proxy.round_trips / COUNTED


def _resident(stage: Stage) -> dict[str, float]:
    return {name: resident_mebibytes(service.process) for name, service in stage.services().items()}
