"""A client whose types are made from the OpenAPI document: it compiles, finds mistakes, and works."""

import json
import os
import subprocess
from pathlib import Path
from typing import Final

import pytest

from devkit.platform.processes import ProcessGroup
from e2e.support.contract import Profile, Task
from e2e.support.npm import find_program, install_packages
from e2e.support.user_client import UserClientFactory

FOLDER: Final = Path(__file__).parents[1].joinpath("typescript")
"""Where the client is; what is made from it lies in `made`."""

RUN_SECONDS: Final = 120


def run(*command: str, **told: str) -> str:
    """Run a program of Node.js to its successful end, and return what it printed."""
    done = subprocess.run(
        [find_program("node"), *command],
        check=False,
        cwd=FOLDER,
        env=os.environ | told,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.scenario("S001-SC-005", "S002-FR-012")
async def test_a_client_made_from_the_document_compiles_and_works(
    processes: ProcessGroup, base_url: str, as_user: UserClientFactory
) -> None:
    ada = as_user("ada")
    await install_packages(processes, FOLDER)

    run(
        "node_modules/.bin/openapi-typescript",
        f"{base_url}/openapi.json",
        "--output",
        "made/api.d.ts",
    )
    run("node_modules/.bin/tsc")
    printed = run(
        "made/client.js",
        BASE_URL=base_url,
        TOKEN=ada.headers["authorization"].removeprefix("Bearer "),
    )

    found = json.loads(printed)
    created, changed, replaced, profile = (
        found[name] for name in ("created", "changed", "replaced", "profile")
    )
    assert set(created) == Task.__required_keys__
    assert [task["title"] for task in (created, changed, replaced)] == ["Water the plants"] * 2 + [
        "Water the cactus"
    ]
    assert [task["is_completed"] for task in (created, changed, replaced)] == [False, True, False]
    assert found["listed"] == [replaced]
    assert (set(profile), profile["time_zone"]) == (Profile.__required_keys__, "Europe/Paris")
    assert found["missing"] == "task-not-found"
    assert await ada.list_tasks() == []
