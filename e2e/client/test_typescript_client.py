"""The tests of the TypeScript client, against the platform with a real Better Auth server."""

import subprocess
from pathlib import Path
from typing import Final

import pytest

from devkit.platform.node import NODE, installed_program, node_environment
from devkit.platform.settings import CHECKOUT
from e2e.client.conftest import SignInPlatform

FOLDER: Final = CHECKOUT / "clients" / "typescript"

TIMEOUT_SECONDS: Final = 300

TEST_FILES: Final = sorted(path.name for path in (FOLDER / "tests").glob("*.test.ts"))


@pytest.mark.parametrize("name", TEST_FILES)
def test_the_typescript_client_works_with_the_platform(
    name: str, sign_in_platform: SignInPlatform
) -> None:
    environment = node_environment()
    environment["PLATFORM_URL"] = sign_in_platform.url
    process = subprocess.run(
        [NODE, installed_program("vitest"), "run", Path("tests") / name],
        check=False,
        cwd=FOLDER,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert process.returncode == 0, process.stdout + process.stderr
