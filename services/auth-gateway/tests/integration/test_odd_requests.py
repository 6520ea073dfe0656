"""Requests that two programs could read in two ways get one answer at most, and never reach a service twice."""

import asyncio

import pytest

from devkit.testing.raw_http import build_request, parse_responses, send_raw
from devkit.testing.stub_server import ReceivedRequest, json_response

from ..support.gateway_process import RunningGateway

SECOND = "GET /users/me HTTP/1.1\r\nHost: gateway\r\nX-Smuggled: 1\r\n\r\n"

FRAMING = {
    "length and chunks": "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
    "chunks and length": "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    "two lengths": "Content-Length: 4\r\nContent-Length: 60\r\n",
    "the same length twice": "Content-Length: 4\r\nContent-Length: 4\r\n",
    "a list of lengths": "Content-Length: 4, 60\r\n",
    "a length with a sign": "Content-Length: +4\r\n",
    "a negative length": "Content-Length: -4\r\n",
    "a length in hexadecimal": "Content-Length: 0x4\r\n",
    "a length with a point": "Content-Length: 4.0\r\n",
    "a length with an underscore": "Content-Length: 1_0\r\n",
    "a length beyond all counting": f"Content-Length: {10**30}\r\n",
    "an empty length": "Content-Length: \r\n",
    "chunks in another spelling": "Transfer-Encoding: xchunked\r\n",
    "chunks that are not last": "Transfer-Encoding: chunked, identity\r\n",
    "chunks twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "chunks inside something": "Transfer-Encoding: gzip, chunked\r\n",
    "chunks and identity": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "identity": "Transfer-Encoding: identity\r\n",
    "no encoding": "Transfer-Encoding:\r\n",
    "a space before the colon": "Transfer-Encoding : chunked\r\n",
    "a tab before the colon": "Content-Length\t: 4\r\n",
    "a vertical tab in the encoding": "Transfer-Encoding: \x0bchunked\r\n",
    "a folded encoding": "Transfer-Encoding:\r\n chunked\r\n",
    "a quoted encoding": 'Transfer-Encoding: "chunked"\r\n',
    "an alias of length": "Content_Length: 4\r\n",
    "an alias of encoding": "Transfer_Encoding: chunked\r\n",
}
HEADERS = {
    "a folded header": "X-Own: a\r\n b\r\n",
    "a folded header with a tab": "X-Own: a\r\n\tAuthorization: Bearer x\r\n",
    "a header that begins with a space": " X-Own: a\r\n",
    "a NUL in a value": "X-Own: a\x00b\r\n",
    "a NUL in a name": "X-O\x00wn: a\r\n",
    "a lone carriage return": "X-Own: a\rX-User-Id: forged\r\n",
    "a lone carriage return at the end": "X-Own: a\r\rX-User-Id: forged\r\n",
    "no colon": "X-Own\r\n",
    "no name": ": a\r\n",
    "a name in brackets": "X(Own): a\r\n",
    "a name that is no ASCII": "X-Öwn: a\r\n",
}
CHUNKS = {
    "a size that is no number": "x\r\nhell\r\n0\r\n\r\n",
    "a negative size": "-4\r\nhell\r\n0\r\n\r\n",
    "a size with a prefix": "0x4\r\nhell\r\n0\r\n\r\n",
    "a size beyond all counting": "fffffffffffffffff\r\nhell\r\n0\r\n\r\n",
    "a chunk longer than its size": "2\r\nhell\r\n0\r\n\r\n",
    "a chunk without its end": "4\r\nhell0\r\n\r\n",
    "a line feed alone": "4\nhell\n0\n\n",
    "a carriage return in an extension": "4;a\rb\r\nhell\r\n0\r\n\r\n",
}
CHUNKED_BODY = "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
LINES = {
    "another version": "GET /tasks HTTP/3.1",
    "no version": "GET /tasks",
    "a version in lower case": "GET /tasks http/1.1",
    "a verb in lower case": "get /tasks HTTP/1.1",
    "an unknown verb": "FETCH /tasks HTTP/1.1",
    "a verb of another protocol": "PRI * HTTP/2.0",
    "a tunnel": "CONNECT gateway:443 HTTP/1.1",
    "a tunnel to a path": "CONNECT /tasks HTTP/1.1",
    "no path": "GET tasks HTTP/1.1",
    "a path that is no ASCII": "GET /täsks HTTP/1.1",
    "a query that is no ASCII": "GET /tasks?q=ä HTTP/1.1",
    "a control character": "GET /tasks\x01 HTTP/1.1",
    "everything": "OPTIONS * HTTP/1.1",
    "a URL without a path": "GET http://gateway HTTP/1.1",
    "a long path": f"GET /tasks/{'a' * 9_000} HTTP/1.1",
    "a very long path": f"GET /tasks/{'a' * 200_000} HTTP/1.1",
}


