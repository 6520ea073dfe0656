"""A client with types from the OpenAPI document compiles, rejects mistakes, and works."""

import json
import os
import subprocess
from pathlib import Path
from typing import Final

import pytest

from devkit.platform.node import NODE, install_packages
from devkit.platform.processes import ProcessGroup
from e2e.support.contract import Profile, Task
from e2e.support.user_client import UserClientFactory

FOLDER: Final = Path(__file__).parents[1] / "typescript"
"""The source of the client; generated files are in `made`."""

TIMEOUT_SECONDS: Final = 120


def run_node(*arguments: str, **environment: str) -> str:
    """Run a JavaScript file, check that it succeeds, and return what it prints.

    Args:
        arguments: The file and its arguments.
        environment: Variables besides those of this process.
    """
    process = subprocess.run(
        [NODE, *arguments],
        check=False,
        cwd=FOLDER,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


@pytest.mark.scenario("S001-SC-005", "S002-FR-012")
async def test_a_client_with_generated_types_compiles_and_works(
    processes: ProcessGroup, base_url: str, as_user: UserClientFactory
) -> None:
    ada = as_user("ada")
    token = ada.headers["authorization"].removeprefix("Bearer ")
    await install_packages(processes, FOLDER)

    openapi_url = f"{base_url}/openapi.json"
    run_node("node_modules/.bin/openapi-typescript", openapi_url, "--output", "made/api.d.ts")
    run_node("node_modules/.bin/tsc")
    output = run_node("made/client.js", BASE_URL=base_url, TOKEN=token)

    report = json.loads(output)
    created = report["created"]
    changed = report["changed"]
    replaced = report["replaced"]
    profile = report["profile"]
    assert set(created) == Task.__required_keys__
    assert created["title"] == "Water the plants"
    assert created["is_completed"] is False
    assert changed["title"] == "Water the plants"
    assert changed["is_completed"] is True
    assert replaced["title"] == "Water the cactus"
    assert replaced["is_completed"] is False
    assert report["listed"] == [replaced]
    assert set(profile) == Profile.__required_keys__
    assert profile["time_zone"] == "Europe/Paris"
    assert report["missing"] == "task-not-found"
    assert await ada.list_tasks() == []
