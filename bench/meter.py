"""CPU time and memory of processes."""

from collections.abc import Mapping
from typing import Final

import psutil

from devkit.platform.processes import Process

MEBIBYTE: Final = 2**20
"""Bytes."""


def cpu_seconds(process: Process) -> float:
    """Return the CPU time of a process and its children, also of those that have ended."""
    parent = psutil.Process(process.popen.pid)
    times = parent.cpu_times()
    seconds = times.user + times.system + times.children_user + times.children_system
    for child in parent.children(recursive=True):
        seconds += _cpu_seconds_if_alive(child)
    return seconds


def resident_mebibytes(process: Process) -> float:
    """Return the resident memory of a process."""
    return psutil.Process(process.popen.pid).memory_info().rss / MEBIBYTE


class Meter:
    """Measures the CPU time of processes since its creation."""

    def __init__(self, processes: Mapping[str, Process]) -> None:
        self._processes = processes
        self._start_seconds = self._cpu_seconds()

    def read(self) -> dict[str, float]:
        """Return the CPU seconds by the names of the processes."""
        used_seconds: dict[str, float] = {}
        for name, seconds in self._cpu_seconds().items():
            used_seconds[name] = seconds - self._start_seconds[name]
        return used_seconds

    def _cpu_seconds(self) -> dict[str, float]:
        return {name: cpu_seconds(process) for name, process in self._processes.items()}


def _cpu_seconds_if_alive(child: psutil.Process) -> float:
    try:
        times = child.cpu_times()
    except psutil.NoSuchProcess:
        return 0
    return times.user + times.system
