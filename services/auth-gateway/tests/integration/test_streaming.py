"""Bodies are forwarded chunk by chunk, and a disconnect is noticed on the other side."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from devkit.testing.raw_http import build_request, parse_responses, send_raw
from devkit.testing.stub_server import ReceivedRequest, json_response, never_respond, respond_with

from ..support.gateway_process import RunningGateway, statuses

CHUNKED = "Transfer-Encoding: chunked\r\n"
TIMEOUT_SECONDS = 5.0


@asynccontextmanager
async def connected(
    gateway: RunningGateway,
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection, for at most `TIMEOUT_SECONDS`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    async with asyncio.timeout(TIMEOUT_SECONDS):
        yield reader, writer
    writer.close()


async def test_a_chunked_body_arrives_whole(gateway: RunningGateway, token: str) -> None:
    bodies: list[bytes] = []

    async def respond(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        bodies.append(await request.body())
        writer.write(json_response())

    gateway.tasks.behaviour = respond
    data = (
        build_request("POST", "/tasks", token, headers=CHUNKED)
        + b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Own: a\r\n\r\n"
    )

    assert (await gateway.send(data)).status == 200

    (forwarded,) = gateway.tasks.requests
    assert bodies == [b"hello world"]
    assert forwarded.header_values("transfer-encoding") == ["chunked"]
    assert forwarded.header_values("content-length") == []


async def test_a_body_is_forwarded_while_the_client_still_sends(
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


async def test_a_response_is_forwarded_while_the_service_still_writes(
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


async def test_a_response_may_come_byte_by_byte(gateway: RunningGateway, token: str) -> None:
    async def send_byte_by_byte(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        for byte in json_response(b"[1, 2, 3]"):
            writer.write(bytes([byte]))
            await writer.drain()

    gateway.tasks.behaviour = send_byte_by_byte

    assert (await gateway.request("GET", "/tasks", token)).body == b"[1, 2, 3]"


async def test_a_response_without_a_length_ends_with_its_connection(
    gateway: RunningGateway, token: str
) -> None:
    async def write_and_close(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nall there is")
        writer.close()

    gateway.tasks.behaviour = write_and_close

    received = await send_raw(gateway.port, build_request("GET", "/tasks", token))

    assert received.endswith(b"c\r\nall there is\r\n0\r\n\r\n")


async def test_a_long_response_is_not_buffered(gateway: RunningGateway, token: str) -> None:
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
        previously_written = -1
        while previously_written != written:
            previously_written = written
            await asyncio.sleep(0.3)
        # The rest fills the buffers of two connections, not the gateway's memory.
        assert written < 20_000_000


@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
async def test_an_incomplete_response_closes_the_connection(
    gateway: RunningGateway, token: str, framing: str
) -> None:
    async def break_off(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n9\r\n[1, 2, 3,\r\n".encode())
        await writer.drain()
        writer.close()

    gateway.tasks.behaviour = break_off
    data = build_request("GET", "/tasks", token).replace(b"Connection: close\r\n", b"")

    received = await send_raw(gateway.port, data)

    assert received.count(b"HTTP/1.1") == 1
    assert b"[1, 2, 3," in received
    assert not received.endswith(b"0\r\n\r\n")


async def test_an_early_response_does_not_wait_for_the_body(
    gateway: RunningGateway, token: str
) -> None:
    async def reject(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(json_response(status="413 Content Too Large", headers="Connection: close\r\n"))
        await writer.drain()
        writer.close()

    gateway.tasks.behaviour = reject
    async with connected(gateway) as (reader, writer):
        writer.write(build_request("POST", "/tasks", token, headers=CHUNKED) + b"5\r\nhello\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")


REJECTION = json_response(status="413 Content Too Large")


@pytest.mark.parametrize("framing", ["Content-Length: 900000\r\n", CHUNKED])
@pytest.mark.parametrize("body_start", [b"", b"5\r\nhello\r\n"])
@pytest.mark.parametrize("path", ["/tasks", "/users/me/import"])
async def test_a_response_does_not_wait_for_a_body_that_stalls(
    gateway: RunningGateway, token: str, framing: str, body_start: bytes, path: str
) -> None:
    async def reject(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(REJECTION)

    gateway.tasks.behaviour = gateway.users.behaviour = reject
    async with connected(gateway) as (reader, writer):
        head = build_request("POST", path, token, headers=framing)
        writer.write(head.replace(b"Connection: close\r\n", b"") + body_start)
        (response,) = parse_responses(await reader.read())

    assert response.status == 413
    assert response.header_values("connection") == ["close"]


async def test_a_connection_with_an_incomplete_request_is_not_reused(
    gateway: RunningGateway, token: str
) -> None:
    async def reject(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(REJECTION)

    gateway.tasks.behaviour = reject
    await gateway.send(build_request("POST", "/tasks", token, length=900_000) + b"half")
    gateway.tasks.behaviour = respond_with(json_response())
    await gateway.request("POST", "/tasks", token, body=b"{}")

    first, second = gateway.tasks.requests
    assert first.connection_number != second.connection_number


async def test_a_head_and_a_later_body_are_one_request(gateway: RunningGateway, token: str) -> None:
    async with connected(gateway) as (reader, writer):
        writer.write(build_request("POST", "/tasks", token, length=2))
        await gateway.tasks.request_received.wait()
        writer.write(b"{}")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")


async def test_a_disconnect_before_the_response_closes_the_upstream_connection(
    gateway: RunningGateway, token: str
) -> None:
    gateway.tasks.behaviour = never_respond
    async with connected(gateway) as (_, writer):
        writer.write(build_request("POST", "/tasks", token, body=b"{}"))
        await gateway.tasks.request_received.wait()
        writer.close()
        await gateway.tasks.connection_closed.wait()


async def test_a_disconnect_during_the_body_closes_the_upstream_connection(
    gateway: RunningGateway, token: str
) -> None:
    async with connected(gateway) as (_, writer):
        writer.write(build_request("POST", "/tasks", token, length=100) + b"{")
        await gateway.tasks.request_received.wait()
        writer.close()
        await gateway.tasks.connection_closed.wait()


async def test_a_disconnect_during_the_response_closes_the_upstream_connection(
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


async def test_100_continue_is_sent_after_the_authentication(
    gateway: RunningGateway, token: str
) -> None:
    expecting = "Expect: 100-continue\r\n"
    async with connected(gateway) as (reader, writer):
        writer.write(build_request("POST", "/tasks", token, headers=expecting, length=2))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"{}")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")

    without_token = build_request("POST", "/tasks", headers=expecting, length=2)
    received = await send_raw(gateway.port, without_token)

    assert statuses(parse_responses(received)) == [401]
    assert b" 100 " not in received
    assert not gateway.tasks.requests[0].header_values("expect")


async def test_100_continue_is_not_sent_if_the_service_rejects_the_request(
    gateway: RunningGateway, token: str
) -> None:
    async def reject(_: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(REJECTION)

    gateway.tasks.behaviour = reject
    data = build_request(
        "POST", "/tasks", token, headers="Expect: 100-continue\r\n", length=900_000
    )

    received = await send_raw(gateway.port, data)

    assert statuses(parse_responses(received)) == [413]
    assert b" 100 " not in received


async def test_twenty_slow_readers_of_long_responses_need_little_memory(
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
    bytes_before = gateway.resident_bytes
    readers = [asyncio.create_task(read_slowly()) for _ in range(20)]
    await asyncio.sleep(1.5)
    bytes_during = gateway.resident_bytes
    await asyncio.gather(*readers)

    assert bytes_during - bytes_before < 60_000_000


async def test_endless_headers_need_no_memory(gateway: RunningGateway, token: str) -> None:
    bytes_before = gateway.resident_bytes
    head = build_request("GET", "/tasks", token)[:-2]
    data = head + b"X-Own: aaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 1_000_000

    results = await asyncio.gather(
        gateway.get_responses(data), gateway.get_responses(data), gateway.get_responses(data)
    )

    assert gateway.resident_bytes - bytes_before < 20_000_000
    for responses in results:
        assert set(statuses(responses)) <= {431}
