"""The peak memory of services, and a guard that kills a service with far too much memory."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from bench.meter import resident_mebibytes
from devkit.platform.services import Service

KILLED_ABOVE_MEBIBYTES: Final = 1_024.0
"""A service with more memory is killed; its container would be killed at a quarter of it."""

POLL_SECONDS: Final = 0.05
"""Pause between two looks at the memory."""

KIBIBYTES_PER_MEBIBYTE: Final = 1024


def peak_mebibytes(services: Sequence[Service]) -> Mapping[str, float | None]:
    """Return the peak memory of each service by its name; None for one that has ended."""
    return {service.name: _peak_mebibytes(service) for service in services}


@asynccontextmanager
async def memory_guard(services: Sequence[Service]) -> AsyncGenerator[None]:
    """Kill each service that uses too much memory during the block."""
    guard = asyncio.create_task(_kill_large_services(services))
    try:
        yield
    finally:
        guard.cancel()


async def _kill_large_services(services: Sequence[Service]) -> None:
    while True:
        for service in services:
            if not _is_running(service):
                continue
            if resident_mebibytes(service.process) > KILLED_ABOVE_MEBIBYTES:
                service.process.popen.kill()
        await asyncio.sleep(POLL_SECONDS)


def _is_running(service: Service) -> bool:
    return service.process.popen.poll() is None


def _peak_mebibytes(service: Service) -> float | None:
    """Return the peak memory on Linux, elsewhere the current memory."""
    if not _is_running(service):
        return None
    status = Path(f"/proc/{service.process.popen.pid}/status")
    if not status.exists():
        return resident_mebibytes(service.process)
    for line in status.read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            kibibytes = int(value.split()[0])
            return kibibytes / KIBIBYTES_PER_MEBIBYTE
    return None
