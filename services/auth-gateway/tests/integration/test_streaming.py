"""Bodies pass piece by piece, and whoever breaks off is noticed on the other side."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from devkit.testing.raw_http import build_request, parse_responses, send_raw, send_request
from devkit.testing.stub_server import ReceivedRequest, json_response, never_respond, respond_with

from ..support.gateway_process import RunningGateway

CHUNKED = "Transfer-Encoding: chunked\r\n"
PATIENCE_SECONDS = 5.0


@asynccontextmanager
async def connected(
    gateway: RunningGateway,
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Hold a connection; a test that waits for ever fails."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    async with asyncio.timeout(PATIENCE_SECONDS):
        yield reader, writer
    writer.close()


async def test_a_chunked_body_arrives_whole(gateway: RunningGateway, token: str) -> None:
    bodies: list[bytes] = []

    async def keep(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        bodies.append(await request.body())
        writer.write(json_response())

    gateway.tasks.behaviour = keep
    sent = (
        build_request("POST", "/tasks", token, headers=CHUNKED)
        + b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Own: a\r\n\r\n"
    )

    assert (await send_request(gateway.port, sent)).status == 200

    (seen,) = gateway.tasks.requests
    assert bodies == [b"hello world"]
    assert (seen.header_values("transfer-encoding"), seen.header_values("content-length")) == (
        ["chunked"],
        [],
    )


async def test_a_body_goes_up_while_the_client_still_sends(
    gateway: RunningGateway, token: str
) -> None:
    halves = asyncio.Queue[bytes]()

    async def take_halves(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            halves.put_nowait(await request.reader.readexactly(4))
        writer.write(json_response())

    gateway.tasks.behaviour = take_halves
    async with connected(gateway) as (reader, writer):
        writer.write(build_request("POST", "/tasks", token, length=8) + b"half")
        assert await halves.get() == b"half"
        writer.write(b"rest")
        assert await halves.get() == b"rest"
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")


async def test_an_answer_comes_down_while_the_service_still_writes(
    gateway: RunningGateway, token: str
) -> None:
    go_on = asyncio.Event()

    async def write_halves(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
        await go_on.wait()
        writer.write(b"4\r\nrest\r\n0\r\n\r\n")

    gateway.tasks.behaviour = write_halves
    async with connected(gateway) as (reader, writer):
        writer.write(build_request("GET", "/tasks", token))
        assert (await reader.readuntil(b"half\r\n")).startswith(b"HTTP/1.1 200")
        go_on.set()
        assert await reader.read() == b"4\r\nrest\r\n0\r\n\r\n"


async def test_an_answer_may_come_byte_by_byte(gateway: RunningGateway, token: str) -> None:
    gateway.tasks.behaviour = respond_with(*(bytes([byte]) for byte in json_response(b"[1, 2, 3]")))

    assert (
        await send_request(gateway.port, build_request("GET", "/tasks", token))
    ).body == b"[1, 2, 3]"


async def test_an_answer_without_a_length_ends_with_its_connection(
    gateway: RunningGateway, token: str
) -> None:
    async def write_and_close(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nall there is")
        writer.close()

    gateway.tasks.behaviour = write_and_close

    received = await send_raw(gateway.port, build_request("GET", "/tasks", token))

    assert received.endswith(b"c\r\nall there is\r\n0\r\n\r\n")


async def test_a_long_answer_is_not_collected(gateway: RunningGateway, token: str) -> None:
    written = 0

    async def write_on(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            writer.write(bytes(100_000))
            await writer.drain()
            written += 100_000

    gateway.tasks.behaviour = write_on
    async with connected(gateway) as (reader, writer):
        writer.write(build_request("GET", "/tasks", token))
        await reader.readexactly(100)
        before = -1
        while before != written:
            before = written
            await asyncio.sleep(0.3)
        # What is on the way fills the buffers of two connections, not the gateway's memory.
        assert written < 20_000_000


@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
async def test_an_answer_that_breaks_off_is_cut_and_not_answered_again(
    gateway: RunningGateway, token: str, framing: str
) -> None:
    async def break_off(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n9\r\n[1, 2, 3,\r\n".encode())
        await writer.drain()
        writer.close()

    gateway.tasks.behaviour = break_off
    sent = build_request("GET", "/tasks", token).replace(b"Connection: close\r\n", b"")

    received = await send_raw(gateway.port, sent)

    assert received.count(b"HTTP/1.1") == 1
    assert b"[1, 2, 3," in received
    assert not received.endswith(b"0\r\n\r\n")


async def test_an_early_answer_does_not_wait_for_the_body(
    gateway: RunningGateway, token: str
) -> None:
    async def refuse(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(json_response(status="413 Content Too Large", headers="Connection: close\r\n"))
        await writer.drain()
        writer.close()

    gateway.tasks.behaviour = refuse
    async with connected(gateway) as (reader, writer):
        writer.write(build_request("POST", "/tasks", token, headers=CHUNKED) + b"5\r\nhello\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")


REFUSED = json_response(status="413 Content Too Large")


@pytest.mark.parametrize("framing", ["Content-Length: 900000\r\n", CHUNKED])
@pytest.mark.parametrize("sent", [b"", b"5\r\nhello\r\n"])
@pytest.mark.parametrize("path", ["/tasks", "/users/me/import"])
async def test_an_answer_does_not_wait_for_a_body_that_stalls(
    gateway: RunningGateway, token: str, framing: str, sent: bytes, path: str
) -> None:
    async def refuse(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(REFUSED)

    gateway.tasks.behaviour = gateway.users.behaviour = refuse
    async with connected(gateway) as (reader, writer):
        writer.write(
            build_request("POST", path, token, headers=framing).replace(
                b"Connection: close\r\n", b""
            )
            + sent
        )
        (answer,) = parse_responses(await reader.read())

    assert answer.status == 413
    assert answer.header_values("connection") == ["close"]


async def test_a_connection_over_which_half_a_request_went_is_not_used_again(
    gateway: RunningGateway, token: str
) -> None:
    async def refuse(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(REFUSED)

    gateway.tasks.behaviour = refuse
    await send_request(
        gateway.port, build_request("POST", "/tasks", token, length=900_000) + b"half"
    )
    gateway.tasks.behaviour = respond_with(json_response())
    await send_request(gateway.port, build_request("POST", "/tasks", token, body=b"{}"))

    assert len({seen.connection_number for seen in gateway.tasks.requests}) == 2


async def test_a_head_and_a_body_that_come_apart_are_one_request(
    gateway: RunningGateway, token: str
) -> None:
    async with connected(gateway) as (reader, writer):
        writer.write(build_request("POST", "/tasks", token, length=2))
        await gateway.tasks.request_received.wait()
        writer.write(b"{}")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")


async def test_a_service_learns_that_the_client_has_gone_before_its_answer(
    gateway: RunningGateway, token: str
) -> None:
    gateway.tasks.behaviour = never_respond
    async with connected(gateway) as (_, writer):
        writer.write(build_request("POST", "/tasks", token, body=b"{}"))
        await gateway.tasks.request_received.wait()
        writer.close()
        await gateway.tasks.connection_closed.wait()


async def test_a_service_learns_that_the_client_has_gone_before_its_body_was_whole(
    gateway: RunningGateway, token: str
) -> None:
    async with connected(gateway) as (_, writer):
        writer.write(build_request("POST", "/tasks", token, length=100) + b"{")
        await gateway.tasks.request_received.wait()
        writer.close()
        await gateway.tasks.connection_closed.wait()


async def test_a_service_learns_that_the_client_has_gone_during_its_answer(
    gateway: RunningGateway, token: str
) -> None:
    async def begin(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n")
        await never_respond(request, writer)

    gateway.tasks.behaviour = begin
    async with connected(gateway) as (reader, writer):
        writer.write(build_request("GET", "/tasks", token))
        await reader.readuntil(b"[")
        writer.close()
        await gateway.tasks.connection_closed.wait()


async def test_a_body_that_is_announced_is_called_for_after_the_decision(
    gateway: RunningGateway, token: str
) -> None:
    expecting = "Expect: 100-continue\r\n"
    async with connected(gateway) as (reader, writer):
        writer.write(build_request("POST", "/tasks", token, headers=expecting, length=2))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"{}")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")

    refused = await send_raw(
        gateway.port, build_request("POST", "/tasks", headers=expecting, length=2)
    )

    assert [answer.status for answer in parse_responses(refused)] == [401]
    assert b" 100 " not in refused
    assert not gateway.tasks.requests[0].header_values("expect")


async def test_a_body_that_its_service_does_not_want_is_not_called_for(
    gateway: RunningGateway, token: str
) -> None:
    async def refuse(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(REFUSED)

    gateway.tasks.behaviour = refuse
    sent = build_request(
        "POST", "/tasks", token, headers="Expect: 100-continue\r\n", length=900_000
    )

    received = await send_raw(gateway.port, sent)

    assert [answer.status for answer in parse_responses(received)] == [413]
    assert b" 100 " not in received


async def test_twenty_slow_readers_of_long_answers_cost_little_memory(
    gateway: RunningGateway, token: str
) -> None:
    async def write_on(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 90000000\r\n\r\n")
        for _number in range(900):
            writer.write(bytes(100_000))
            await writer.drain()

    async def read_slowly() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=1_000)
        writer.write(build_request("GET", "/tasks", token))
        for _ in range(20):
            await reader.read(1_000)
            await asyncio.sleep(0.1)
        writer.close()

    gateway.tasks.behaviour = write_on
    before = gateway.resident_bytes
    reading = [asyncio.create_task(read_slowly()) for _ in range(20)]
    await asyncio.sleep(1.5)
    during = gateway.resident_bytes
    await asyncio.gather(*reading)

    assert during - before < 60_000_000


async def test_headers_that_never_end_cost_no_memory(gateway: RunningGateway, token: str) -> None:
    before = gateway.resident_bytes
    endless = (
        build_request("GET", "/tasks", token)[:-2]
        + b"X-Own: aaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 1_000_000
    )

    found = await asyncio.gather(*(send_raw(gateway.port, endless) for _ in range(3)))

    assert gateway.resident_bytes - before < 20_000_000
    assert {answer.status for each in found for answer in parse_responses(each)} <= {431}
