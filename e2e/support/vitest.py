"""Runs of Vitest, whose tests are written in TypeScript."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from devkit.platform.node import NODE, installed_program

TIMEOUT_SECONDS: Final = 300


def run_vitest(folder: Path, environment: Mapping[str, str], *files: str) -> None:
    """Run the tests of a package, or only those in some of its files.

    Raises:
        AssertionError: A test failed; the message is the output of Vitest.
    """
    process = subprocess.run(
        [NODE, installed_program("vitest"), "run", *files],
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert process.returncode == 0, process.stdout + process.stderr
