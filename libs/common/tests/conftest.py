"""Fixtures: the sample service as a process with the real server and its own database."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import httpx
import psycopg
import pytest
from httpx import AsyncClient

from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.postgres import Postgres
from devkit.platform.processes import Process, ProcessGroup
from devkit.platform.services import free_ports
from devkit.testing.auth_headers import passport_headers

Line = dict[str, object]


@dataclass(frozen=True)
class Sample:
    """A running sample service."""

    port: int
    metrics_port: int
    process: Process

    def log_lines(self, request_id: str) -> list[Line]:
        """Return the log lines of a request."""
        lines: list[Line] = []
        for text in self.process.log_lines():
            line = cast("Line", json.loads(text))
            if line.get("request_id") == request_id:
                lines.append(line)
        return lines

    async def wait_for_request_log(self, request_id: str) -> list[Line]:
        """Wait for the last log line of a request, and return all of them."""

        async def is_written() -> bool:
            return any(line["message"] == "request" for line in self.log_lines(request_id))

        await self.process.wait_until(is_written, seconds=5)
        return self.log_lines(request_id)

    async def send_raw(self, request: str) -> bytes:
        """Send raw text, and return what is received until the connection ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request.encode().replace(b"\n", b"\r\n"))
        response = await reader.read()
        writer.close()
        return response


@pytest.fixture(scope="session")
async def database(postgres: Postgres) -> str:
    """Create a database with one table and one constraint."""
    url = await postgres.create_database("sample")
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("CREATE TABLE names (name varchar(100) PRIMARY KEY)")
    return url


async def start_sample(
    processes: ProcessGroup, database: str, keys: PassportKeys, **settings: str
) -> Sample:
    """Run the service as `python -m` would, with the real server and further settings."""
    port, metrics_port = free_ports(2)
    environment = minimal_environment() | {
        "PORT": str(port),
        "METRICS_PORT": str(metrics_port),
        "DATABASE_URL": database,
        "PASSPORT_PUBLIC_KEYS": keys.public,
    }
    environment |= settings
    command = [sys.executable, Path(__file__).with_name("sample.py")]
    process = processes.start(f"sample-{port}", command, environment)
    sample = Sample(port, metrics_port, process)

    async def is_ready() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    await sample.process.wait_until(is_ready)
    return sample


@pytest.fixture(scope="session")
async def sample(processes: ProcessGroup, database: str, keys: PassportKeys) -> Sample:
    """Run the service once for all tests that do not stop it."""
    return await start_sample(processes, database, keys)


@pytest.fixture
async def client(sample: Sample, keys: PassportKeys) -> AsyncGenerator[AsyncClient]:
    """Create a client with a passport, as the gateway would send it."""
    url = f"http://127.0.0.1:{sample.port}"
    headers = passport_headers(keys, "ann")
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as client:
        yield client
