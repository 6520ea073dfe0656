"""The steps of docs/extending.md are complete: the example works in a copy of the repository."""

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tasks.models import REVISIONS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text()

NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "node_modules", "var"
)

KINDS_OF_FILES = [
    r"services/tasks/migrations/versions/.+\.py",
    r"services/tasks/src/tasks/models\.py",
    r"services/tasks/src/tasks/task/schemas\.py",
    r"services/tasks/src/tasks/task/columns\.py",
    r"docs/\w+\.md",
    r"services/tasks/tests/support/task_fields\.py",
    r"e2e/support/reference_model\.py",
]
"""Files that a new nullable column may touch, besides generated ones."""

TESTS_OF_THE_EXAMPLE = [
    "services/tasks/tests/task/test_fields.py",
    "services/tasks/tests/core/test_migrations.py::test_the_release_lists_all_revisions",
    "services/tasks/tests/core/test_migrations.py::test_the_models_match_the_migrations",
    "tests/test_planning.py",
]


class Edit(NamedTuple):
    """A code block of the page: a whole file, or a diff of one place in a file."""

    path: str
    language: str
    code: str


def _edits() -> Iterator[Edit]:
    """Return the code blocks. Their migration follows the newest one, whichever that is by now."""
    newest_on_page = re.findall(r'^down_revision = "(\w+)"', PAGE, re.MULTILINE)[0]
    for step in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        heading = re.match(r"\d+\. `([^`]+)`", step)
        if heading is None:
            continue
        for language, code in re.findall(r"^```(\w+)\n(.*?)^```$", step, re.MULTILINE | re.DOTALL):
            yield Edit(heading[1], language, code.replace(newest_on_page, REVISIONS[-1]))


def _listed_files() -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)


def _apply(edit: Edit, checkout: Path) -> None:
    file = checkout / edit.path
    if edit.language == "python":
        assert not file.exists()
        file.write_text(edit.code)
        return
    old_lines: list[str] = []
    new_lines: list[str] = []
    for line in edit.code.splitlines(keepends=True):
        if not line.startswith("+"):
            old_lines.append(line[1:])
        if not line.startswith("-"):
            new_lines.append(line[1:])
    text = file.read_text()
    old = "".join(old_lines)
    assert text.count(old) == 1, f"{edit.path} has this not exactly once:\n{old}"
    file.write_text(text.replace(old, "".join(new_lines)))


def _create_environment(checkout: Path, folder: Path) -> Path:
    """Create a virtual environment with the packages of this one, but our own from the checkout."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    sources = [str(source) for source in checkout.glob("*/*/src")]
    packages = sysconfig.get_path("purelib")
    [site_packages] = folder.glob("lib/python*/site-packages")
    (site_packages / "checkout.pth").write_text("\n".join([*sources, packages]))
    return folder / "bin" / "python"


def _run(python: Path, checkout: Path, *arguments: str) -> None:
    process = subprocess.run(
        [python, *arguments], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stdout[-10_000:] + process.stderr[-2_000:]


def test_the_list_has_the_files_that_the_steps_change() -> None:
    changed_files = list(dict.fromkeys(edit.path for edit in _edits()))

    assert _listed_files() == changed_files


def test_a_new_column_touches_no_other_files() -> None:
    files = _listed_files()

    assert len(files) == len(KINDS_OF_FILES)
    for file, pattern in zip(files, KINDS_OF_FILES, strict=True):
        assert re.fullmatch(pattern, file)


def test_every_file_that_the_page_names_exists() -> None:
    new_files = {edit.path for edit in _edits() if edit.language == "python"}
    names = set(re.findall(r"`((?:services|docs|e2e)/[^`]+)`", PAGE)) - new_files
    names |= {f"services/tasks/src/tasks/{name}" for name in re.findall(r"`(task/[^`]+)`", PAGE)}

    assert [name for name in sorted(names) if not (ROOT / name).exists()] == []


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the repository with the example."""
    copy = tmp_path_factory.mktemp("extending") / "checkout"
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED, symlinks=True)
    for edit in _edits():
        _apply(edit, copy)
    return copy


def test_the_example_passes_the_tests(checkout: Path, tmp_path: Path) -> None:
    python = _create_environment(checkout, tmp_path / "environment")

    _run(python, checkout, "-m", "devkit.openapi.document")
    assert "estimate_minutes" in (checkout / "docs" / "openapi.json").read_text()
    _run(python, checkout, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS_OF_THE_EXAMPLE)
