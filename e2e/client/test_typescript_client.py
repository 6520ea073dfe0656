"""The tests of the TypeScript client, against the platform with a real Better Auth server."""

from typing import Final

import pytest

from devkit.platform.settings import CHECKOUT
from e2e.support.vitest import run_vitest

FOLDER: Final = CHECKOUT / "clients" / "typescript"

TEST_FILES: Final = sorted(path.name for path in (FOLDER / "tests").glob("*.test.ts"))


@pytest.mark.parametrize("name", TEST_FILES)
def test_the_typescript_client_works_with_the_platform(
    name: str, client_environment: dict[str, str]
) -> None:
    run_vitest(FOLDER, client_environment, f"tests/{name}")
