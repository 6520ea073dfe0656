"""An export, an import and an erasure, beside a tasks service that says what a test wants."""

import asyncio
import json
from asyncio import StreamWriter
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

import pytest
from httpx import AsyncClient, Response

from common.problems import PROBLEM_TYPE
from devkit.testing.auth_headers import ClientFactory
from devkit.testing.stub_server import (
    Behaviour,
    ReceivedRequest,
    StubServer,
    close_without_response,
    json_response,
    respond_with,
)

LINES: Final = {"Content-Type": "application/x-ndjson"}

Line = dict[str, object]

START: Final[Line] = {"kind": "export", "format": 1, "user": {"time_zone": "Europe/Paris"}}

REPORT: Final = {"created": 1, "updated": 0, "unchanged": 2, "renumbered": 0}

BUSY: Final = json_response(status="503 Service Unavailable")

CHUNKED: Final = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
async def tasks() -> AsyncGenerator[StubServer]:
    """Stand where the tasks service would; it takes whatever comes."""
    upstream = StubServer()
    upstream.behaviour = respond_with(json_response(json.dumps(REPORT).encode()))
    await upstream.start()
    yield upstream
    await upstream.stop()


@pytest.fixture
def tasks_url(tasks: StubServer) -> str:
    return f"http://127.0.0.1:{tasks.port}"


async def bring(owner: AsyncClient, content: bytes | AsyncIterator[bytes]) -> Response:
    return await owner.post("/users/me/import", content=content, headers=LINES)


async def time_zone(owner: AsyncClient) -> object:
    return (await owner.get("/users/me")).json()["time_zone"]


def keeping(bodies: list[bytes]) -> Behaviour:
    """Take an import, and keep what it was."""

    async def keep(request: ReceivedRequest, writer: StreamWriter) -> None:
        bodies.append(await request.body())
        await respond_with(json_response(json.dumps(REPORT).encode()))(
            ReceivedRequest(request.line, [], request.reader, 0), writer
        )

    return keep


def written(line: Line) -> bytes:
    return json.dumps(line).encode() + b"\n"


async def test_an_export_begins_with_the_profile_and_goes_on_as_the_tasks_service_says(
    as_user: ClientFactory, tasks: StubServer
) -> None:
    tasks.behaviour = respond_with(CHUNKED, b"2\r\n{}\r\n", b"1\r\n\n\r\n", b"0\r\n\r\n")
    owner = as_user("owner <me@example.com>")

    answer = await owner.get("/users/me/export")

    first, second = answer.content.splitlines()
    start = json.loads(first)
    assert list(start) == ["kind", "format", "exported_at", "user"]
    assert (start["kind"], start["format"]) == ("export", 1)
    assert start["user"] == (await owner.get("/users/me")).json()
    assert start["user"]["created_at"] < start["exported_at"]
    assert second == b"{}"
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == (
        "application/x-ndjson",
        "no-store",
    )


async def test_the_tasks_service_is_told_who_asks(
    as_user: ClientFactory, tasks: StubServer
) -> None:
    tasks.behaviour = respond_with(CHUNKED, b"0\r\n\r\n")
    owner = as_user("owner")

    answer = await owner.get("/users/me/export")

    [seen] = tasks.requests
    assert seen.line == "GET /internal/owner/export HTTP/1.1"
    assert seen.header_values("authorization") == [owner.headers["authorization"]]
    assert seen.header_values("x-user-id") == [owner.headers["x-user-id"]]
    assert seen.header_values("x-request-id") == [answer.headers["x-request-id"]]


async def test_an_import_hands_on_what_is_behind_the_first_line_and_keeps_the_time_zone(
    as_user: ClientFactory, tasks: StubServer
) -> None:
    bodies: list[bytes] = []

    tasks.behaviour = keeping(bodies)
    owner = as_user("owner")
    await owner.get("/users/me")

    answer = await bring(owner, written(START) + b'{"a": 1}\nno JSON at all')

    assert (answer.status_code, answer.json()) == (200, REPORT)
    assert bodies == [b'{"a": 1}\nno JSON at all']
    assert await time_zone(owner) == "Europe/Paris"


