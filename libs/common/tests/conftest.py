"""The sample service, as a process behind the real server and before a database of its own."""

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
    """Where the sample service is, and what it writes."""

    port: int
    metrics_port: int
    process: Process

    def lines(self, request_id: str) -> list[Line]:
        """Return what it wrote about a request."""
        written = [
            cast("Line", json.loads(line)) for line in self.process.log.read_text().splitlines()
        ]
        return [line for line in written if line.get("request_id") == request_id]

    async def until_written(self, request_id: str) -> list[Line]:
        """Wait for the last line about a request."""

        async def is_written() -> bool:
            return any(line["message"] == "request" for line in self.lines(request_id))

        await self.process.wait_until(is_written, seconds=5)
        return self.lines(request_id)

    async def say(self, request: str) -> bytes:
        """Send raw text, and return all that comes back until the service hangs up."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request.encode().replace(b"\n", b"\r\n"))
        answer = await reader.read()
        writer.close()
        return answer


@pytest.fixture(scope="session")
async def database(postgres: Postgres) -> str:
    """Make a database with one table that knows one rule."""
    url = await postgres.create_database("sample")
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("CREATE TABLE names (name varchar(100) PRIMARY KEY)")
    return url


async def start_sample(processes: ProcessGroup, database: str, keys: PassportKeys) -> Sample:
    """Run the service as `python -m` would, with the real server."""
    port, metrics_port = free_ports(2)
    ports = {"PORT": str(port), "METRICS_PORT": str(metrics_port)}
    settings = {**ports, "DATABASE_URL": database, "PASSPORT_PUBLIC_KEYS": keys.public}
    command = [sys.executable, Path(__file__).with_name("sample.py")]
    started = Sample(
        port,
        metrics_port,
        processes.start(f"sample-{port}", command, {**minimal_environment(), **settings}),
    )

    async def is_ready() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    await started.process.wait_until(is_ready)
    return started


@pytest.fixture(scope="session")
async def sample(processes: ProcessGroup, database: str, keys: PassportKeys) -> Sample:
    """Run the service once, for all tests that do it no harm."""
    return await start_sample(processes, database, keys)


@pytest.fixture
async def client(sample: Sample, keys: PassportKeys) -> AsyncGenerator[AsyncClient]:
    """Speak to the service as the gateway would for somebody."""
    url, headers = f"http://127.0.0.1:{sample.port}", passport_headers(keys, "somebody")
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as client:
        yield client
