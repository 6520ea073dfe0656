"""`make client`: build the TypeScript client, as an archive that `npm install` takes."""

import asyncio
import os
import shutil
import sys
from pathlib import Path
from typing import Final

from devkit.platform.errors import CannotRunError
from devkit.platform.node import install_packages, node_environment, npm_command
from devkit.platform.processes import ProcessGroup
from devkit.platform.settings import CHECKOUT, VAR

FOLDER: Final = CHECKOUT / "clients" / "typescript"

DESTINATION: Final = VAR / "client"
"""Where the archive is written."""


async def build_client() -> Path:
    """Build the package; return the archive.

    Raises:
        CannotRunError: npm or the build failed.
    """
    # What was built from a file that is gone must not be in the archive.
    for folder in (FOLDER / "dist", DESTINATION):
        shutil.rmtree(folder, ignore_errors=True)
    DESTINATION.mkdir(parents=True)
    async with ProcessGroup(VAR / "log") as group:
        await install_packages(group)
        build = npm_command("run", "build", "--prefix", FOLDER)
        await group.run("client-build", build, node_environment())
        pack = npm_command("pack", FOLDER, "--pack-destination", DESTINATION)
        await group.run("client-pack", pack, node_environment())
    (archive,) = DESTINATION.iterdir()
    return archive


def main() -> None:
    """Print how to install the archive."""
    try:
        archive = asyncio.run(build_client())
    except CannotRunError as error:
        sys.exit(str(error))
    command = f"npm install {archive} better-auth"
    print(f"Built {os.path.relpath(archive)}. In your front end: {command}")


if __name__ == "__main__":
    main()
