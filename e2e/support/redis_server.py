"""A real Redis or Valkey, without data on disk."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devkit.platform.environment import minimal_environment
from devkit.platform.processes import Process, ProcessGroup
from devkit.platform.services import free_ports
from e2e.support.certificates import Certificate

REDIS: Final = shutil.which("redis-server") or shutil.which("valkey-server")
"""The program; None if neither is installed."""


@dataclass(frozen=True)
class RedisServer:
    """A running server."""

    port: int
    process: Process

    async def wait_until_ready(self) -> None:
        """Wait until it accepts connections."""

        async def is_ready() -> bool:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                return False
            writer.close()
            return True

        await self.process.wait_until(is_ready)


def start_redis(
    group: ProcessGroup,
    *,
    password: str = "",
    certificate: Certificate | None = None,
    port: int | None = None,
) -> RedisServer:
    """Start a server.

    Args:
        group: Group that the process belongs to.
        password: What clients must send; empty for none.
        certificate: The server then speaks TLS only.
        port: TCP port; None for a free one.
    """
    assert REDIS
    if port is None:
        [port] = free_ports(1)
    plain_port, tls_port = port, 0
    if certificate:
        plain_port, tls_port = 0, port
    command: list[str | Path] = [REDIS, "--bind", "127.0.0.1", "--save", ""]
    command += ["--port", str(plain_port), "--tls-port", str(tls_port)]
    if password:
        command += ["--requirepass", password]
    if certificate:
        command += ["--tls-cert-file", certificate.certificate_file]
        command += ["--tls-key-file", certificate.key_file, "--tls-auth-clients", "no"]
    environment = minimal_environment()
    process = group.start(f"redis-{port}", command, environment, working_directory=group.logs)
    return RedisServer(port, process)
