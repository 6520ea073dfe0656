"""Export, import and erasure, with a stub of the tasks service."""

import asyncio
import json
from asyncio import StreamWriter
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

import pytest
from httpx import AsyncClient, Response

from common.middleware import DEADLINE_SECONDS
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
    """Run a stub of the tasks service that accepts every request."""
    stub = StubServer()
    stub.behaviour = respond_with(json_response(json.dumps(REPORT).encode()))
    await stub.start()
    yield stub
    await stub.stop()


@pytest.fixture
def tasks_url(tasks: StubServer) -> str:
    return f"http://127.0.0.1:{tasks.port}"


async def send_import(owner: AsyncClient, content: bytes | AsyncIterator[bytes]) -> Response:
    return await owner.post("/users/me/import", content=content, headers=LINES)


async def time_zone(owner: AsyncClient) -> object:
    return (await owner.get("/users/me")).json()["time_zone"]


def storing(bodies: list[bytes]) -> Behaviour:
    """Accept an import, and store its body."""

    async def keep(request: ReceivedRequest, writer: StreamWriter) -> None:
        bodies.append(await request.body())
        await respond_with(json_response(json.dumps(REPORT).encode()))(
            ReceivedRequest(request.line, [], request.reader, 0), writer
        )

    return keep


def to_line(line: Line) -> bytes:
    return json.dumps(line).encode() + b"\n"


async def test_an_export_is_the_profile_and_the_records_of_the_tasks_service(
    as_user: ClientFactory, tasks: StubServer
) -> None:
    tasks.behaviour = respond_with(CHUNKED, b"2\r\n{}\r\n", b"1\r\n\n\r\n", b"0\r\n\r\n")
    owner = as_user("owner <me@example.com>")

    response = await owner.get("/users/me/export")

    first, second = response.content.splitlines()
    start = json.loads(first)
    assert list(start) == ["kind", "format", "exported_at", "user"]
    assert (start["kind"], start["format"]) == ("export", 1)
    assert start["user"] == (await owner.get("/users/me")).json()
    assert start["user"]["created_at"] < start["exported_at"]
    assert second == b"{}"
    assert (response.headers["content-type"], response.headers["cache-control"]) == (
        "application/x-ndjson",
        "no-store",
    )


async def test_the_tasks_service_gets_the_users_identity(
    as_user: ClientFactory, tasks: StubServer
) -> None:
    tasks.behaviour = respond_with(CHUNKED, b"0\r\n\r\n")
    owner = as_user("owner")

    response = await owner.get("/users/me/export")

    [tasks_request] = tasks.requests
    assert tasks_request.line == "GET /internal/owner/export HTTP/1.1"
    assert tasks_request.header_values("authorization") == [owner.headers["authorization"]]
    assert tasks_request.header_values("x-user-id") == [owner.headers["x-user-id"]]
    assert tasks_request.header_values("x-request-id") == [response.headers["x-request-id"]]


async def test_an_import_forwards_all_lines_after_the_first_and_sets_the_time_zone(
    as_user: ClientFactory, tasks: StubServer
) -> None:
    bodies: list[bytes] = []

    tasks.behaviour = storing(bodies)
    owner = as_user("owner")
    await owner.get("/users/me")

    response = await send_import(owner, to_line(START) + b'{"a": 1}\nno JSON at all')

    assert (response.status_code, response.json()) == (200, REPORT)
    assert bodies == [b'{"a": 1}\nno JSON at all']
    assert await time_zone(owner) == "Europe/Paris"


@pytest.mark.parametrize("size", [1, 1_000])
@pytest.mark.parametrize(
    ("before", "forwarded"),
    [
        (b"\xef\xbb\xbf", b'{"a": 1}'),
        (b"\r\n \t\n  ", b'\n\n{"a": 1}'),
        (b"\xef\xbb\xbf\n", b'\n{"a": 1}'),
    ],
)
async def test_a_mark_and_blank_lines_before_the_first_line_are_skipped_and_counted(
    as_user: ClientFactory, tasks: StubServer, before: bytes, forwarded: bytes, size: int
) -> None:
    bodies: list[bytes] = []
    content = before + to_line(START).replace(b"\n", b"\r\n") + b'{"a": 1}'

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), size):
            yield content[start : start + size]

    tasks.behaviour = storing(bodies)

    assert (await send_import(as_user("owner"), pieces())).status_code == 200
    assert bodies == [forwarded]


