"""The code of the guides in `docs/front-ends`, as apps that can be started."""

import json
import re
import shlex
from pathlib import Path
from typing import Final

import httpx

from devkit.platform.node import node_environment, npm_command
from devkit.platform.processes import ProcessGroup
from devkit.platform.settings import CHECKOUT

GUIDES: Final = CHECKOUT / "docs" / "front-ends"

_PLATFORM: Final = "http://localhost:8080"
"""The platform, as the guides name it."""

_CODE: Final = re.compile(
    r"^```\w+\n(?://|<!--) (?P<name>\S+), [^\n]*\n(?P<code>.*?)^```", re.DOTALL | re.MULTILINE
)
"""A block whose first line names a file and says what it is."""

_INSTALLATION: Final = re.compile(r"^npm install (.*)$", re.MULTILINE)

_PACKAGE_TYPE: Final = re.compile(r"npm pkg set type=(\w+)")


def code_blocks(guide: Path) -> dict[str, str]:
    """Return the code of a guide by the file names in the first lines of its blocks."""
    return {block["name"]: block["code"] for block in _CODE.finditer(guide.read_text())}


def write_code(guide: Path, folder: Path, platform_url: str) -> None:
    """Write the files of a guide, for a platform at another URL."""
    for name, code in code_blocks(guide).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(code.replace(_PLATFORM, platform_url))


async def install_packages_of(
    group: ProcessGroup, guide: Path, folder: Path, client_archive: Path
) -> None:
    """Run the `npm` commands of a guide that prepare a folder.

    Raises:
        CannotRunError: npm failed.
    """
    (folder / "package.json").write_text(json.dumps(_package_json(guide)))
    for number, packages in enumerate(_packages(guide, client_archive)):
        options = ["--prefix", folder, "--prefer-offline", "--no-audit", "--no-fund"]
        command = npm_command("install", *options, *packages)
        await group.run(f"{guide.stem}-npm-{number}", command, node_environment())


def _package_json(guide: Path) -> dict[str, object]:
    package: dict[str, object] = {"private": True}
    package_type = _PACKAGE_TYPE.search(guide.read_text())
    if package_type is not None:
        package["type"] = package_type[1]
    return package


def _packages(guide: Path, client_archive: Path) -> list[list[str]]:
    """Return the arguments of each `npm install` of a guide."""
    lines = _INSTALLATION.findall(guide.read_text())
    return [shlex.split(line.replace("$CLIENT", str(client_archive))) for line in lines]


async def is_up(url: str) -> bool:
    """Tell whether a server answers at a URL with success."""
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(url)).is_success
        except httpx.TransportError:
            return False