@pytest.mark.parametrize("size", [1, 1_000])
@pytest.mark.parametrize(
    ("before", "handed_on"),
    [
        (b"\xef\xbb\xbf", b'{"a": 1}'),
        (b"\r\n \t\n  ", b'\n\n{"a": 1}'),
        (b"\xef\xbb\xbf\n", b'\n{"a": 1}'),
    ],
)
async def test_a_mark_and_blank_lines_before_the_first_line_are_skipped_and_counted(
    as_user: ClientFactory, tasks: StubServer, before: bytes, handed_on: bytes, size: int
) -> None:
    bodies: list[bytes] = []
    content = before + written(START).replace(b"\n", b"\r\n") + b'{"a": 1}'

    async def pieces() -> AsyncIterator[bytes]:
        for place in range(0, len(content), size):
            yield content[place : place + size]

    tasks.behaviour = keeping(bodies)

    assert (await bring(as_user("owner"), pieces())).status_code == 200
    assert bodies == [handed_on]


async def test_a_profile_that_says_nothing_of_its_zone_leaves_it_as_it_is(
    as_user: ClientFactory, tasks: StubServer
) -> None:
    owner = as_user("owner")
    await owner.patch("/users/me", json={"time_zone": "Asia/Tokyo"})

    elsewhere: Line = {
        "id": "somebody",
        "email": "x@example.com",
        "auth_issuer": 1,
        "created_at": None,
    }
    assert (
        await bring(owner, written(START | {"user": elsewhere, "exported_at": "once"}))
    ).status_code == 200

    assert await time_zone(owner) == "Asia/Tokyo"
    assert len(tasks.requests) == 1


WRONG: Final[dict[str, tuple[bytes, int, list[list[str | int]]]]] = {
    "nothing": (b"", 400, [["body", 1]]),
    "no JSON": (b"{\n", 400, [["body", 1]]),
    "too long": (b" " * 65_537 + written(START), 400, [["body", 1]]),
    "too long behind a blank line": (b"\n" + b" " * 65_537 + written(START), 400, [["body", 2]]),
    "too many blank lines": (b"\n" * 65_537, 400, [["body", 65_538]]),
    "a byte order mark twice": (b"\xef\xbb\xbf" * 2 + written(START), 400, [["body", 1]]),
    "no JSON behind blank lines": (b"\xef\xbb\xbf\r\n \n{\n", 400, [["body", 3]]),
    "another kind": (written(START | {"kind": "task"}), 422, [["body", 1, "kind"]]),
    "another format": (written(START | {"format": 2}), 422, [["body", 1, "format"]]),
    "a format that is text": (written(START | {"format": "1"}), 400, [["body", 1, "format"]]),
    "no user": (written({"kind": "export", "format": 1}), 422, [["body", 1, "user"]]),
    "an unknown zone": (
        written(START | {"user": {"time_zone": "Mars"}}),
        422,
        [["body", 1, "user", "time_zone"]],
    ),
    "an unknown field": (written(START | {"more": 1}), 422, [["body", 1, "more"]]),
}


@pytest.mark.parametrize(("content", "status", "places"), WRONG.values(), ids=WRONG)
async def test_a_first_line_that_is_bad_is_refused_and_nothing_is_handed_on(
    as_user: ClientFactory,
    tasks: StubServer,
    content: bytes,
    status: int,
    places: list[list[str | int]],
) -> None:
    refused = await bring(as_user("owner"), content)

    problem = refused.json()
    assert (refused.status_code, problem["detail"].split()[:2]) == (
        status,
        ["Line", str(places[0][1])],
    )
    assert [fault["location"] for fault in problem["errors"]] == places
    assert not tasks.requests


@pytest.mark.parametrize(
    "media_type", [None, "application/json", "text/plain", "application/x-ndjson, x"]
)
async def test_an_import_of_another_type_is_415(
    as_user: ClientFactory, media_type: str | None
) -> None:
    headers = {"Content-Type": media_type} if media_type else {}

    refused = await as_user("owner").post(
        "/users/me/import", content=written(START), headers=headers
    )

    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported-media-type")


async def test_an_import_beyond_64_mib_is_413_announced_or_not(
    as_user: ClientFactory, tasks: StubServer
) -> None:
    async def drain(request: ReceivedRequest, writer: StreamWriter) -> None:
        while await request.reader.read(1_000_000):
            pass
        writer.close()

    async def pieces() -> AsyncIterator[bytes]:
        yield written(START)
        for _ in range(64):
            yield bytes(1_048_576)

    tasks.behaviour = drain
    owner = as_user("owner")

    announced = await owner.post(
        "/users/me/import",
        content=b"",
        headers={**LINES, "Content-Length": str(64 * 1_048_576 + 1)},
    )
    assert not tasks.requests
    counted = await bring(owner, pieces())

    assert [answer.json()["code"] for answer in (announced, counted)] == ["content-too-large"] * 2
    assert await time_zone(owner) == "UTC"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("400 Bad Request", "bad-request"),
        ("409 Conflict", "id-taken"),
        ("422 Unprocessable Content", "quota-exceeded"),
    ],
)
async def test_what_the_tasks_service_refuses_is_refused_here(
    as_user: ClientFactory, tasks: StubServer, status: str, code: str
) -> None:
    fault = {"location": ["body", 7, "title"], "code": "too-short", "message": "Too short."}
    problem = {
        "code": code,
        "detail": "Line 7 is bad.",
        "errors": [fault],
        "errors_omitted": 3,
        "unheard": "of",
    }
    tasks.behaviour = respond_with(json_response(json.dumps(problem).encode(), status))
    owner = as_user("owner")

    refused = await bring(owner, written(START))

    assert (str(refused.status_code), refused.headers["content-type"]) == (status[:3], PROBLEM_TYPE)
    said = refused.json()
    assert (said["code"], said["detail"], said["errors"]) == (code, "Line 7 is bad.", [fault])
    assert said["errors_omitted"] == 3
    assert await time_zone(owner) == "UTC"


