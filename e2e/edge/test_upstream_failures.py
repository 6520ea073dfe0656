"""What a client sees while the gateway or a service is away, silent, or breaks off."""

import asyncio
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from httpx import Response

from devkit.testing.raw_http import build_request, send_raw, send_request
from devkit.testing.stub_server import ReceivedRequest, close_without_response
from e2e.support.contract import assert_problem
from e2e.support.edge_testbed import Edge
from e2e.support.isolated_platform import IsolatedPlatform
from e2e.support.user_client import UserClient

REQUESTS_AT_ONCE = 12

IMMEDIATE_SECONDS = 1.5
DECISION_SECONDS = 3
RESPONSE_SECONDS = 15
BUSY_SECONDS = 2
"""What a busy test machine may add."""


@contextmanager
def silenced(isolated_platform: IsolatedPlatform, name: str) -> Generator[None]:
    """Suspend a service: it keeps its connections and does not respond."""
    process = isolated_platform.services[name].process.popen
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


async def get_concurrently(user: UserClient, path: str) -> list[Response]:
    """Send several requests at once."""
    requests = [user.get(path, timeout=60) for _ in range(REQUESTS_AT_ONCE)]
    return await asyncio.gather(*requests)


async def wait_until_ready(isolated_platform: IsolatedPlatform) -> None:
    await isolated_platform.wait_until_ready()
    response = await isolated_platform.client_for("ann").get("/tasks")
    assert response.status_code == 200


async def test_without_a_gateway_every_request_is_rejected_immediately(
    isolated_platform: IsolatedPlatform,
) -> None:
    ann = isolated_platform.client_for("ann")
    await ann.create_task()
    isolated_platform.kill("gateway")

    began = time.monotonic()
    tasks_responses = await get_concurrently(ann, "/tasks")
    users_responses = await get_concurrently(ann, "/users/me")
    duration_seconds = time.monotonic() - began

    for response in tasks_responses + users_responses:
        assert_problem(response, 503, "service-unavailable")
    assert duration_seconds < IMMEDIATE_SECONDS + BUSY_SECONDS
    await isolated_platform.start("gateway")
    await wait_until_ready(isolated_platform)


async def test_a_service_that_is_away_is_502_and_the_others_work(
    isolated_platform: IsolatedPlatform,
) -> None:
    ann = isolated_platform.client_for("ann")
    isolated_platform.kill("tasks")

    began = time.monotonic()
    responses = await get_concurrently(ann, "/tasks")
    duration_seconds = time.monotonic() - began
    profile = await ann.get("/users/me")

    for response in responses:
        assert_problem(response, 502, "bad-gateway")
    assert duration_seconds < IMMEDIATE_SECONDS + BUSY_SECONDS
    assert profile.status_code == 200
    await isolated_platform.start("tasks")
    await wait_until_ready(isolated_platform)


@pytest.mark.parametrize(
    ("name", "status", "code", "timeout_seconds"),
    [
        ("gateway", 503, "service-unavailable", DECISION_SECONDS),
        ("tasks", 504, "gateway-timeout", RESPONSE_SECONDS),
    ],
)
async def test_a_silent_server_is_a_timeout(
    isolated_platform: IsolatedPlatform, name: str, status: int, code: str, timeout_seconds: float
) -> None:
    ann = isolated_platform.client_for("ann")

    with silenced(isolated_platform, name):
        began = time.monotonic()
        responses = await get_concurrently(ann, "/tasks")
        duration_seconds = time.monotonic() - began

    for response in responses:
        assert_problem(response, status, code)
    assert timeout_seconds - 1 < duration_seconds < timeout_seconds + BUSY_SECONDS
    await wait_until_ready(isolated_platform)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_write_that_may_have_been_processed_is_not_sent_again(
    edge: Edge, token: str, method: str
) -> None:
    edge.tasks.behaviour = close_without_response

    request = build_request(method, "/tasks/1", token, body=b"{}")
    response = await send_request(edge.port, request)

    assert (response.status, response.code) == (502, "bad-gateway")
    assert len(edge.tasks.requests) == 1


@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
async def test_a_response_that_breaks_off_is_not_completed(
    edge: Edge, token: str, framing: str
) -> None:
    async def break_off(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n"
        writer.write(head.encode() + b"9\r\n[1, 2, 3,\r\n")
        await writer.drain()
        writer.close()

    edge.tasks.behaviour = break_off

    request = build_request("GET", "/tasks", token).replace(b"Connection: close\r\n", b"")
    received = await send_raw(edge.port, request)

    assert received.count(b"HTTP/1.1") <= 1
    assert not received.endswith(b"0\r\n\r\n")
