"""Runs `make run` for tests, on a folder and a port of its own."""

import fcntl
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from devkit.platform.environment import minimal_environment
from devkit.platform.services import free_ports
from devkit.platform.settings import CHECKOUT, RunSettings

UNSET: Final = {name.upper(): "" for name in RunSettings.model_fields}
"""Empty values, so that a developer's own `.env` has no effect."""

END_SECONDS: Final = 60
"""How long a run may take to stop."""

LEFTOVERS_SECONDS: Final = 15
"""How long the processes of a killed run may take to end."""

Run = subprocess.Popen[str]


@contextmanager
def running(
    folder: Path, environment: Mapping[str, str], *, checkout: Path = CHECKOUT
) -> Generator[Run]:
    """Start a run, and kill it at the end of the block.

    Args:
        folder: Folder for data, logs and keys.
        environment: Settings.
        checkout: Checkout that its code and the front end are taken from.
    """
    command = [sys.executable, "-m", "devkit.cli.run", "--folder", str(folder)]
    (port,) = free_ports(1)
    settings = minimal_environment() | UNSET | {"PORT": str(port)}
    settings.update(environment)
    settings["PYTHONPATH"] = str(checkout / "libs" / "devkit" / "src")
    with subprocess.Popen(
        command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as run:
        try:
            yield run
        finally:
            run.kill()


def running_without_app(folder: Path, **environment: str) -> AbstractContextManager[Run]:
    """Start a run as `running` does, but without the app, which takes long to build."""
    return running(folder, {"APP": "off"} | environment)


def output_until(run: Run, text: str) -> str:
    """Return the output up to the line with this text.

    Raises:
        AssertionError: The run ended before; the message is its output.
    """
    output = ""
    for line in run.stdout or ():
        output += line
        if text in line:
            return output
    raise AssertionError(output)


def output_until_started(run: Run) -> str:
    """Return the output of a start; the arguments and errors are those of `output_until`."""
    return output_until(run, "Ctrl-C stops everything")


def output_until_end(run: Run) -> str:
    """Return the rest of the output."""
    output, _ = run.communicate(timeout=END_SECONDS)
    return output


def wait_until_all_processes_ended(folder: Path) -> None:
    """Wait for the lock that every process of a run holds.

    Raises:
        AssertionError: A process is left.
    """
    with (folder / "processes.lock").open() as lock:
        deadline = time.monotonic() + LEFTOVERS_SECONDS
        while time.monotonic() < deadline:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.05)
            else:
                return
    raise AssertionError("a process is left")
