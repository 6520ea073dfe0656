"""The tests of the TypeScript client, against the platform with a real Better Auth server."""

import subprocess
from pathlib import Path
from typing import Final

import pytest

from devkit.platform.node import NODE, installed_program
from devkit.platform.settings import CHECKOUT

FOLDER: Final = CHECKOUT / "clients" / "typescript"

TIMEOUT_SECONDS: Final = 300

TEST_FILES: Final = sorted(path.name for path in (FOLDER / "tests").glob("*.test.ts"))


@pytest.mark.parametrize("name", TEST_FILES)
def test_the_typescript_client_works_with_the_platform(
    name: str, client_environment: dict[str, str]
) -> None:
    process = subprocess.run(
        [NODE, installed_program("vitest"), "run", Path("tests") / name],
        check=False,
        cwd=FOLDER,
        env=client_environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert process.returncode == 0, process.stdout + process.stderr
