"""`make check` and `make fix` for TypeScript: types of the API, format, lint, types.

`python -m devkit.cli.typescript check` changes nothing; `... fix` writes the types and the fixes.
"""

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from devkit.platform.errors import CannotRunError
from devkit.platform.node import NODE, install_packages, installed_program, node_environment
from devkit.platform.processes import ProcessGroup
from devkit.platform.settings import CHECKOUT, VAR

DOCUMENT: Final = CHECKOUT / "docs" / "openapi.json"

API_TYPES: Final = CHECKOUT / "clients" / "typescript" / "src" / "openapi.ts"
"""The types that are made from the OpenAPI document."""

PROJECTS: Final = ("clients/typescript", "apps/web", "apps/web/service-worker")
"""Folders with a `tsconfig.json`."""

CACHE: Final = VAR / "typescript"
"""What the tools remember of unchanged files."""

OUT_OF_DATE: Final = f"{API_TYPES.relative_to(CHECKOUT)} is older than docs/openapi.json: make fix"


def run(name: str, *arguments: str | Path) -> None:
    """Run a program of npm, which prints what is wrong.

    Raises:
        CannotRunError: It found something.
    """
    process = subprocess.run(
        [NODE, installed_program(name), *arguments],
        check=False,
        cwd=CHECKOUT,
        env=node_environment(),
    )
    if process.returncode:
        raise CannotRunError(f"{name} failed. What can be fixed automatically: make fix")


def write_api_types(path: Path) -> None:
    """Write the types that the OpenAPI document describes."""
    quiet = subprocess.run(
        [NODE, installed_program("openapi-typescript"), DOCUMENT, "--output", path],
        check=False,
        cwd=CHECKOUT,
        env=node_environment(),
        capture_output=True,
        text=True,
    )
    if quiet.returncode:
        raise CannotRunError(quiet.stdout + quiet.stderr)


def check_api_types() -> None:
    """Compare the types in the checkout with the OpenAPI document.

    Raises:
        CannotRunError: They differ.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    fresh = CACHE / "openapi.ts"
    write_api_types(fresh)
    if fresh.read_bytes() != API_TYPES.read_bytes():
        raise CannotRunError(OUT_OF_DATE)


def check() -> None:
    """Check all TypeScript.

    Raises:
        CannotRunError: Something is wrong.
    """
    check_api_types()
    run("prettier", "--check", "--log-level=warn", *_prettier_cache(), ".")
    for project in PROJECTS:
        info = CACHE / f"{project.replace('/', '-')}.tsbuildinfo"
        run("tsc", "--project", project, "--noEmit", "--incremental", "--tsBuildInfoFile", info)
    run("eslint", "--max-warnings=0", ".")


def fix() -> None:
    """Write the types of the API, and fix what ESLint and Prettier can fix.

    Raises:
        CannotRunError: Something has to be fixed by hand.
    """
    write_api_types(API_TYPES)
    run("eslint", "--fix", ".")
    run("prettier", "--write", "--log-level=warn", *_prettier_cache(), ".")


async def install() -> None:
    """Install the tools, unless they are up to date.

    Raises:
        CannotRunError: npm cannot get them; TypeScript cannot be checked then.
    """
    async with ProcessGroup(VAR / "log") as group:
        await install_packages(group)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("check", "fix"))
    command = parser.parse_args(arguments).command
    try:
        asyncio.run(install())
        if command == "check":
            check()
        else:
            fix()
    except CannotRunError as error:
        sys.exit(f"TypeScript: {error}")


def _prettier_cache() -> tuple[str, ...]:
    return ("--cache", "--cache-location", str(CACHE / "prettier"))


if __name__ == "__main__":
    main()
