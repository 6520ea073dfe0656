"""What the server bounds while it reads, what it ignores, and whose work it ends; over real connections."""

import asyncio
import json
import socket
import tracemalloc
from collections.abc import AsyncGenerator, Callable

import pytest

from common import http_protocol
from common.http_protocol import FRAMING_MAX_BYTES
from devkit.testing.raw_http import parse_responses

from .protocol_server import Served, serving

GET = b"GET /%d HTTP/1.1\r\nHost: here\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"


@pytest.fixture
async def served() -> AsyncGenerator[Served]:
    """Have a server of the test's own."""
    async with serving() as started:
        yield started


def endless_header(size: int) -> bytes:
    return GET[:-2] + b"X-Own: " + b"a" * size


def endless_headers(size: int) -> bytes:
    return GET[:-2] + b"X-Own: aaaaaaaaaaaaaaaaaaaaaaaa\r\n" * (size // 32)


def endless_path(size: int) -> bytes:
    return b"GET /" + b"a" * size


def endless_verb(size: int) -> bytes:
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
    (endless_verb, 400),
    (endless_extension, 431),
    (endless_extensions, 431),
    (endless_trailer, 431),
    (trailers_after_a_long_body, 431),
    (endless_blank_lines, 431),
]


@pytest.mark.parametrize(
    ("endless", "status"), ENDLESS, ids=[function.__name__ for function, _ in ENDLESS]
)
async def test_what_is_no_body_is_bounded_while_it_arrives(
    served: Served, endless: Callable[[int], bytes], status: int
) -> None:
    sent = endless(20_000_000)
    pieces = [sent[start : start + 100_000] for start in range(0, len(sent), 100_000)]
    tracemalloc.start()

    (answer,) = parse_responses(await served.converse(*pieces))

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (answer.status, json.loads(answer.body)["status"]) == (status, status)
    assert answer.header_values("content-type") == ["application/problem+json"]
    assert answer.header_values("connection") == ["close"]
    assert answer.header_values("x-request-id") == [json.loads(answer.body)["request_id"]]
    assert peak < 8_000_000


async def test_the_longest_head_that_is_let_in_is_read(served: Served) -> None:
    head = GET[:-2] + b"X-Own: " + b"a" * (FRAMING_MAX_BYTES - 100) + b"\r\n\r\n"

    assert len(await served.bodies(head)) == 1


async def test_chunks_of_one_byte_are_a_body_like_any_other(served: Served) -> None:
    sent = CHUNKED + b"1\r\nx\r\n" * 200_000 + b"0\r\n\r\n"

    assert await served.bodies(sent) == [["POST", "/", "x" * 200_000]]


async def test_nothing_of_a_trailer_reaches_the_application(served: Served) -> None:
    sent = CHUNKED + b"5\r\nhello\r\n0\r\nX-User-Id: forged\r\nHost: elsewhere\r\n\r\n" + GET % 2

    assert await served.bodies(sent) == [["POST", "/", "hello"], ["GET", "/2", ""]]
    assert [name for name, _ in served.seen[0]["headers"]] == [b"host", b"transfer-encoding"]


@pytest.mark.parametrize("piece_bytes", [1, 7, 20_000, 1_000_000])
async def test_pipelined_requests_are_answered_in_their_order(
    served: Served, piece_bytes: int
) -> None:
    count = 20 if piece_bytes == 1 else 5_000
    sent = b"".join(GET % number for number in range(count))
    pieces = [sent[start : start + piece_bytes] for start in range(0, len(sent), piece_bytes)]

    found = await served.bodies(*pieces)

    assert [path for _, path, _ in found] == [f"/{number}" for number in range(count)]


