"""Connections that a request gave up while they were being opened: they do not stay open."""

import asyncio
import gc
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text

from common.database import engine_lifespan, fetch_all

ATTEMPTS = 5
WAIT_SECONDS = 0.1
CLOSING_SECONDS = 5
"""Far more than it takes, because test machines are busy."""


@dataclass
class SilentServer:
    """A server that accepts connections and never answers."""

    url: str = ""
    ends: list[asyncio.Event] = field(default_factory=list[asyncio.Event])
    """Set when the client has closed a connection, one for each."""

    async def accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Read until the client closes a connection."""
        end = asyncio.Event()
        self.ends.append(end)
        await reader.read()
        writer.close()
        end.set()


@pytest.fixture
async def server() -> AsyncGenerator[SilentServer]:
    server = SilentServer()
    listener = await asyncio.start_server(server.accept, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    server.url = f"postgresql://anybody@127.0.0.1:{port}/anything"
    async with listener:
        yield server


@pytest.fixture
def _no_garbage_collection() -> Generator[None]:
    """Nothing is closed only because the collector happens to run."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_garbage_collection")
async def test_a_connection_that_is_given_up_is_closed_at_once(server: SilentServer) -> None:
    errors: list[TimeoutError] = []
    async with engine_lifespan(server.url) as engine:
        for _ in range(ATTEMPTS):
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    await fetch_all(engine, text("SELECT 1"))
            except TimeoutError as error:
                errors.append(error)  # as a request keeps it for the log

        async with asyncio.timeout(CLOSING_SECONDS):
            for end in server.ends:
                await end.wait()
    assert len(server.ends) == len(errors) == ATTEMPTS
