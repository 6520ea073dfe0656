"""How much memory the services hold, and the end of one that would take the machine's."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import psutil

from bench.meter import MEBIBYTE, resident_mebibytes
from devkit.platform.services import Service

KILLED_ABOVE_MEBIBYTES: Final = 1_024.0
"""A service that holds more is killed, as its container would do at a quarter of it."""

LOOK_SECONDS: Final = 0.05
"""How often that is looked at."""


def peak_mebibytes(services: Sequence[Service]) -> Mapping[str, float | None]:
    """Return the most memory that each has held, by its name; None for one that has ended."""
    return {service.name: _peak_mebibytes(service) for service in services}


@asynccontextmanager
async def bounded(services: Sequence[Service]) -> AsyncGenerator[None]:
    """Kill each service that holds too much, as long as the block lasts."""
    guard = asyncio.create_task(_guard(services))
    try:
        yield
    finally:
        guard.cancel()


async def _guard(services: Sequence[Service]) -> None:
    while True:
        for service in services:
            if (
                _is_running(service)
                and resident_mebibytes(service.process) > KILLED_ABOVE_MEBIBYTES
            ):
                service.process.popen.kill()
        await asyncio.sleep(LOOK_SECONDS)


def _is_running(service: Service) -> bool:
    return service.process.popen.poll() is None


def _peak_mebibytes(service: Service) -> float | None:
    """Linux knows the peak; elsewhere it is what the process holds now."""
    if not _is_running(service):
        return None
    status = Path(f"/proc/{service.process.popen.pid}/status")
    if not status.exists():
        return psutil.Process(service.process.popen.pid).memory_info().rss / MEBIBYTE
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024