async def huge(request: ReceivedRequest, writer: StreamWriter) -> None:
    await request.body()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + bytes(2_000_000))


SICK: Final[dict[str, Behaviour]] = {
    "hangs up": close_without_response,
    "speaks no HTTP": respond_with(b"\x00\xff\r\n\r\n"),
    "is busy": respond_with(BUSY),
    "fails": respond_with(json_response(status="500 Oh")),
    "does not believe it": respond_with(json_response(status="401 No")),
    "redirects": respond_with(
        json_response(status="307 There", headers="Location: http://127.0.0.1:1/\r\n")
    ),
    "breaks off": respond_with(
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n"
    ),
}
SICK_AT_IMPORTS: Final = SICK | {
    "is huge": huge,
    "says nothing of use": respond_with(json_response(b'{"made": 1}')),
    "refuses without a reason": respond_with(json_response(b"[]", "422 Oh")),
}


@pytest.mark.parametrize("behaviour", SICK_AT_IMPORTS.values(), ids=SICK_AT_IMPORTS)
async def test_no_time_zone_is_kept_of_an_import_that_a_sick_tasks_service_got(
    as_user: ClientFactory, tasks: StubServer, behaviour: Behaviour
) -> None:
    tasks.behaviour = ending(behaviour)
    owner = as_user("owner")

    refused = await bring(owner, written(START))

    assert (refused.status_code, refused.json()["code"]) == (503, "tasks-unavailable")
    assert refused.headers["retry-after"] == "1"
    assert await time_zone(owner) == "UTC"


@pytest.mark.parametrize("behaviour", SICK.values(), ids=SICK)
async def test_an_export_does_not_begin_when_there_are_no_tasks_to_be_had(
    as_user: ClientFactory, tasks: StubServer, behaviour: Behaviour
) -> None:
    tasks.behaviour = ending(behaviour)

    refused = await as_user("owner").get("/users/me/export")

    assert (refused.status_code, refused.json()["code"]) == (503, "tasks-unavailable")


@pytest.mark.parametrize("behaviour", SICK.values(), ids=SICK)
async def test_an_erasure_loses_nothing_until_the_tasks_service_has_done_its_part(
    as_user: ClientFactory, tasks: StubServer, behaviour: Behaviour
) -> None:
    owner = as_user("owner")
    await owner.patch("/users/me", json={"time_zone": "Asia/Tokyo"})

    tasks.behaviour = ending(behaviour)
    if behaviour is not SICK["breaks off"]:  # what it says in the end is of no use here
        assert (await owner.delete("/users/me")).json()["code"] == "tasks-unavailable"
        assert await time_zone(owner) == "Asia/Tokyo"

    tasks.behaviour = respond_with(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert (await owner.delete("/users/me")).status_code == 204
    assert await time_zone(owner) == "UTC"
    assert (await owner.delete("/users/me")).status_code == 204


async def test_a_silent_tasks_service_is_not_waited_for_beyond_its_time(
    as_user: ClientFactory, tasks: StubServer
) -> None:
    never = asyncio.Event()

    async def say_nothing(_: ReceivedRequest, __: StreamWriter) -> None:
        await never.wait()

    tasks.behaviour = say_nothing
    async with asyncio.timeout(4):
        refused = await as_user("owner").delete("/users/me")

    assert (refused.status_code, refused.json()["code"]) == (503, "tasks-unavailable")


def ending(behaviour: Behaviour) -> Behaviour:
    """Close the connection after an answer, so that the next request is another one's."""

    async def behave(request: ReceivedRequest, writer: StreamWriter) -> None:
        await behaviour(request, writer)
        writer.close()

    return behave
