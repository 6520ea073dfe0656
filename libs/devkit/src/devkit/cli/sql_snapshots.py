"""`python -m devkit.cli.sql_snapshots`: write the SQL of the services' statements to files.

A service lists its statements in `tests/queries/statements.py`. The snapshot of each one is the
file `tests/queries/snapshots/<name>.sql`: what the database receives, formatted, so that a reviewer
sees in a diff what a change of a query means.
"""

import runpy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

from sqlalchemy import Executable

from devkit.platform.settings import CHECKOUT
from devkit.testing.sql_format import format_statement

SERVICES: Final = ("tasks", "users")
"""Services that have a database."""


def load_statements(service: str) -> Mapping[str, Executable]:
    """Return the statements of a service by the names of their snapshots."""
    module = runpy.run_path(str(_queries_folder(service) / "statements.py"))
    return cast("Mapping[str, Executable]", module["STATEMENTS"])


def render_snapshots(service: str) -> dict[Path, str]:
    """Return the text of each snapshot of a service by its file."""
    folder = _snapshots_folder(service)
    snapshots: dict[Path, str] = {}
    for name, statement in load_statements(service).items():
        snapshots[folder / f"{name}.sql"] = format_statement(statement)
    return snapshots


def read_snapshots(service: str) -> dict[Path, str]:
    """Return the snapshots of a service that are checked in."""
    files = sorted(_snapshots_folder(service).rglob("*.sql"))
    return {file: file.read_text() for file in files}


def write_snapshots(service: str) -> None:
    """Write all snapshots of a service, and remove those of statements that it no longer has."""
    snapshots = render_snapshots(service)
    for file in read_snapshots(service):
        if file not in snapshots:
            file.unlink()
    for file, text in snapshots.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def _queries_folder(service: str) -> Path:
    return CHECKOUT / "services" / service / "tests" / "queries"


def _snapshots_folder(service: str) -> Path:
    return _queries_folder(service) / "snapshots"


def main() -> int:
    """Write the snapshots of all services."""
    for service in SERVICES:
        write_snapshots(service)
    return 0


if __name__ == "__main__":
    sys.exit(main())