async def refuses(gateway: RunningGateway, sent: str) -> None:
    """Make sure that there is one answer at most, that it refuses, and that nothing was smuggled."""
    found = parse_responses(await send_raw(gateway.port, sent.encode("latin-1"), timeout_seconds=1))

    assert len(found) <= 1
    assert all(400 <= answer.status < 500 for answer in found)
    assert not [seen for seen in gateway.users.requests if seen.header_values("x-smuggled")]
    assert not gateway.tasks.requests


def head(token: str, headers: str, line: str = "POST /tasks HTTP/1.1") -> str:
    """Write the head of a request that does not end its connection."""
    return f"{line}\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\n{headers}\r\n"


@pytest.mark.parametrize("name", FRAMING)
async def test_a_body_whose_end_is_in_doubt_is_refused(
    gateway: RunningGateway, token: str, name: str
) -> None:
    await refuses(gateway, head(token, FRAMING[name]) + "0\r\n\r\n" + SECOND)


@pytest.mark.parametrize("name", CHUNKS)
async def test_chunks_that_are_none_end_the_connection(
    gateway: RunningGateway, token: str, name: str
) -> None:
    bodies: list[bytes] = []

    async def read(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        bodies.append(await request.body())
        writer.write(json_response())

    gateway.tasks.behaviour = read
    sent = (head(token, "Transfer-Encoding: chunked\r\n") + CHUNKS[name] + SECOND).encode()

    found = parse_responses(await send_raw(gateway.port, sent, timeout_seconds=1))

    assert [answer.status for answer in found] == [400]
    assert not bodies
    assert not gateway.users.requests


@pytest.mark.parametrize("name", HEADERS)
async def test_a_header_that_is_none_is_refused(
    gateway: RunningGateway, token: str, name: str
) -> None:
    await refuses(gateway, head(token, HEADERS[name]))


@pytest.mark.parametrize("name", LINES)
async def test_a_request_line_that_is_none_is_refused(
    gateway: RunningGateway, token: str, name: str
) -> None:
    await refuses(gateway, head(token, "", LINES[name]))


async def test_what_follows_a_chunked_body_is_no_header(
    gateway: RunningGateway, token: str
) -> None:
    trailer = "0\r\nX-User-Id: forged\r\nX-Smuggled: 1\r\n\r\n"
    sent = (
        build_request("POST", "/tasks", token, headers="Transfer-Encoding: chunked\r\n")
        + trailer.encode()
    )

    assert [answer.status for answer in parse_responses(await send_raw(gateway.port, sent))] == [
        200
    ]

    (seen,) = gateway.tasks.requests
    assert (seen.header_values("content-length"), seen.header_values("transfer-encoding")) == (
        [],
        ["chunked"],
    )
    assert "forged" not in seen.header_values("x-user-id")


async def test_an_authorization_in_a_trailer_means_nothing(
    gateway: RunningGateway, token: str
) -> None:
    trailer = f"0\r\nAuthorization: Bearer {token}\r\n\r\n"
    chunked = "Transfer-Encoding: chunked\r\n"
    sent = [
        build_request("POST", "/tasks", token, headers=chunked),
        build_request("POST", "/tasks", headers=chunked),
    ]

    found = [
        parse_responses(await send_raw(gateway.port, each + trailer.encode())) for each in sent
    ]

    assert [[answer.status for answer in each] for each in found] == [[200], [401]]
    (seen,) = gateway.tasks.requests
    assert token not in str(seen.headers)


@pytest.mark.parametrize("upgrade", ["websocket", "h2c", "TLS/1.2"])
@pytest.mark.parametrize("framing", ["Content-Length: 2\r\n\r\n{}", CHUNKED_BODY])
async def test_an_upgrade_is_ignored_and_the_connection_goes_on(
    gateway: RunningGateway, token: str, upgrade: str, framing: str
) -> None:
    bodies: list[bytes] = []

    async def keep(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        bodies.append(await request.body())
        writer.write(json_response())

    gateway.tasks.behaviour = keep
    hop = (
        f"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: {upgrade}\r\nHTTP2-Settings: AAMAAABk\r\n"
    )
    plain = head(token, hop, "GET /tasks HTTP/1.1")
    with_body = head(token, hop)[:-2] + framing
    sent = plain + with_body + head(token, "", "GET /tasks HTTP/1.1") + with_body

    found = parse_responses(await send_raw(gateway.port, sent.encode(), timeout_seconds=1))

    assert [answer.status for answer in found] == [200] * 4
    assert not [answer for answer in found if answer.header_values("connection")]
    assert bodies == [b"", b"{}", b"", b"{}"]
    for seen in gateway.tasks.requests:
        assert not [
            name for name in ("upgrade", "http2-settings", "connection") if seen.header_values(name)
        ]


@pytest.mark.parametrize(
    "host", ["", "Host: a\r\nHost: b\r\n", "Host: a b\r\n", "Host: a/b\r\n", "Host: a@b\r\n"]
)
async def test_a_request_names_one_host(gateway: RunningGateway, token: str, host: str) -> None:
    for path in ("/tasks", "/healthz"):
        sent = build_request("GET", path, token).replace(b"Host: gateway\r\n", host.encode())
        assert [
            answer.status for answer in parse_responses(await send_raw(gateway.port, sent))
        ] == [400]
    assert not gateway.tasks.requests


async def test_an_older_client_names_no_host_and_sends_no_chunks(
    gateway: RunningGateway, token: str
) -> None:
    plain = (
        build_request("GET", "/tasks", token)
        .replace(b"Host: gateway\r\n", b"")
        .replace(b"1.1", b"1.0")
    )
    chunked = (
        head(token, "Transfer-Encoding: chunked\r\n", "POST /tasks HTTP/1.0") + "0\r\n\r\n" + SECOND
    )
    found = [
        parse_responses(await send_raw(gateway.port, sent)) for sent in (plain, chunked.encode())
    ]

    assert [[answer.status for answer in answered] for answered in found] == [[200], [400]]


@pytest.mark.parametrize(
    ("path", "length"),
    [
        ("/tasks", 1_000_000),
        ("/tasks", 10_000_000_000),
        ("/users/me", 10**18),
        ("/users/me/imports", 1_000_000),
        ("/users/me/import", 100_000_000),
        ("/users/me/import/", 10**18),
    ],
)
async def test_a_body_that_is_announced_too_long_is_refused_unread(
    gateway: RunningGateway, path: str, length: int
) -> None:
    (answer,) = parse_responses(
        await send_raw(gateway.port, build_request("POST", path, length=length))
    )

    assert (answer.status, answer.code) == (413, "content-too-large")


async def test_the_longest_body_that_may_be_announced_is_handed_on(
    gateway: RunningGateway, token: str
) -> None:
    (answer,) = parse_responses(
        await send_raw(gateway.port, build_request("POST", "/tasks", token, body=bytes(999_999)))
    )

    assert answer.status == 200


@pytest.mark.parametrize("path", ["/users/me/import", "/users/me/import/", "//users/me/%69mport"])
async def test_an_import_may_be_longer(gateway: RunningGateway, token: str, path: str) -> None:
    (answer,) = parse_responses(
        await send_raw(gateway.port, build_request("POST", path, token, body=bytes(2_000_000)))
    )

    assert answer.status == 200
    assert gateway.users.requests[0].line.split()[1] in {"/users/me/import", "/users/me/import/"}


async def test_headers_beyond_the_limit_are_refused(gateway: RunningGateway, token: str) -> None:
    sent = build_request("GET", "/tasks", token, headers=f"X-Own: {'a' * 20_000}\r\n")

    assert [answer.status for answer in parse_responses(await send_raw(gateway.port, sent))] == [
        431
    ]


async def test_requests_on_one_connection_are_answered_in_their_order(
    gateway: RunningGateway, token: str
) -> None:
    first = build_request("GET", "/tasks/1", token).replace(b"Connection: close\r\n", b"")

    found = parse_responses(
        await send_raw(gateway.port, first + build_request("GET", "/nothing") + first)
    )

    assert [answer.status for answer in found] == [200, 404]
