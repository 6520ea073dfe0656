"""The commands of the README's walk-through print what the README promises."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from devkit.platform.environment import minimal_environment
from devkit.platform.tokens import DEVELOPER
from e2e.support.contract import Profile, Task
from e2e.support.isolated_platform import IsolatedPlatform

CHECKOUT = Path(__file__).parents[2]
HOST = "localhost:8080"


def read_walk_through() -> str:
    """Return the first block of shell in the section "Use it with curl"."""
    _, _, section = (CHECKOUT / "README.md").read_text().partition("\n## Use it with curl\n")
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert block
    return block[1]


def run_script(script: str, isolated_platform: IsolatedPlatform) -> list[str]:
    """Run a script in the checkout, with the secret that `make token` signs with.

    Returns:
        The lines that it prints.
    """
    environment = dict(minimal_environment())
    environment["BETTER_AUTH_SECRET"] = isolated_platform.secret
    environment["VENV"] = sys.prefix
    bash = shutil.which("bash") or "bash"
    process = subprocess.run(
        [bash, "-eu", "-o", "pipefail", "-c", script],
        check=False,
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    return process.stdout.splitlines()


@pytest.mark.scenario("S001-FR-001", "S001-FR-007", "S001-SC-001", "S002-SC-005")
def test_the_walk_through_does_what_it_says(isolated_platform: IsolatedPlatform) -> None:
    script = read_walk_through()
    assert HOST in script

    platform_host = isolated_platform.url.removeprefix("http://")
    lines = run_script(script.replace(HOST, platform_host), isolated_platform)

    documents = [json.loads(line or "null") for line in lines]
    created, listed, filtered, completed, replaced, deleted = documents[:6]
    assert created["title"] == "Water the plants"
    assert created["user_id"] == DEVELOPER
    assert set(created) == Task.__required_keys__
    assert listed == filtered == [created]
    assert completed["id"] == replaced["id"] == created["id"]
    assert completed["title"] == "Water the plants"
    assert completed["is_completed"] is True
    assert replaced["title"] == "Water the cactus"
    assert replaced["is_completed"] is False
    assert deleted is None

    planned, due_tasks, profile, changed_profile, export_header = documents[6:11]
    assert planned["labels"] == ["spring"]
    assert planned["due"]["date"] == "2027-03-01"
    assert due_tasks == [planned]
    assert profile["id"] == DEVELOPER
    assert profile["time_zone"] == "UTC"
    assert changed_profile["time_zone"] == "Europe/Paris"
    assert set(changed_profile) == Profile.__required_keys__

    assert export_header["kind"] == "export"
    assert export_header["user"] == changed_profile
    exported_kinds = [record["kind"] for record in documents[11:] if record]
    assert exported_kinds == ["list", "label", "task"]