async def test_an_import_without_a_time_zone_keeps_the_old_one(
    as_user: ClientFactory, tasks: StubServer
) -> None:
    owner = as_user("owner")
    await owner.patch("/users/me", json={"time_zone": "Asia/Tokyo"})

    user_fields: Line = {
        "id": "ben",
        "email": "x@example.com",
        "auth_issuer": 1,
        "created_at": None,
    }
    assert (
        await send_import(owner, to_line(START | {"user": user_fields, "exported_at": "once"}))
    ).status_code == 200

    assert await time_zone(owner) == "Asia/Tokyo"
    assert len(tasks.requests) == 1


WRONG: Final[dict[str, tuple[bytes, int, list[list[str | int]]]]] = {
    "nothing": (b"", 400, [["body", 1]]),
    "no JSON": (b"{\n", 400, [["body", 1]]),
    "too long": (b" " * 65_537 + to_line(START), 400, [["body", 1]]),
    "too long behind a blank line": (b"\n" + b" " * 65_537 + to_line(START), 400, [["body", 2]]),
    "too many blank lines": (b"\n" * 65_537, 400, [["body", 65_538]]),
    "a byte order mark twice": (b"\xef\xbb\xbf" * 2 + to_line(START), 400, [["body", 1]]),
    "no JSON behind blank lines": (b"\xef\xbb\xbf\r\n \n{\n", 400, [["body", 3]]),
    "another kind": (to_line(START | {"kind": "task"}), 422, [["body", 1, "kind"]]),
    "another format": (to_line(START | {"format": 2}), 422, [["body", 1, "format"]]),
    "a format that is text": (to_line(START | {"format": "1"}), 400, [["body", 1, "format"]]),
    "no user": (to_line({"kind": "export", "format": 1}), 422, [["body", 1, "user"]]),
    "an unknown zone": (
        to_line(START | {"user": {"time_zone": "Mars"}}),
        422,
        [["body", 1, "user", "time_zone"]],
    ),
    "an unknown field": (to_line(START | {"more": 1}), 422, [["body", 1, "more"]]),
}


@pytest.mark.parametrize(("content", "status", "locations"), WRONG.values(), ids=WRONG)
async def test_an_import_with_an_invalid_first_line_is_rejected_and_not_forwarded(
    as_user: ClientFactory,
    tasks: StubServer,
    content: bytes,
    status: int,
    locations: list[list[str | int]],
) -> None:
    response = await send_import(as_user("owner"), content)

    problem = response.json()
    assert (response.status_code, problem["detail"].split()[:2]) == (
        status,
        ["Line", str(locations[0][1])],
    )
    assert [field_error["location"] for field_error in problem["errors"]] == locations
    assert not tasks.requests


@pytest.mark.parametrize(
    "media_type", [None, "application/json", "text/plain", "application/x-ndjson, x"]
)
async def test_an_import_of_another_type_is_415(
    as_user: ClientFactory, media_type: str | None
) -> None:
    headers = {"Content-Type": media_type} if media_type else {}

    response = await as_user("owner").post(
        "/users/me/import", content=to_line(START), headers=headers
    )

    assert (response.status_code, response.json()["code"]) == (415, "unsupported-media-type")


