"""Tools of Go and Java accept the OpenAPI document; `e2e/client` has TypeScript."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

from devkit.openapi.document import OPENAPI_FILE, build_document
from devkit.openapi.schemas import Json

TOOLS: Final = Path(__file__).parents[1] / "openapi_tools"

PATH_COUNT: Final = len(cast("Json", build_document()["paths"]))

TIMEOUT_SECONDS: Final = 400
"""Far longer than a run takes; the first one installs packages and compiles."""


def count_paths(command: Sequence[str]) -> int:
    """Validate the document by a program, and return the number of paths that it prints."""
    name, *arguments = command
    process = subprocess.run(
        [shutil.which(name) or name, *arguments],
        check=False,
        cwd=TOOLS,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    [count] = re.findall("paths: ([0-9]+)", process.stdout)
    return int(count)


def test_kin_openapi_accepts_the_document() -> None:
    assert count_paths(["go", "run", "-C", "go", ".", str(OPENAPI_FILE)]) == PATH_COUNT


def test_swagger_parser_accepts_the_document() -> None:
    maven = [
        "mvn",
        "--quiet",
        "--batch-mode",
        "-Dstyle.color=never",
        "--file",
        "java",
        "compile",
        "exec:java",
        f"-Dexec.args={OPENAPI_FILE}",
    ]

    assert count_paths(maven) == PATH_COUNT
