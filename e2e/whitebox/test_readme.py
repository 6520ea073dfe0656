"""The README's walk-through, run as it is written there."""

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
from e2e.support.isolated_platform import OwnPlatform

CHECKOUT = Path(__file__).parents[2]
ADDRESS = "localhost:8080"


def walk_through() -> str:
    """Return the first block of shell below "Use it"."""
    _, _, below = (CHECKOUT / "README.md").read_text().partition("\n## Use it\n")
    block = re.search(r"```sh\n(.*?)```", below, re.DOTALL)
    assert block
    return block[1]


def printed_by(script: str, own: OwnPlatform) -> list[str]:
    """Run a script where the README says, with the secret that `make token` signs with, and return its lines."""
    told = {"BETTER_AUTH_SECRET": own.secret, "VENV": sys.prefix}
    bash = shutil.which("bash") or "bash"
    done = subprocess.run(
        [bash, "-eu", "-o", "pipefail", "-c", script],
        check=False,
        cwd=CHECKOUT,
        env=minimal_environment() | told,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.scenario("S001-FR-001", "S001-FR-007", "S001-SC-001", "S002-SC-005")
def test_the_walk_through_does_what_it_says(own: OwnPlatform) -> None:
    script = walk_through()
    assert ADDRESS in script

    lines = printed_by(script.replace(ADDRESS, own.url.removeprefix("http://")), own)

    (
        created,
        listed,
        found,
        completed,
        replaced,
        deleted,
        sown,
        due,
        profile,
        moved,
        exported,
        *others,
    ) = (json.loads(line or "null") for line in lines)
    assert (created["title"], created["user_id"]) == ("Water the plants", DEVELOPER)
    assert listed == found == [created]
    assert (completed["title"], completed["is_completed"]) == ("Water the plants", True)
    assert (replaced["title"], replaced["is_completed"]) == ("Water the cactus", False)
    assert {created["id"], completed["id"], replaced["id"]} == {created["id"]}
    assert deleted is None
    assert (sown["labels"], sown["due"]["date"], due) == (["spring"], "2027-03-01", [sown])
    assert (profile["id"], profile["time_zone"], moved["time_zone"]) == (
        DEVELOPER,
        "UTC",
        "Europe/Paris",
    )
    assert (exported["kind"], exported["user"]) == ("export", moved)
    assert [line["kind"] for line in others if line] == ["list", "label", "task"]
    assert set(created) == Task.__required_keys__
    assert set(moved) == Profile.__required_keys__