async def test_an_import_beyond_64_mib_is_413_announced_or_not(
    as_user: ClientFactory, tasks: StubServer
) -> None:
    async def drain(request: ReceivedRequest, writer: StreamWriter) -> None:
        while await request.reader.read(1_000_000):
            pass
        writer.close()

    async def pieces() -> AsyncIterator[bytes]:
        yield to_line(START)
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
    counted = await send_import(owner, pieces())

    assert [response.json()["code"] for response in (announced, counted)] == [
        "content-too-large"
    ] * 2
    assert await time_zone(owner) == "UTC"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("400 Bad Request", "bad-request"),
        ("409 Conflict", "id-taken"),
        ("422 Unprocessable Content", "quota-exceeded"),
    ],
)
async def test_an_import_that_the_tasks_service_rejects_is_rejected(
    as_user: ClientFactory, tasks: StubServer, status: str, code: str
) -> None:
    field_error = {"location": ["body", 7, "title"], "code": "too-short", "message": "Too short."}
    problem = {
        "code": code,
        "detail": "Line 7 is bad.",
        "errors": [field_error],
        "errors_omitted": 3,
        "unheard": "of",
    }
    tasks.behaviour = respond_with(json_response(json.dumps(problem).encode(), status))
    owner = as_user("owner")

    response = await send_import(owner, to_line(START))

    assert (str(response.status_code), response.headers["content-type"]) == (
        status[:3],
        PROBLEM_TYPE,
    )
    problem_document = response.json()
    assert (problem_document["code"], problem_document["detail"], problem_document["errors"]) == (
        code,
        "Line 7 is bad.",
        [field_error],
    )
    assert problem_document["errors_omitted"] == 3
    assert await time_zone(owner) == "UTC"


async def huge(request: ReceivedRequest, writer: StreamWriter) -> None:
    await request.body()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + bytes(2_000_000))


FAILURES: Final[dict[str, Behaviour]] = {
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
IMPORT_FAILURES: Final = FAILURES | {
    "is huge": huge,
    "says nothing of use": respond_with(json_response(b'{"made": 1}')),
    "refuses without a reason": respond_with(json_response(b"[]", "422 Oh")),
}


@pytest.mark.parametrize("behaviour", IMPORT_FAILURES.values(), ids=IMPORT_FAILURES)
async def test_an_import_that_fails_in_the_tasks_service_keeps_the_old_time_zone(
    as_user: ClientFactory, tasks: StubServer, behaviour: Behaviour
) -> None:
    tasks.behaviour = closing_after(behaviour)
    owner = as_user("owner")

    response = await send_import(owner, to_line(START))

    assert (response.status_code, response.json()["code"]) == (503, "tasks-unavailable")
    assert response.headers["retry-after"] == "1"
    assert await time_zone(owner) == "UTC"


@pytest.mark.parametrize("behaviour", FAILURES.values(), ids=FAILURES)
async def test_an_export_without_the_tasks_service_is_503(
    as_user: ClientFactory, tasks: StubServer, behaviour: Behaviour
) -> None:
    tasks.behaviour = closing_after(behaviour)

    response = await as_user("owner").get("/users/me/export")

    assert (response.status_code, response.json()["code"]) == (503, "tasks-unavailable")


@pytest.mark.parametrize("behaviour", FAILURES.values(), ids=FAILURES)
async def test_a_profile_is_deleted_only_after_the_tasks(
    as_user: ClientFactory, tasks: StubServer, behaviour: Behaviour
) -> None:
    owner = as_user("owner")
    await owner.patch("/users/me", json={"time_zone": "Asia/Tokyo"})

    tasks.behaviour = closing_after(behaviour)
    if (
        behaviour is not FAILURES["breaks off"]
    ):  # a response to DELETE has no body that could break off
        assert (await owner.delete("/users/me")).json()["code"] == "tasks-unavailable"
        assert await time_zone(owner) == "Asia/Tokyo"

    tasks.behaviour = respond_with(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert (await owner.delete("/users/me")).status_code == 204
    assert await time_zone(owner) == "UTC"
    assert (await owner.delete("/users/me")).status_code == 204


async def test_a_silent_tasks_service_is_503_after_a_timeout(
    as_user: ClientFactory, tasks: StubServer
) -> None:
    never = asyncio.Event()

    async def say_nothing(_: ReceivedRequest, __: StreamWriter) -> None:
        await never.wait()

    tasks.behaviour = say_nothing
    async with asyncio.timeout(2 * DEADLINE_SECONDS):
        response = await as_user("owner").delete("/users/me")

    assert (response.status_code, response.json()["code"]) == (503, "tasks-unavailable")


def closing_after(behaviour: Behaviour) -> Behaviour:
    """Close the connection after each response, so that the next request opens a new one."""

    async def behave(request: ReceivedRequest, writer: StreamWriter) -> None:
        await behaviour(request, writer)
        writer.close()

    return behave
