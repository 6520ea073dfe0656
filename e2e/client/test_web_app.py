"""The unit tests of the reference app; what it does in a browser is tested in `e2e/browser`."""

import subprocess
from typing import Final

from devkit.platform.node import NODE, installed_program
from devkit.platform.settings import CHECKOUT

FOLDER: Final = CHECKOUT / "apps" / "web"

TIMEOUT_SECONDS: Final = 120


def test_the_app_passes_its_unit_tests(client_environment: dict[str, str]) -> None:
    process = subprocess.run(
        [NODE, installed_program("vitest"), "run"],
        check=False,
        cwd=FOLDER,
        env=client_environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert process.returncode == 0, process.stdout + process.stderr
