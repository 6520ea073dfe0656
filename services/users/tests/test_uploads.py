"""An import while it is being sent: what its client may do, and what becomes of an answer before its end."""

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
    """Stand where the tasks service would; it takes whatever comes."""
    upstream = StubServer()
    upstream.behaviour = respond_with(REPORT)
    await upstream.start()
    yield upstream
    await upstream.stop()


@pytest.fixture
def tasks_url(tasks: StubServer) -> str:
    return f"http://127.0.0.1:{tasks.port}"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give clients a second to send something, and three for all."""
    monkeypatch.setattr(
        endpoints, "IMPORT_LIMITS", replace(IMPORT_LIMITS, pause_seconds=1.0, seconds_max=3.0)
    )


def bring(owner: AsyncClient, content: bytes | AsyncIterator[bytes]) -> asyncio.Task[Response]:
    return asyncio.create_task(owner.post("/users/me/import", content=content, headers=LINES))


async def dripping(first: bytes, piece: bytes, seconds: float = 0.3) -> AsyncIterator[bytes]:
    """Send something, and then the same few bytes again and again."""
    yield first
    while True:
        await asyncio.sleep(seconds)
        yield piece


async def holding(first: bytes, go_on: asyncio.Event) -> AsyncIterator[bytes]:
    """Send something, and then nothing until told to."""
    yield first
    await go_on.wait()


def answering_early(status: str, code: str) -> Behaviour:
    """Answer a moment after the head of a request is there, and read on."""
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
async def test_who_sends_too_slowly_is_refused(
    as_user: ClientFactory, monkeypatch: pytest.MonkeyPatch, first: bytes, piece: bytes
) -> None:
    owner = as_user("owner")
    monkeypatch.setattr(endpoints, "IMPORT_LIMITS", replace(IMPORT_LIMITS, pause_seconds=1.0))

    async with asyncio.timeout(8):
        refused = await bring(owner, dripping(first, piece))

    assert (refused.status_code, refused.json()["code"]) == (408, "request-timeout")
    assert (await owner.get("/users/me")).json()["time_zone"] == "UTC"


@pytest.mark.usefixtures("impatient")
async def test_who_never_comes_to_an_end_is_refused(as_user: ClientFactory) -> None:
    async with asyncio.timeout(6):
        refused = await bring(as_user("owner"), dripping(START, b"\n" * 1_000))

    assert (refused.status_code, refused.json()["code"]) == (408, "request-timeout")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("400 Bad Request", "bad-request"),
        ("408 Request Timeout", "request-timeout"),
        ("422 Oh", "invalid-body"),
    ],
)
async def test_an_answer_before_the_end_reaches_a_client_who_still_sends(
    as_user: ClientFactory, tasks: StubServer, status: str, code: str
) -> None:
    tasks.behaviour = answering_early(status, code)

    async with asyncio.timeout(5):
        refused = await bring(as_user("owner"), holding(START, asyncio.Event()))

    assert (str(refused.status_code), refused.json()["code"]) == (status[:3], code)


async def test_an_answer_before_the_end_stops_a_client_who_sends_as_fast_as_it_can(
    as_user: ClientFactory, tasks: StubServer
) -> None:
    tasks.behaviour = answering_early("422 Oh", "invalid-body")
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield START
        while True:
            sent += 1
            yield bytes(65_536)

    refused = await bring(as_user("owner"), endless())

    assert refused.json()["code"] == "invalid-body"
    assert sent < 500


async def test_a_third_upload_of_one_user_waits_and_those_of_others_do_not(
    as_user: ClientFactory, tasks: StubServer
) -> None:
    owner, go_on = as_user("owner"), asyncio.Event()
    sending = [bring(owner, holding(START, go_on)) for _ in range(3)]

    async with asyncio.timeout(4):
        assert (await bring(as_user("neighbour"), START)).status_code == 200
    assert len(tasks.requests) == 3
    assert not any(each.done() for each in sending)
    go_on.set()

    assert [(await each).status_code for each in sending] == [200, 200, 200]


async def test_more_than_a_hundred_that_hold_an_upload_keep_nobody_from_the_tasks_service(
    as_user: ClientFactory, tasks: StubServer
) -> None:
    go_on = asyncio.Event()
    sending: list[asyncio.Task[Response]] = []
    for number in range(120):
        tasks.request_received.clear()
        sending.append(bring(as_user(f"dawdler {number}"), holding(START, go_on)))
        async with asyncio.timeout(4):
            await tasks.request_received.wait()

    async with asyncio.timeout(4):
        assert (await bring(as_user("neighbour"), START)).status_code == 200
    go_on.set()

    assert {(await each).status_code for each in sending} == {200}


async def test_who_leaves_ends_the_call_of_the_tasks_service(
    as_user: ClientFactory, tasks: StubServer
) -> None:
    closed = asyncio.Event()

    async def read_on(request: ReceivedRequest, writer: StreamWriter) -> None:
        while await request.reader.read(65_536):
            pass
        closed.set()
        writer.close()

    tasks.behaviour = read_on
    sending = bring(as_user("owner"), holding(START, asyncio.Event()))
    await tasks.request_received.wait()

    sending.cancel()

    async with asyncio.timeout(3):
        await closed.wait()


async def test_whoever_has_tasks_has_a_profile_also_when_an_import_is_refused(
    as_user: ClientFactory, tasks: StubServer, database: str
) -> None:
    tasks.behaviour = respond_with(
        json_response(b'{"code": "invalid-body", "detail": "Line 2 is bad."}', "422 Oh")
    )

    assert (await bring(as_user("owner"), START)).status_code == 422

    async with await psycopg.AsyncConnection.connect(database) as connection:
        found = await connection.execute("SELECT time_zone FROM users")
        assert await found.fetchall() == [("UTC",)]
