"""The build of the app in `apps/web`, which is done again only if its sources have changed."""

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

from devkit.platform.errors import CannotRunError
from devkit.platform.lockfile import wait_for_lock
from devkit.platform.node import install_packages, node_environment, npm_command
from devkit.platform.processes import ProcessGroup
from devkit.platform.settings import CHECKOUT

FOLDER: Final = CHECKOUT / "apps" / "web"

BUILD: Final = FOLDER / "dist"
"""The built app."""

SOURCES: Final = (
    CHECKOUT / "package.json",
    CHECKOUT / "package-lock.json",
    CHECKOUT / "tsconfig.base.json",
    CHECKOUT / "clients" / "typescript",
    FOLDER,
)
"""Files and folders that the build reads, besides the installed packages."""

IGNORED_FOLDERS: Final = ("dist", "node_modules")

DIGEST_FILE: Final = BUILD / ".sources"
"""Digest of the sources of the build, written as its last step."""


def is_app_built() -> bool:
    """Tell whether there is a complete build of the present sources."""
    try:
        return DIGEST_FILE.read_text() == _digest_of_sources()
    except FileNotFoundError:
        return False


async def install_app_packages(group: ProcessGroup) -> None:
    """Install what the build needs, unless it is installed.

    Raises:
        CannotRunError: Neither registry nor cache has the packages, or npm failed otherwise.
    """
    await install_packages(group, CHECKOUT, log_name="app-npm")


async def build_app(group: ProcessGroup) -> None:
    """Build the app from sources whose packages are installed, unless it is built.

    Raises:
        CannotRunError: The build failed; the message is one line.
    """
    async with wait_for_lock(FOLDER / "package.json"):
        if is_app_built():
            return
        # Before the build: what changes meanwhile may not be in it.
        digest = _digest_of_sources()
        DIGEST_FILE.unlink(missing_ok=True)
        command = npm_command("run", "build", "--prefix", FOLDER)
        try:
            await group.run("app-build", command, node_environment())
        except CannotRunError:
            log = os.path.relpath(group.log_file("app-build"))
            raise CannotRunError(f"its build failed; see {log}") from None
        DIGEST_FILE.write_text(digest)


def _digest_of_sources() -> str:
    digest = sha256()
    for source in SOURCES:
        for file in sorted(_files(source)):
            content = file.read_bytes()
            digest.update(f"{file.relative_to(CHECKOUT)} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()


def _files(source: Path) -> Iterator[Path]:
    if source.is_file():
        yield source
        return
    for path in source.iterdir():
        if path.name not in IGNORED_FOLDERS:
            yield from _files(path)
