"""The page that `make fix` generates from the markers of the tests, and its gaps."""

import subprocess
import sys
from pathlib import Path

import pytest

REQUIREMENTS = """
[S009]
title = "Plants"
"US1.1" = "Plants get water"
"US1.2" = { sentence = "Plants are happy", for_people = "They tell nobody." }
"""

TEST = """
@pytest.mark.scenario("S009-US1.1", "S009-US1.2")
async def test_water_is_given(): ...
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "e2e" / "plants").mkdir(parents=True)
    (tmp_path / "docs" / "requirements.toml").write_text(REQUIREMENTS)
    return tmp_path


def trace(checkout: Path, tests: str) -> tuple[str, str]:
    """Generate the page; return it, and the errors of the command."""
    (checkout / "e2e" / "plants" / "test_water.py").write_text(tests)
    command = [sys.executable, "-m", "devkit.cli.traceability", "--checkout", str(checkout)]
    process = subprocess.run(command, check=False, capture_output=True, text=True)
    assert process.returncode == bool(process.stderr)
    return (checkout / "docs" / "traceability.md").read_text(), process.stderr


def test_each_requirement_is_listed_with_its_tests(checkout: Path) -> None:
    page, errors = trace(checkout, TEST)

    assert errors == ""
    assert page.endswith(
        "## S009: Plants\n\n| Id | What | Shown by |\n|---|---|---|\n"
        "| S009-US1.1 | Plants get water | `e2e/plants/test_water.py::test_water_is_given` |\n"
        "| S009-US1.2 | Plants are happy | `e2e/plants/test_water.py::test_water_is_given`"
        "<br>For people to judge: They tell nobody. |\n"
    )


def test_the_page_is_the_same_every_time(checkout: Path) -> None:
    assert trace(checkout, TEST) == trace(checkout, TEST)


def test_a_requirement_without_a_test_is_named_unless_only_people_can_judge_it(
    checkout: Path,
) -> None:
    _, errors = trace(checkout, TEST.replace("@pytest", "# @pytest"))

    assert errors == "S009-US1.1 is shown by no test\n"


def test_a_marker_that_names_no_requirement_is_named_with_its_test(checkout: Path) -> None:
    _, errors = trace(checkout, TEST.replace("S009-US1.2", "S009-US1.3"))

    assert errors == "S009-US1.3 is no requirement: e2e/plants/test_water.py::test_water_is_given\n"
