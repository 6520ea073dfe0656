"""Limits, upgrades, early responses and disconnects of the protocol, over real connections."""

import asyncio
import json
import socket
import tracemalloc
from collections.abc import AsyncGenerator, Callable

import pytest

from common import http_protocol
from common.http_protocol import FRAMING_MAX_BYTES
from devkit.testing.raw_http import parse_responses

from .protocol_server import ProtocolServer, run_protocol_server

GET = b"GET /%d HTTP/1.1\r\nHost: here\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
UPGRADE = (
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
)


@pytest.fixture
async def server() -> AsyncGenerator[ProtocolServer]:
    """Run a server for one test."""
    async with run_protocol_server() as server:
        yield server


def statuses(received: bytes) -> list[int]:
    return [response.status for response in parse_responses(received)]


def split(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def get_requests(count: int) -> bytes:
    return b"".join(GET % number for number in range(count))


def endless_header(size: int) -> bytes:
    return GET[:-2] + b"X-Own: " + b"a" * size


def endless_headers(size: int) -> bytes:
    return GET[:-2] + b"X-Own: aaaaaaaaaaaaaaaaaaaaaaaa\r\n" * (size // 32)


def endless_path(size: int) -> bytes:
    return b"GET /" + b"a" * size


def endless_method(size: int) -> bytes:
    return b"G" * size


def endless_extension(size: int) -> bytes:
    return CHUNKED + b"5;" + b"a" * size


def endless_extensions(size: int) -> bytes:
    return CHUNKED + (b"1;" + b"a" * 1_000 + b"\r\nx\r\n") * (size // 1_000)


def endless_trailer(size: int) -> bytes:
    return CHUNKED + b"5\r\nhello\r\n0\r\n" + b"X-Own: aaaaaaaaaaaaaaaaaaaaaaaa\r\n" * (size // 32)


def trailers_after_a_long_body(size: int) -> bytes:
    body = b"186a0\r\n" + bytes(100_000) + b"\r\n0\r\n"
    return CHUNKED + body + b"X-Own: aaaaaaaaaaaaaaaaaaaaaaaa\r\n" * (min(size, 200_000) // 32)


def endless_blank_lines(size: int) -> bytes:
    return b"\r\n" * (size // 2)


ENDLESS: list[tuple[Callable[[int], bytes], int]] = [
    (endless_header, 431),
    (endless_headers, 431),
    (endless_path, 414),
    (endless_method, 400),
    (endless_extension, 431),
    (endless_extensions, 431),
    (endless_trailer, 431),
    (trailers_after_a_long_body, 431),
    (endless_blank_lines, 431),
]


@pytest.mark.parametrize(
    ("build_request", "status"), ENDLESS, ids=[function.__name__ for function, _ in ENDLESS]
)
async def test_everything_but_the_body_is_limited_while_it_arrives(
    server: ProtocolServer, build_request: Callable[[int], bytes], status: int
) -> None:
    request = build_request(20_000_000)
    pieces = split(request, 100_000)
    tracemalloc.start()

    (response,) = parse_responses(await server.exchange(*pieces))

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (response.status, json.loads(response.body)["status"]) == (status, status)
    assert response.header_values("content-type") == ["application/problem+json"]
    assert response.header_values("connection") == ["close"]
    assert response.header_values("x-request-id") == [json.loads(response.body)["request_id"]]
    assert peak < 8_000_000


async def test_the_longest_allowed_head_is_read(server: ProtocolServer) -> None:
    head = GET[:-2] + b"X-Own: " + b"a" * (FRAMING_MAX_BYTES - 100) + b"\r\n\r\n"

    assert len(await server.exchange_json(head)) == 1


async def test_chunks_of_one_byte_are_accepted(server: ProtocolServer) -> None:
    request = CHUNKED + b"1\r\nx\r\n" * 200_000 + b"0\r\n\r\n"

    assert await server.exchange_json(request) == [["POST", "/", "x" * 200_000]]


async def test_trailers_do_not_reach_the_application(server: ProtocolServer) -> None:
    request = CHUNKED + b"5\r\nhello\r\n0\r\nX-User-Id: forged\r\nHost: elsewhere\r\n\r\n" + GET % 2

    assert await server.exchange_json(request) == [["POST", "/", "hello"], ["GET", "/2", ""]]
    assert [name for name, _ in server.scopes[0]["headers"]] == [b"host", b"transfer-encoding"]


@pytest.mark.parametrize("piece_bytes", [1, 7, 20_000, 1_000_000])
async def test_pipelined_requests_get_responses_in_their_order(
    server: ProtocolServer, piece_bytes: int
) -> None:
    count = 5_000
    if piece_bytes == 1:
        count = 20
    pieces = split(get_requests(count), piece_bytes)

    received_requests = await server.exchange_json(*pieces)

    expected_requests = [["GET", f"/{number}", ""] for number in range(count)]
    assert received_requests == expected_requests


async def test_pipelined_requests_wait_as_bytes(server: ProtocolServer) -> None:
    server.delay_seconds = 1
    request = get_requests(100_000)
    tracemalloc.start()

    exchange = asyncio.create_task(server.exchange(request))
    await asyncio.sleep(0.5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    exchange.cancel()
    await asyncio.wait([exchange])

    assert len(server.scopes) == 1
    assert peak < 8_000_000


async def test_bodies_of_pipelined_requests_are_not_mixed(server: ProtocolServer) -> None:
    post = b"POST /%d HTTP/1.1\r\nHost: here\r\nContent-Length: 40000\r\n\r\n%s"
    request = b""
    for number in range(9):
        request += post % (number, str(number).encode() * 40_000)

    received_requests = await server.exchange_json(request)
    assert len(received_requests) == 9
    for number, (_, _, body) in enumerate(received_requests):
        assert body == str(number) * 40_000


async def test_an_invalid_pipelined_request_is_400_after_earlier_responses(
    server: ProtocolServer,
) -> None:
    server.delay_seconds = 0.2
    received = await server.exchange(GET % 1 + GET % 2 + b"no HTTP at all\r\n\r\n")

    assert statuses(received) == [200, 200, 400]


async def test_a_malformed_body_is_400(server: ProtocolServer) -> None:
    received = await server.exchange(GET % 1 + CHUNKED + b"5\r\nhello\r\nno number\r\n")

    assert statuses(received) == [200, 400]


async def test_a_head_that_never_ends_closes_the_connection(
    server: ProtocolServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)

    async def trickle() -> None:
        writer.write(b"GET / HTTP/1.1\r\n")
        while True:
            writer.write(b"a")
            await asyncio.sleep(0.05)

    trickling = asyncio.create_task(trickle())
    assert await asyncio.wait_for(reader.read(), 5) == b""
    trickling.cancel()
    writer.close()


async def test_an_endless_second_head_does_not_lose_the_first_response(
    server: ProtocolServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.1)
    server.delay_seconds = 0.3

    (response,) = parse_responses(await server.exchange(GET % 1 + b"GET / HTTP"))

    assert response.status == 200


async def test_a_connection_without_a_request_is_closed() -> None:
    async with run_protocol_server(keep_alive_seconds=1) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


@pytest.mark.parametrize(
    "upgrade",
    [UPGRADE, UPGRADE.replace(b"h2c", b"websocket"), b"Connection: upgrade\r\nUpgrade: x\r\n"],
)
async def test_an_upgrade_is_ignored_and_the_connection_goes_on(
    server: ProtocolServer, upgrade: bytes
) -> None:
    with_length = (
        b"POST /1 HTTP/1.1\r\nHost: here\r\n" + upgrade + b"Content-Length: 5\r\n\r\nhello"
    )
    in_chunks = CHUNKED.replace(b"Host", upgrade + b"Host") + b"5\r\nhello\r\n0\r\n\r\n"
    plain = (GET % 3).replace(b"Host", upgrade + b"Host")
    request = with_length + in_chunks + plain + GET % 4 + with_length

    received_requests = [
        ["POST", "/1", "hello"],
        ["POST", "/", "hello"],
        ["GET", "/3", ""],
        ["GET", "/4", ""],
        ["POST", "/1", "hello"],
    ]
    assert await server.exchange_json(request) == received_requests
    assert await server.exchange_json(*split(request, 1)) == received_requests
    for scope in server.scopes:
        assert b"upgrade" not in dict(scope["headers"])


async def test_a_thousand_upgrades_in_a_row_are_a_thousand_requests(server: ProtocolServer) -> None:
    plain = (GET % 3).replace(b"Host", UPGRADE + b"Host")

    assert len(await server.exchange_json(plain * 1_000)) == 1_000


async def test_a_tunnel_is_the_connections_last_request(server: ProtocolServer) -> None:
    connect = b"CONNECT here:443 HTTP/1.1\r\nHost: here\r\n\r\n"

    assert statuses(await server.exchange(connect + GET % 2)) == [400]


@pytest.mark.parametrize("framing", [b"Content-Length: 1000", b"Transfer-Encoding: chunked"])
async def test_an_early_response_is_sent_at_once_and_ends_the_connection(
    server: ProtocolServer, framing: bytes
) -> None:
    server.respond_early = True
    head = b"POST / HTTP/1.1\r\nHost: here\r\n" + framing + b"\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(head)

    (response,) = parse_responses(await asyncio.wait_for(reader.read(), 1))
    writer.close()

    assert response.header_values("connection") == ["close"]


async def test_a_client_that_is_still_sending_can_read_an_early_response(
    server: ProtocolServer,
) -> None:
    server.respond_early = True
    head = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 5000000\r\n\r\n"

    (response,) = parse_responses(await server.exchange(head, *[bytes(500_000)] * 10))

    assert response.status == 200


@pytest.mark.parametrize(
    ("method", "outcome"), [("GET", "cancelled"), ("HEAD", "cancelled"), ("POST", "done")]
)
@pytest.mark.parametrize("next_request", [b"", GET])
async def test_work_for_a_disconnected_client_is_cancelled(
    server: ProtocolServer,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    outcome: str,
    next_request: bytes,
) -> None:
    monkeypatch.setattr(http_protocol, "UNSAFE_GRACE_SECONDS", 1)
    server.delay_seconds = 0.5
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)

    writer.write(f"{method} / HTTP/1.1\r\nHost: here\r\n\r\n".encode() + next_request)
    await asyncio.sleep(0.1)
    writer.close()

    assert await asyncio.wait_for(server.outcomes.get(), 2) == outcome


async def test_a_change_of_a_disconnected_client_is_cancelled_after_a_moment(
    server: ProtocolServer,
) -> None:
    server.delay_seconds = 30
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)

    writer.write(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n{}")
    await asyncio.sleep(0.1)
    writer.close()

    assert await asyncio.wait_for(server.outcomes.get(), 2) == "cancelled"


async def test_a_client_that_reads_nothing_is_disconnected(
    server: ProtocolServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "STALL_SECONDS", 0.3)
    post = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 50000\r\n\r\n" + b"x" * 50_000
    client = socket.create_connection(("127.0.0.1", server.port))
    client.settimeout(0)
    loop = asyncio.get_running_loop()

    with client, pytest.raises(ConnectionError):
        await asyncio.wait_for(loop.sock_sendall(client, post * 1_000), 5)


async def test_a_response_of_unknown_length_to_http_1_0_has_no_chunks(
    server: ProtocolServer,
) -> None:
    server.respond_in_pieces = True

    received = await server.exchange(b"GET /1 HTTP/1.0\r\n\r\n")

    [response] = parse_responses(received)
    assert response.header_values("transfer-encoding") == []
    assert response.header_values("connection") == ["close"]
    assert json.loads(received.partition(b"\r\n\r\n")[2]) == ["GET", "/1", ""]


async def test_a_response_of_unknown_length_to_http_1_1_has_chunks(
    server: ProtocolServer,
) -> None:
    server.respond_in_pieces = True

    received = await server.exchange(b"GET /1 HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")

    assert received.endswith(b"0\r\n\r\n")
