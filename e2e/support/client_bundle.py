"""The client package as one script, so that a test can call it in a page."""

from pathlib import Path
from typing import Final

from devkit.platform.node import (
    NODE,
    install_packages,
    installed_program,
    node_environment,
)
from devkit.platform.processes import ProcessGroup
from devkit.platform.settings import CHECKOUT

_CONFIGURATION: Final = CHECKOUT / "e2e" / "browser" / "client" / "vite.config.ts"


async def build_client_bundle(group: ProcessGroup, folder: Path) -> str:
    """Return a script that defines `createTestClient()`: a client of the page's origin.

    Args:
        group: Runs the commands.
        folder: An empty folder for the script.
    """
    await install_packages(group)
    command = [NODE, installed_program("vite"), "build"]
    command += ["--config", _CONFIGURATION, "--outDir", folder]
    await group.run("client-bundle", command, node_environment())
    return (folder / "client.js").read_text()
