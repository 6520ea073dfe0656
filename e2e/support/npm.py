"""Programs of Node.js, and the packages that they need."""

import os
import shutil
from pathlib import Path

from devkit.platform.processes import ProcessGroup


async def install_packages(group: ProcessGroup, folder: Path) -> None:
    """Install the packages of a folder's lock file, unless they are up to date."""
    lock_file = folder / "package-lock.json"
    installed = folder / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock_file.stat().st_mtime:
        return
    command = [find_program("npm"), "ci", "--prefer-offline", "--prefix", folder]
    await group.run("npm", command, os.environ)


def find_program(name: str) -> str:
    """Return the path of a program, or its name if it is not installed."""
    return shutil.which(name) or name
