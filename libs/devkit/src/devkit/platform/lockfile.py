"""Only one run at a time may use what a checkout keeps in `var/`."""

import asyncio
import fcntl
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from devkit.platform.errors import CannotRunError

LEFTOVERS_SECONDS: Final = 30.0
"""How long the processes of a killed run may take to end: the watchdog's steps together, and some more."""


@asynccontextmanager
async def exclusive_lock(folder: Path) -> AsyncGenerator[int]:
    """Take the folder, and give the file descriptor that every process which uses it must inherit.

    There are two locks: one for the run itself, and this one for everything it starts. So a run that goes on can be
    told from one that was killed, whose processes are just being ended.

    Raises:
        CannotRunError: It is taken.
    """
    folder.mkdir(parents=True, exist_ok=True)
    run, processes = (
        os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        for name in ("run.lock", "processes.lock")
    )
    try:
        if not _lock(run):
            owner = os.pread(run, 20, 0).decode()
            message = f"The platform of this checkout is running already, as process {owner}. Stop that one first."
            raise CannotRunError(message)
        os.ftruncate(run, 0)
        os.pwrite(run, str(os.getpid()).encode(), 0)
        await _wait_for_leftovers(processes)
        yield processes
    finally:
        os.close(processes)
        os.close(run)


async def _wait_for_leftovers(processes: int) -> None:
    try:
        async with asyncio.timeout(LEFTOVERS_SECONDS):
            while not _lock(processes):
                await asyncio.sleep(0.05)
    except TimeoutError:
        message = "What a killed run left behind does not end: look for its processes."
        raise CannotRunError(message) from None


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
