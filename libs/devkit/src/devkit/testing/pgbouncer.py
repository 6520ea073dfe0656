"""PgBouncer in front of a PostgreSQL of this machine."""

import os
import shutil
import signal
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from pwd import getpwnam
from tempfile import TemporaryDirectory
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from devkit.platform.environment import minimal_environment
from devkit.platform.processes import Process, ProcessGroup
from devkit.platform.services import free_ports

PROGRAM: Final = os.environ.get("POOLER") or shutil.which("pgbouncer")
"""The PgBouncer that tests run; None if there is none."""

FOLLOWING_SINCE: Final = (1, 21)
"""The first version that can follow prepared statements."""

CONFIGURATION: Final = """
[databases]
* = host={host} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = 4
server_round_robin = 1
server_idle_timeout = 5
"""
"""All clients of a database share four sessions, and each transaction gets another one."""


@dataclass(frozen=True)
class PgBouncer:
    """A running pooler, in front of all databases of a server."""

    process: Process
    configuration: str
    file: Path
    port: int

    def url(self, database_url: str) -> str:
        """Return the URL of a database of the server through the pooler."""
        database = conninfo_to_dict(database_url)["dbname"]
        return f"postgresql://anybody@127.0.0.1:{self.port}/{database}"

    def follow(self, prepared_max: int) -> None:
        """Follow so many prepared statements from now on; clients stay connected."""
        self.file.write_text(self.configuration + _follow(prepared_max))
        self.process.popen.send_signal(signal.SIGHUP)


def can_follow() -> bool:
    """Tell whether the program can follow prepared statements."""
    if PROGRAM is None:
        return False
    output = subprocess.run([PROGRAM, "--version"], capture_output=True, check=True, text=True)
    major, minor = output.stdout.split()[1].split(".")[:2]
    return (int(major), int(minor)) >= FOLLOWING_SINCE


@asynccontextmanager
async def run_pgbouncer(
    group: ProcessGroup,
    server_url: str,
    *,
    mode: str = "transaction",
    prepared_max: int = 0,
    port: int | None = None,
) -> AsyncGenerator[PgBouncer]:
    """Run PgBouncer in front of a server that listens on a Unix socket.

    Args:
        group: Group that the process belongs to.
        server_url: A database of the server.
        mode: `transaction` or `session`.
        prepared_max: Prepared statements that it follows for each client; 0: it follows none.
        port: TCP port; None for a free one.
    """
    if port is None:
        [port] = free_ports(1)
    server = conninfo_to_dict(server_url)
    configuration = CONFIGURATION.format(
        host=server["host"], user=server["user"], port=port, mode=mode
    )
    with TemporaryDirectory() as folder:
        file = Path(folder) / "pgbouncer.ini"
        file.write_text(configuration + _follow(prepared_max))
        pooler = PgBouncer(_start(group, file, port), configuration, file, port)

        async def is_ready() -> bool:
            try:
                psycopg.connect(pooler.url(server_url)).close()
            except psycopg.OperationalError:
                return False
            return True

        await pooler.process.wait_until(is_ready)
        yield pooler
        await pooler.process.stop()


def _start(group: ProcessGroup, file: Path, port: int) -> Process:
    """Start it, not as root: as the account that PostgreSQL runs as, whose socket it uses.

    It is stopped by SIGKILL: an orderly stop of newer versions waits for all clients.
    """
    account = None
    if os.geteuid() == 0:
        account = getpwnam("nobody")
    return group.start(
        f"pgbouncer-{port}",
        [str(PROGRAM), file],
        minimal_environment(),
        run_as=account,
        stop_signal=signal.SIGKILL,
    )


def _follow(prepared_max: int) -> str:
    """Return the line of the configuration, which older programs do not know."""
    if not can_follow():
        return ""
    return f"max_prepared_statements = {prepared_max}"
