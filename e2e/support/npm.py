"""Programs of Node.js, and the packages that a folder's lock file names."""

import os
import shutil
from pathlib import Path

from devkit.platform.processes import ProcessGroup


async def install(group: ProcessGroup, folder: Path) -> None:
    """Fetch what the lock file names, if that has not happened since it was changed."""
    done = folder / "node_modules" / ".package-lock.json"
    if not done.exists() or done.stat().st_mtime < (folder / "package-lock.json").stat().st_mtime:
        await group.run(
            "npm", [program("npm"), "ci", "--prefer-offline", "--prefix", folder], os.environ
        )


def program(name: str) -> str:
    """Find a program of this machine."""
    return shutil.which(name) or name
