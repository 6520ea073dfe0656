"""Uploads: time limits, early responses, and limits per user."""

import asyncio
import json
from asyncio import StreamWriter
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from typing import Final

import psycopg
import pytest
from httpx import AsyncClient, Response

from common.uploads import IMPORT_LIMITS
from devkit.testing.auth_headers import ClientFactory
from devkit.testing.stub_server import (
    Behaviour,
    ReceivedRequest,
    StubServer,
    json_response,
    respond_with,
)
from users import endpoints

LINES: Final = {"Content-Type": "application/x-ndjson"}

START: Final = b'{"kind": "export", "format": 1, "user": {"time_zone": "Europe/Paris"}}\n'

REPORT: Final = json_response(b'{"created": 1, "updated": 0, "unchanged": 2, "renumbered": 0}')


@pytest.fixture
async def tasks() -> AsyncGenerator[StubServer]:
    """Run a stub of the tasks service that accepts every request."""
    stub = StubServer()
    stub.behaviour = respond_with(REPORT)
    await stub.start()
    yield stub
    await stub.stop()


@pytest.fixture
def tasks_url(tasks: StubServer) -> str:
    return f"http://127.0.0.1:{tasks.port}"


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow pauses of one second, and three seconds for the whole upload."""
    monkeypatch.setattr(
        endpoints, "IMPORT_LIMITS", replace(IMPORT_LIMITS, pause_seconds=1.0, seconds_max=3.0)
    )


def send_import(
    owner: AsyncClient, content: bytes | AsyncIterator[bytes]
) -> asyncio.Task[Response]:
    return asyncio.create_task(owner.post("/users/me/import", content=content, headers=LINES))


async def dripping(first: bytes, piece: bytes, seconds: float = 0.3) -> AsyncIterator[bytes]:
    """Send the first bytes, and then the same piece again and again."""
    yield first
    while True:
        await asyncio.sleep(seconds)
        yield piece


async def holding(first: bytes, resume: asyncio.Event) -> AsyncIterator[bytes]:
    """Send the first bytes, and then nothing until the event is set."""
    yield first
    await resume.wait()


def respond_early(status: str, code: str) -> Behaviour:
    """Respond shortly after the head of a request, and continue to read."""
    problem = json.dumps({"code": code, "detail": "Line 2 is bad."}).encode()

    async def behave(request: ReceivedRequest, writer: StreamWriter) -> None:
        await asyncio.sleep(0.3)
        writer.write(json_response(problem, status))
        await writer.drain()
        while await request.reader.read(65_536):
            pass
        writer.close()

    return behave


@pytest.mark.parametrize(
    "first", [b"", START[:10], START], ids=["nothing", "half a line", "a line"]
)
@pytest.mark.parametrize("piece", [b"", b" "], ids=["silent", "trickling"])
async def test_a_slow_upload_is_408(
    as_user: ClientFactory, monkeypatch: pytest.MonkeyPatch, first: bytes, piece: bytes
) -> None:
    owner = as_user("owner")
    monkeypatch.setattr(endpoints, "IMPORT_LIMITS", replace(IMPORT_LIMITS, pause_seconds=1.0))

    async with asyncio.timeout(8):
        response = await send_import(owner, dripping(first, piece))

    assert (response.status_code, response.json()["code"]) == (408, "request-timeout")
    assert (await owner.get("/users/me")).json()["time_zone"] == "UTC"


@pytest.mark.usefixtures("short_limits")
async def test_an_endless_upload_is_408(as_user: ClientFactory) -> None:
    async with asyncio.timeout(6):
        response = await send_import(as_user("owner"), dripping(START, b"\n" * 1_000))

    assert (response.status_code, response.json()["code"]) == (408, "request-timeout")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("400 Bad Request", "bad-request"),
        ("408 Request Timeout", "request-timeout"),
        ("422 Oh", "invalid-body"),
    ],
)
async def test_an_early_response_reaches_a_client_that_is_still_sending(
    as_user: ClientFactory, tasks: StubServer, status: str, code: str
) -> None:
    tasks.behaviour = respond_early(status, code)

    async with asyncio.timeout(5):
        response = await send_import(as_user("owner"), holding(START, asyncio.Event()))

    assert (str(response.status_code), response.json()["code"]) == (status[:3], code)


async def test_an_early_response_stops_a_fast_upload(
    as_user: ClientFactory, tasks: StubServer
) -> None:
    tasks.behaviour = respond_early("422 Oh", "invalid-body")
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield START
        while True:
            sent += 1
            yield bytes(65_536)

    response = await send_import(as_user("owner"), endless())

    assert response.json()["code"] == "invalid-body"
    assert sent < 500


async def test_a_third_upload_of_one_user_waits_but_not_those_of_others(
    as_user: ClientFactory, tasks: StubServer
) -> None:
    owner = as_user("owner")
    resume = asyncio.Event()
    uploads = [send_import(owner, holding(START, resume)) for _ in range(3)]
    async with asyncio.timeout(4):
        while len(tasks.requests) < 2:
            tasks.request_received.clear()
            await tasks.request_received.wait()

    async with asyncio.timeout(4):
        assert (await send_import(as_user("neighbour"), START)).status_code == 200
    assert len(tasks.requests) == 3
    for upload in uploads:
        assert not upload.done()
    resume.set()

    assert [(await upload).status_code for upload in uploads] == [200, 200, 200]


async def test_a_hundred_stalled_uploads_do_not_block_another_user(
    as_user: ClientFactory, tasks: StubServer
) -> None:
    resume = asyncio.Event()
    uploads: list[asyncio.Task[Response]] = []
    for number in range(120):
        tasks.request_received.clear()
        uploads.append(send_import(as_user(f"user {number}"), holding(START, resume)))
        async with asyncio.timeout(20):
            await tasks.request_received.wait()

    async with asyncio.timeout(20):
        assert (await send_import(as_user("neighbour"), START)).status_code == 200
    resume.set()

    # On a busy machine the first ones have been stalled for longer than is allowed.
    assert {(await upload).status_code for upload in uploads} <= {200, 408}


async def test_a_disconnected_client_ends_the_request_to_the_tasks_service(
    as_user: ClientFactory, tasks: StubServer
) -> None:
    closed = asyncio.Event()

    async def read_on(request: ReceivedRequest, writer: StreamWriter) -> None:
        while await request.reader.read(65_536):
            pass
        closed.set()
        writer.close()

    tasks.behaviour = read_on
    upload = send_import(as_user("owner"), holding(START, asyncio.Event()))
    await tasks.request_received.wait()

    upload.cancel()

    async with asyncio.timeout(3):
        await closed.wait()


async def test_a_rejected_import_creates_a_profile(
    as_user: ClientFactory, tasks: StubServer, database: str
) -> None:
    tasks.behaviour = respond_with(
        json_response(b'{"code": "invalid-body", "detail": "Line 2 is bad."}', "422 Oh")
    )

    assert (await send_import(as_user("owner"), START)).status_code == 422

    async with await psycopg.AsyncConnection.connect(database) as connection:
        cursor = await connection.execute("SELECT time_zone FROM users")
        assert await cursor.fetchall() == [("UTC",)]
