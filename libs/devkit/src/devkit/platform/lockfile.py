"""Lock files that let only one run at a time use the data in `var/`."""

import asyncio
import fcntl
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from devkit.platform.errors import CannotRunError

LEFTOVERS_SECONDS: Final = 30.0
"""How long the processes of a killed run may take to end: more than all steps of the watchdog."""

RETRY_SECONDS: Final = 0.05


@asynccontextmanager
async def exclusive_lock(folder: Path) -> AsyncGenerator[int]:
    """Lock a folder and yield a file descriptor that every process using it must inherit.

    There are two locks: `run.lock` is held by the run itself, `processes.lock` by everything that
    it starts. So a run that goes on can be told from one that was killed and whose processes still
    end.

    Raises:
        CannotRunError: Another run holds the lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    run_lock = _open_lock(folder / "run.lock")
    processes_lock = _open_lock(folder / "processes.lock")
    try:
        if not _try_lock(run_lock):
            process_id = os.pread(run_lock, 20, 0).decode()
            raise CannotRunError(
                f"The platform of this checkout is running already, as process {process_id}. "
                "Stop that one first."
            )
        os.ftruncate(run_lock, 0)
        os.pwrite(run_lock, str(os.getpid()).encode(), 0)
        await _wait_for_leftovers(processes_lock)
        yield processes_lock
    finally:
        os.close(processes_lock)
        os.close(run_lock)


def is_locked(folder: Path) -> bool:
    """Tell whether a run holds the folder now."""
    try:
        lock = os.open(folder / "run.lock", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(lock)
    finally:
        os.close(lock)


@asynccontextmanager
async def wait_for_lock(file: Path) -> AsyncGenerator[None]:
    """Lock any file, after waiting until no other process locks it."""
    lock = _open_lock(file)
    try:
        while not _try_lock(lock):
            await asyncio.sleep(RETRY_SECONDS)
        yield
    finally:
        os.close(lock)


def _open_lock(file: Path) -> int:
    return os.open(file, os.O_RDWR | os.O_CREAT, 0o600)


async def _wait_for_leftovers(processes_lock: int) -> None:
    """Wait until the processes of a run that was killed have ended."""
    try:
        async with asyncio.timeout(LEFTOVERS_SECONDS):
            while not _try_lock(processes_lock):
                await asyncio.sleep(RETRY_SECONDS)
    except TimeoutError:
        message = "What a killed run left behind does not end: look for its processes."
        raise CannotRunError(message) from None


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
