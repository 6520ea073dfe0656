"""What a client sees while the gateway or a service is gone, silent, or breaks off."""

import asyncio
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from httpx import Response

from devkit.testing.raw_http import build_request, send_raw, send_request
from devkit.testing.stub_server import ReceivedRequest, close_without_response
from e2e.support.contract import problem_of
from e2e.support.edge_testbed import Edge
from e2e.support.isolated_platform import OwnPlatform
from e2e.support.user_client import Person

AT_ONCE_SECONDS = 1.5
DECISION_SECONDS = 3
ANSWER_SECONDS = 15
BUSY_SECONDS = 2
"""What a test machine that does other things may add."""


@contextmanager
def silent(own: OwnPlatform, name: str) -> Generator[None]:
    """Let a service keep its connections and say nothing."""
    process = own.services[name].process.popen
    process.send_signal(signal.SIGSTOP)
    yield
    process.send_signal(signal.SIGCONT)


async def several(person: Person, path: str, times: int = 12) -> list[Response]:
    """Ask several times at once."""
    return await asyncio.gather(*(person.get(path, timeout=60) for _ in range(times)))


async def until_ready(own: OwnPlatform) -> None:
    await own.until_ready()
    assert (await own.speak_as("ann").get("/tasks")).status_code == 200


async def test_without_a_gateway_nothing_passes_and_all_is_said_at_once(own: OwnPlatform) -> None:
    ann = own.speak_as("ann")
    await ann.add()
    own.kill("gateway")

    began = time.monotonic()
    for answer in await several(ann, "/tasks") + await several(ann, "/users/me"):
        problem_of(answer, 503, "service-unavailable")
    assert time.monotonic() - began < AT_ONCE_SECONDS + BUSY_SECONDS

    await own.start("gateway")
    await until_ready(own)


async def test_a_service_that_is_gone_is_502_and_the_others_go_on(own: OwnPlatform) -> None:
    ann = own.speak_as("ann")
    own.kill("tasks")

    began = time.monotonic()
    for answer in await several(ann, "/tasks"):
        problem_of(answer, 502, "bad-gateway")
    assert time.monotonic() - began < AT_ONCE_SECONDS + BUSY_SECONDS
    assert (await ann.get("/users/me")).status_code == 200

    await own.start("tasks")
    await until_ready(own)


@pytest.mark.parametrize(
    ("who", "status", "code", "seconds"),
    [
        ("gateway", 503, "service-unavailable", DECISION_SECONDS),
        ("tasks", 504, "gateway-timeout", ANSWER_SECONDS),
    ],
)
async def test_who_does_not_answer_is_given_up_in_time(
    own: OwnPlatform, who: str, status: int, code: str, seconds: float
) -> None:
    ann = own.speak_as("ann")

    with silent(own, who):
        began = time.monotonic()
        for answer in await several(ann, "/tasks"):
            problem_of(answer, status, code)
        assert seconds - 1 < time.monotonic() - began < seconds + BUSY_SECONDS

    await until_ready(own)


@pytest.mark.parametrize("verb", ["POST", "PATCH"])
async def test_a_change_that_may_have_been_made_is_not_sent_again(
    edge: Edge, token: str, verb: str
) -> None:
    edge.tasks.behaviour = close_without_response

    answer = await send_request(edge.port, build_request(verb, "/tasks/1", token, body=b"{}"))

    assert (answer.status, answer.code) == (502, "bad-gateway")
    assert len(edge.tasks.requests) == 1


@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
async def test_an_answer_that_breaks_off_is_cut_and_not_completed(
    edge: Edge, token: str, framing: str
) -> None:
    async def break_off(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n9\r\n[1, 2, 3,\r\n".encode())
        await writer.drain()
        writer.close()

    edge.tasks.behaviour = break_off

    received = await send_raw(
        edge.port, build_request("GET", "/tasks", token).replace(b"Connection: close\r\n", b"")
    )

    assert received.count(b"HTTP/1.1") <= 1
    assert not received.endswith(b"0\r\n\r\n")
