"""A copy of this checkout in which nothing was installed or built by npm."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import psutil

from devkit.platform.settings import CHECKOUT

COPIED: Final = (
    ".env.example",
    ".npmrc",
    "apps",
    "clients",
    "deploy/better-auth",
    "libs/devkit",
    "package-lock.json",
    "package.json",
    "services",
    "tsconfig.base.json",
)
"""What `make run` reads."""


def copy_checkout(folder: Path) -> Path:
    """Copy what Git knows, as it is in the working tree, into a new folder."""
    command = ["git", "ls-files", "-z", *COPIED]
    listing = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    for name in listing.stdout.strip("\0").split("\0"):
        if (CHECKOUT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, folder / name, follow_symlinks=False)
    return folder


def processes_of(checkout: Path) -> list[str]:
    """Return the command lines of all processes that work in a checkout, or were told to."""
    found: list[str] = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        command = " ".join(process.info["cmdline"] or [])
        if str(checkout) in command or str(process.info["cwd"]).startswith(str(checkout)):
            found.append(command)
    return found
