"""What processes have used."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import psutil

from devkit.platform.processes import Process

MEBIBYTE: Final = 2**20
"""Bytes."""


def cpu_seconds(process: Process) -> float:
    """Return how much CPU a process and its children have used, user and system, those that have ended as well."""
    parent = psutil.Process(process.popen.pid)
    own = parent.cpu_times()
    ended = own.children_user + own.children_system
    return (
        own.user
        + own.system
        + ended
        + sum(map(_cpu_seconds_if_alive, parent.children(recursive=True)))
    )


def resident_mebibytes(process: Process) -> float:
    """Return how much memory a process holds."""
    return psutil.Process(process.popen.pid).memory_info().rss / MEBIBYTE


class Meter:
    """Reads what each of some processes has used since it was made."""

    def __init__(self, processes: Mapping[str, Process]) -> None:
        self._processes = processes
        self._before = self._used()

    def read(self) -> dict[str, float]:
        """Return CPU seconds, by the names of the processes."""
        return {name: used - self._before[name] for name, used in self._used().items()}

    def _used(self) -> dict[str, float]:
        return {name: cpu_seconds(process) for name, process in self._processes.items()}


def _cpu_seconds_if_alive(child: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = child.cpu_times()
        return times.user + times.system
    return 0
