"""Measures in rounds: a block of requests on each topology, and again.

So changes in the machine's speed affect all topologies alike.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import fmean, quantiles
from typing import Final

from bench.load import CLIENTS, Script, send_requests
from bench.meter import Meter, resident_mebibytes
from bench.operations import DECISION, OPERATIONS, Client, Operation
from bench.testbed import BASELINE, Testbed, Topology

WARM_UP_REQUESTS: Final = 80
"""Requests until connections are open and the driver has prepared the statements."""

COUNTED_REQUESTS: Final = 16
"""Requests whose round trips to the database are counted."""

DATABASE: Final = "postgres"
"""Name of the database among the measured processes."""


@dataclass
class Sample:
    """Measurements of one operation on one topology, in all rounds."""

    operation: Operation
    topology: Topology
    requests: int = 0
    cpu_seconds: Counter[str] = field(default_factory=Counter[str])
    """By the name of the service; `DATABASE` is PostgreSQL."""

    response_seconds: list[float] = field(default_factory=list[float])
    loads: list[float] = field(default_factory=list[float])
    """Load average of the machine after each block."""

    round_trips: float = 0
    """Round trips to the database for one request."""

    def microseconds(self, *services: str) -> float:
        """Return the CPU time of these services for one request."""
        seconds = sum(self.cpu_seconds[service] for service in services)
        return seconds * 1e6 / self.requests

    def percentile(self, percent: int) -> float:
        """Return a percentile of the response times, in milliseconds."""
        return quantiles(self.response_seconds, n=100)[percent - 1] * 1000

    @property
    def load(self) -> float:
        """How many processes of the machine were ready to run."""
        return fmean(self.loads)


@dataclass(frozen=True)
class Memory:
    """Resident memory of a service after the first round and at the end, in MiB."""

    service: str
    early: float
    late: float
    responses: int
    """Responses between the two."""


ReportProgress = Callable[[str], None]


async def measure(
    testbed: Testbed, rounds: int, requests: int, report_progress: ReportProgress
) -> tuple[list[Sample], list[Memory]]:
    """Measure every operation on every topology.

    Args:
        testbed: The started services.
        rounds: How often everything is measured, after a round that only warms up.
        requests: Requests of each operation on each topology in a round.
        report_progress: Called with a description of each step.
    """
    await _measure_round(testbed, _create_samples(testbed), requests, "warming up", report_progress)
    early_mebibytes = _resident_mebibytes(testbed)
    samples = _create_samples(testbed)
    for number in range(1, rounds + 1):
        step = f"round {number} of {rounds}"
        await _measure_round(testbed, samples, requests, step, report_progress)
    late_mebibytes = _resident_mebibytes(testbed)
    await _count_round_trips(testbed, samples, report_progress)
    memory: list[Memory] = []
    for name, service in testbed.services().items():
        responses = sum(
            sample.requests for sample in samples if service in sample.topology.services
        )
        memory.append(Memory(name, early_mebibytes[name], late_mebibytes[name], responses))
    return samples, memory


def _create_samples(testbed: Testbed) -> list[Sample]:
    """Return an empty sample for each measurement of a round, in their order."""
    samples: list[Sample] = []
    for operation in OPERATIONS:
        samples.extend(Sample(operation, topology) for topology in testbed.topologies)
    samples.extend(Sample(DECISION, topology) for topology in testbed.decision_topologies)
    return samples


async def _measure_round(
    testbed: Testbed,
    samples: Iterable[Sample],
    requests: int,
    step: str,
    report_progress: ReportProgress,
) -> None:
    for sample in samples:
        topology = sample.topology
        report_progress(f"{step}: {sample.operation.name}, {topology.name}")
        scripts = _create_scripts(testbed, topology, sample.operation, requests)
        processes = {service.name: service.process for service in topology.services}
        processes[DATABASE] = testbed.postgres.process
        meter = Meter(processes)
        sample.response_seconds += await send_requests(topology.url, scripts, requests)
        sample.cpu_seconds.update(meter.read())
        sample.loads.append(os.getloadavg()[0])
        sample.requests += requests


def _create_scripts(
    testbed: Testbed, topology: Topology, operation: Operation, requests: int
) -> list[Script]:
    """Return a script for each client; users who write get new tasks for it first."""
    users = testbed.readers
    if operation.writes:
        users = testbed.writers
        for user in users:
            user.replace_tasks(testbed.database_url, requests)
    scripts: list[Script] = []
    for number in range(CLIENTS):
        user = users[number % len(users)]
        client = Client(user, topology.authenticate(user))
        scripts.append(operation.create_script(client))
    return scripts


async def _count_round_trips(
    testbed: Testbed, samples: Iterable[Sample], report_progress: ReportProgress
) -> None:
    """Count the round trips of one client, and store them in the samples.

    The baseline has a count of its own; all other topologies have that of the tasks service.
    """
    for topology in testbed.counted_topologies:
        for operation in OPERATIONS:
            report_progress(f"counting round trips: {operation.name}, {topology.name}")
            await _send_with_one_client(testbed, topology, operation, WARM_UP_REQUESTS)
            testbed.proxy.round_trips = 0
            await _send_with_one_client(testbed, topology, operation, COUNTED_REQUESTS)
            round_trips = testbed.proxy.round_trips / COUNTED_REQUESTS
            for sample in samples:
                is_baseline = sample.topology.name == BASELINE
                if sample.operation is operation and is_baseline == (topology.name == BASELINE):
                    sample.round_trips = round_trips


async def _send_with_one_client(
    testbed: Testbed, topology: Topology, operation: Operation, requests: int
) -> None:
    scripts = _create_scripts(testbed, topology, operation, requests)
    await send_requests(topology.url, scripts[:1], requests)


def _resident_mebibytes(testbed: Testbed) -> dict[str, float]:
    mebibytes: dict[str, float] = {}
    for name, service in testbed.services().items():
        mebibytes[name] = resident_mebibytes(service.process)
    return mebibytes
