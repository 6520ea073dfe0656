"""Rate limits by IP address and by user, and limits for the size of requests."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest

from devkit.platform.tokens import mint_token
from devkit.testing.raw_http import (
    build_request,
    parse_responses,
    send_raw,
    send_request,
)
from devkit.testing.stub_server import ReceivedRequest, json_response
from e2e.support.contract import assert_problem
from e2e.support.edge_testbed import FRONT_END_ORIGIN, SUBJECT, Edge, EdgeTestbed

OTHER_SUBJECT = "c0ffee00-0000-4000-8000-000000000002"
BURST = 10

REFILL_PER_SECOND = BURST // 2
REQUESTS_AT_ONCE = 60


@dataclass(frozen=True)
class Answers:
    """The responses to `REQUESTS_AT_ONCE` requests, and how long they took together."""

    responses: list[httpx.Response]
    seconds: float

    @property
    def rejected_min(self) -> int:
        """How many of them one budget rejects at least; it refills while a busy machine sends."""
        permitted_max = BURST + REFILL_PER_SECOND * self.seconds
        return REQUESTS_AT_ONCE - math.ceil(permitted_max)


@pytest.fixture
async def limited_edge(_limited_edge: Edge) -> Edge:
    """Return an edge that limits IP addresses to `BURST` requests at once, budgets refilled."""
    await asyncio.sleep(2)
    return _limited_edge


@pytest.fixture(scope="module")
async def _limited_edge(edge_testbed: EdgeTestbed) -> Edge:
    return await edge_testbed.start_edge(LIMIT_PER_ADDRESS=str(REFILL_PER_SECOND))


async def get_concurrently(edge: Edge, paths: Sequence[str], tokens: Sequence[str]) -> Answers:
    """Send more requests than may pass, with these paths and tokens in turn."""
    async with httpx.AsyncClient(base_url=edge.service.url) as client:
        requests: list[Coroutine[None, None, httpx.Response]] = []
        for number in range(REQUESTS_AT_ONCE):
            path = paths[number % len(paths)]
            token = tokens[number % len(tokens)]
            headers = {"Authorization": f"Bearer {token}", "Origin": FRONT_END_ORIGIN}
            requests.append(client.get(path, headers=headers))
        began = time.monotonic()
        responses = await asyncio.gather(*requests)
        return Answers(responses, time.monotonic() - began)


def count_rejected(answers: Answers) -> int:
    """Check the responses with status 429, and return their number."""
    rejected = [response for response in answers.responses if response.status_code == 429]
    for response in rejected:
        assert_problem(response, 429, "too-many-requests")
        assert int(response.headers["retry-after"]) >= 1
        assert response.headers["access-control-allow-origin"] == FRONT_END_ORIGIN
        assert response.headers["x-content-type-options"] == "nosniff"
    return len(rejected)


@pytest.mark.parametrize(
    "path", ["/tasks", "/users/me", "/users/me/import", "/healthz", "/nothing"]
)
async def test_an_ip_address_with_too_many_requests_is_limited(
    limited_edge: Edge, token: str, path: str
) -> None:
    invalid_token = mint_token("somebody else's secret, of many bytes", OTHER_SUBJECT)

    answers = await get_concurrently(limited_edge, [path], [token, invalid_token])

    assert count_rejected(answers) >= answers.rejected_min


async def test_an_ip_address_has_one_budget_for_all_routes(limited_edge: Edge, token: str) -> None:
    paths = ["/tasks", "/users/me", "/users/me/import", "/healthz", "/nothing", "/lists/1"]

    answers = await get_concurrently(limited_edge, paths, [token])

    assert count_rejected(answers) >= answers.rejected_min


async def test_preflight_requests_are_not_limited(limited_edge: Edge, token: str) -> None:
    headers = {"Origin": FRONT_END_ORIGIN, "Access-Control-Request-Method": "PUT"}
    await get_concurrently(limited_edge, ["/tasks"], [token])

    async with httpx.AsyncClient(base_url=limited_edge.service.url) as client:
        requests = [client.options("/tasks", headers=headers) for _ in range(REQUESTS_AT_ONCE)]
        responses = await asyncio.gather(*requests)

    for response in responses:
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == FRONT_END_ORIGIN


async def test_a_user_with_too_many_requests_is_limited_and_no_other_user(
    edge_testbed: EdgeTestbed, token: str, better_auth_secret: str
) -> None:
    edge = await edge_testbed.start_edge(LIMIT_PER_USER=str(REFILL_PER_SECOND))
    other_token = mint_token(better_auth_secret, OTHER_SUBJECT)

    answers = await get_concurrently(edge, ["/tasks"], [token])
    other_answers = await get_concurrently(edge, ["/tasks"], [other_token])
    mixed_answers = await get_concurrently(edge, ["/tasks"], [token, other_token])

    assert answers.rejected_min <= count_rejected(answers) < REQUESTS_AT_ONCE
    assert count_rejected(other_answers) <= REQUESTS_AT_ONCE - BURST
    assert count_rejected(mixed_answers) > 0
    user_ids = {received.header_values("x-user-id")[0] for received in edge_testbed.tasks.requests}
    assert user_ids == {SUBJECT, OTHER_SUBJECT}


async def test_a_user_has_one_budget_for_all_routes(edge_testbed: EdgeTestbed, token: str) -> None:
    edge = await edge_testbed.start_edge(LIMIT_PER_USER=str(REFILL_PER_SECOND))
    paths = ["/tasks", "/users/me", "/users/me/import", "/lists/1"]

    answers = await get_concurrently(edge, paths, [token])
    public_answers = await get_concurrently(edge, ["/healthz"], [token])

    assert count_rejected(answers) >= answers.rejected_min
    assert count_rejected(public_answers) == 0


@pytest.mark.parametrize("length", ["1000000", "10000000000", str(10**18), "0001000000"])
@pytest.mark.parametrize(
    "path", ["/tasks", "/users/me", "/users/me/imports", "/nothing", "/healthz"]
)
async def test_a_body_that_is_announced_too_large_is_not_read(
    edge: Edge, path: str, length: str
) -> None:
    headers = f"Content-Length: {length}\r\nExpect: 100-continue\r\n"

    received = await send_raw(edge.port, build_request("POST", path, headers=headers))

    [response] = parse_responses(received)
    assert (response.status, response.code) == (413, "content-too-large")
    assert b" 100 " not in received
    assert not edge.tasks.requests


async def test_the_largest_permitted_body_is_forwarded(edge: Edge, token: str) -> None:
    request = build_request("POST", "/tasks", token, body=bytes(999_999))

    response = await send_request(edge.port, request)

    assert response.status == 200


@pytest.mark.parametrize("path", ["/users/me/import", "/users/me/import/"])
async def test_an_import_may_be_larger(edge: Edge, token: str, path: str) -> None:
    request_id = f"import-{uuid4()}"
    headers = f"X-Request-ID: {request_id}\r\n"
    request = build_request("POST", path, token, headers=headers, body=bytes(2_000_000))

    response = await send_request(edge.port, request)

    assert response.status == 200
    [received] = edge.users.requests
    assert received.line.split()[1] == path
    record = await edge.wait_for_logged_request(request_id)
    assert str(record["RouterName"]).split(" -> ")[-1] == "import@file"


@pytest.mark.parametrize("path", ["/users/me/import", "/users/me/import/"])
async def test_an_import_has_a_limit_as_well(edge: Edge, path: str) -> None:
    headers = "Content-Length: 100000000\r\nExpect: 100-continue\r\n"

    response = await send_request(edge.port, build_request("POST", path, headers=headers))

    assert (response.status, response.code) == (413, "content-too-large")
    assert not edge.users.requests


async def test_a_chunked_body_is_forwarded_as_it_arrives(edge: Edge, token: str) -> None:
    first_chunk_arrived = asyncio.Event()

    async def respond_after_first_chunk(
        received: ReceivedRequest, writer: asyncio.StreamWriter
    ) -> None:
        await received.reader.readexactly(len(b"5\r\nhello\r\n"))
        first_chunk_arrived.set()
        writer.write(json_response(status="413 Content Too Large", headers="Connection: close\r\n"))

    async def stream_body() -> AsyncIterator[bytes]:
        yield b"hello"
        await first_chunk_arrived.wait()
        yield b"world"

    edge.tasks.behaviour = respond_after_first_chunk
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=edge.service.url) as client, asyncio.timeout(5):
        response = await client.post("/tasks", content=stream_body(), headers=headers)

    assert response.status_code == 413


async def test_too_large_headers_are_rejected(edge: Edge, token: str) -> None:
    request = build_request("GET", "/tasks", token, headers=f"X-Own: {'a' * 22_000}\r\n")

    response = await send_request(edge.port, request)

    assert response.status == 431
    assert not edge.tasks.requests


LONG_BODIES = [
    "Content-Length: 10000\r\n",
    "Content-Length: 900000\r\n",
    "Transfer-Encoding: chunked\r\n",
]


@pytest.mark.parametrize("framing", LONG_BODIES)
@pytest.mark.parametrize("path", ["/tasks", "/users/me", "/users/me/import"])
@pytest.mark.parametrize(("is_authenticated", "status"), [(False, 401), (True, 413)])
async def test_a_response_does_not_wait_for_a_body_that_stalls(
    edge: Edge, token: str, framing: str, path: str, *, is_authenticated: bool, status: int
) -> None:
    async def respond_without_reading(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(json_response(status="413 Content Too Large"))

    edge.tasks.behaviour = respond_without_reading
    edge.users.behaviour = respond_without_reading
    if not is_authenticated:
        token = "nonsense"  # noqa: S105 - not a token
    request = build_request("POST", path, token, headers=framing)
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(request.replace(b"Connection: close\r\n", b""))
    async with asyncio.timeout(5):
        response = await reader.readuntil(b"\r\n\r\n")
    writer.close()

    assert response.startswith(f"HTTP/1.1 {status}".encode())
    assert b"Connection: close" in response


async def test_a_short_body_leaves_the_connection_open(edge: Edge, token: str) -> None:
    request = build_request("POST", "/tasks", token, body=bytes(9_999))
    request = request.replace(b"Connection: close\r\n", b"")

    responses = parse_responses(await send_raw(edge.port, request + request, quiet_seconds=1))

    assert [response.status for response in responses] == [200, 200]
    for response in responses:
        assert response.header_values("connection") == []


async def test_long_and_short_bodies_have_one_budget(edge_testbed: EdgeTestbed, token: str) -> None:
    edge = await edge_testbed.start_edge(LIMIT_PER_USER="1")

    statuses: list[int] = []
    began = time.monotonic()
    for size in (1, 10_000) * 5:
        request = build_request("POST", "/tasks", token, body=bytes(size))
        response = await send_request(edge.port, request)
        statuses.append(response.status)
    seconds = time.monotonic() - began

    assert statuses[:2] == [200, 200]
    assert set(statuses[2:]) <= {200, 429}
    assert statuses.count(200) <= 2 + seconds  # the one budget permits one more each second
