"""The usual tools of Go and Java read the OpenAPI document; `test_typescript.py` shows it for JavaScript."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

from devkit.openapi.document import OPENAPI_FILE, build_document
from devkit.openapi.schemas import Json
from e2e.support.npm import find_program

TOOLS: Final = Path(__file__).parents[1].joinpath("openapi_tools")

PATHS: Final = len(cast("Json", build_document()["paths"]))

RUN_SECONDS: Final = 400
"""Far more than it takes; the first time, packages are fetched and compiled."""


def number_of_paths(command: Sequence[str]) -> int:
    """Let a program validate the document, and return how many paths it found."""
    run = subprocess.run(
        [find_program(command[0]), *command[1:]],
        check=False,
        cwd=TOOLS,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    (found,) = re.findall("paths: ([0-9]+)", run.stdout)
    return int(found)


def test_kin_openapi_takes_the_document() -> None:
    assert number_of_paths(["go", "run", "-C", "go", ".", str(OPENAPI_FILE)]) == PATHS


def test_swagger_parser_takes_the_document() -> None:
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

    assert number_of_paths(maven) == PATHS