async def test_pipelined_requests_wait_as_bytes(served: Served) -> None:
    served.seconds = 1
    sent = b"".join(GET % number for number in range(100_000))
    tracemalloc.start()

    asking = asyncio.create_task(served.converse(sent))
    await asyncio.sleep(0.5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    asking.cancel()
    await asyncio.wait([asking])

    assert len(served.seen) == 1
    assert peak < 8_000_000


async def test_bodies_of_pipelined_requests_stay_their_own(served: Served) -> None:
    post = b"POST /%d HTTP/1.1\r\nHost: here\r\nContent-Length: 40000\r\n\r\n%s"
    sent = b"".join(post % (number, str(number).encode() * 40_000) for number in range(9))

    assert [body for _, _, body in await served.bodies(sent)] == [
        str(number) * 40_000 for number in range(9)
    ]


async def test_what_follows_a_request_and_is_none_is_refused_after_its_answer(
    served: Served,
) -> None:
    served.seconds = 0.2
    found = parse_responses(await served.converse(GET % 1 + GET % 2 + b"no HTTP at all\r\n\r\n"))

    assert [answer.status for answer in found] == [200, 200, 400]


async def test_a_body_that_breaks_is_refused_in_place_of_an_answer(served: Served) -> None:
    found = parse_responses(
        await served.converse(GET % 1 + CHUNKED + b"5\r\nhello\r\nno number\r\n")
    )

    assert [answer.status for answer in found] == [200, 400]


async def test_a_head_that_never_ends_is_not_waited_for(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)

    async def trickle() -> None:
        writer.write(b"GET / HTTP/1.1\r\n")
        while True:
            writer.write(b"a")
            await asyncio.sleep(0.05)

    trickling = asyncio.create_task(trickle())
    assert await asyncio.wait_for(reader.read(), 5) == b""
    trickling.cancel()
    writer.close()


async def test_a_second_head_that_never_ends_costs_nobody_the_first_answer(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.1)
    served.seconds = 0.3

    (answer,) = parse_responses(await served.converse(GET % 1 + b"GET / HTTP"))

    assert answer.status == 200


async def test_a_connection_that_asks_nothing_is_closed() -> None:
    async with serving(keep_alive_seconds=1) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


@pytest.mark.parametrize(
    "upgrade",
    [UPGRADE, UPGRADE.replace(b"h2c", b"websocket"), b"Connection: upgrade\r\nUpgrade: x\r\n"],
)
async def test_an_upgrade_is_ignored_and_the_connection_goes_on(
    served: Served, upgrade: bytes
) -> None:
    with_length = (
        b"POST /1 HTTP/1.1\r\nHost: here\r\n" + upgrade + b"Content-Length: 5\r\n\r\nhello"
    )
    in_chunks = CHUNKED.replace(b"Host", upgrade + b"Host") + b"5\r\nhello\r\n0\r\n\r\n"
    plain = (GET % 3).replace(b"Host", upgrade + b"Host")
    sent = with_length + in_chunks + plain + GET % 4 + with_length

    expected = [
        ["POST", "/1", "hello"],
        ["POST", "/", "hello"],
        ["GET", "/3", ""],
        ["GET", "/4", ""],
        ["POST", "/1", "hello"],
    ]
    assert await served.bodies(sent) == expected
    assert await served.bodies(*(sent[at : at + 1] for at in range(len(sent)))) == expected
    assert not [scope for scope in served.seen if b"upgrade" in dict(scope["headers"])]


async def test_a_thousand_upgrades_in_a_row_are_a_thousand_requests(served: Served) -> None:
    plain = (GET % 3).replace(b"Host", UPGRADE + b"Host")

    assert len(await served.bodies(plain * 1_000)) == 1_000


async def test_a_tunnel_is_the_connections_last_request(served: Served) -> None:
    found = parse_responses(
        await served.converse(b"CONNECT here:443 HTTP/1.1\r\nHost: here\r\n\r\n" + GET % 2)
    )

    assert [answer.status for answer in found] == [400]


@pytest.mark.parametrize("framing", [b"Content-Length: 1000", b"Transfer-Encoding: chunked"])
async def test_an_answer_before_the_end_of_the_body_comes_at_once_and_ends_the_connection(
    served: Served, framing: bytes
) -> None:
    served.answer_early = True
    head = b"POST / HTTP/1.1\r\nHost: here\r\n" + framing + b"\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(head)

    (answer,) = parse_responses(await asyncio.wait_for(reader.read(), 1))
    writer.close()

    assert answer.header_values("connection") == ["close"]


async def test_whoever_goes_on_sending_can_still_read_the_early_answer(served: Served) -> None:
    served.answer_early = True
    head = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 5000000\r\n\r\n"

    (answer,) = parse_responses(await served.converse(head, *[bytes(500_000)] * 10))

    assert answer.status == 200


@pytest.mark.parametrize(
    ("verb", "outcome"), [("GET", "cancelled"), ("HEAD", "cancelled"), ("POST", "done")]
)
@pytest.mark.parametrize("next_request", [b"", GET])
async def test_work_that_nobody_waits_for_ends(
    served: Served, monkeypatch: pytest.MonkeyPatch, verb: str, outcome: str, next_request: bytes
) -> None:
    monkeypatch.setattr(http_protocol, "UNSAFE_GRACE_SECONDS", 1)
    served.seconds = 0.5
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)

    writer.write(f"{verb} / HTTP/1.1\r\nHost: here\r\n\r\n".encode() + next_request)
    await asyncio.sleep(0.1)
    writer.close()

    assert await asyncio.wait_for(served.ended.get(), 2) == outcome


async def test_a_change_that_nobody_waits_for_ends_after_a_moment(served: Served) -> None:
    served.seconds = 30
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)

    writer.write(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n{}")
    await asyncio.sleep(0.1)
    writer.close()

    assert await asyncio.wait_for(served.ended.get(), 2) == "cancelled"


async def test_whoever_reads_nothing_of_an_answer_is_let_go(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "STALL_SECONDS", 0.3)
    post = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 50000\r\n\r\n" + b"x" * 50_000
    client = socket.create_connection(("127.0.0.1", served.port))
    client.settimeout(0)
    loop = asyncio.get_running_loop()

    with client, pytest.raises(ConnectionError):
        await asyncio.wait_for(loop.sock_sendall(client, post * 1_000), 5)


async def test_an_answer_of_unknown_length_to_http_1_0_comes_without_chunks(served: Served) -> None:
    served.answer_in_pieces = True

    received = await served.converse(b"GET /1 HTTP/1.0\r\n\r\n")

    [answer] = parse_responses(received)
    assert answer.header_values("transfer-encoding") == []
    assert answer.header_values("connection") == ["close"]
    assert json.loads(received.partition(b"\r\n\r\n")[2]) == ["GET", "/1", ""]


async def test_an_answer_of_unknown_length_to_http_1_1_comes_in_chunks(served: Served) -> None:
    served.answer_in_pieces = True

    received = await served.converse(b"GET /1 HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")

    assert received.endswith(b"0\r\n\r\n")
