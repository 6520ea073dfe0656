"""The Python files of the repository."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

FOLDERS: Final = ("libs", "services", "tests", "e2e", "bench", "docs")

SINGLE_FILES: Final = ("conftest.py", "deploy/compose.py", "deploy/docker_command.py")


def python_files() -> list[Path]:
    """Return all Python files that people write."""
    files = [ROOT / name for name in SINGLE_FILES]
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            if "node_modules" not in file.parts:
                files.append(file)
    return files
