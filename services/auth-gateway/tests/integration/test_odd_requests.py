"""Requests that two programs could read differently get at most one response.

They never reach a service twice.
"""

import asyncio

import pytest

from devkit.testing.raw_http import build_request
from devkit.testing.stub_server import ReceivedRequest, json_response

from ..support.gateway_process import RunningGateway, statuses

SMUGGLED_REQUEST = "GET /users/me HTTP/1.1\r\nHost: gateway\r\nX-Smuggled: 1\r\n\r\n"

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
    "a method in lower case": "get /tasks HTTP/1.1",
    "an unknown method": "FETCH /tasks HTTP/1.1",
    "a method of another protocol": "PRI * HTTP/2.0",
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


async def assert_rejected(gateway: RunningGateway, data: str) -> None:
    """Assert that there is at most one response, a 4xx, and that nothing was smuggled."""
    responses = await gateway.get_responses(data.encode("latin-1"), timeout_seconds=1)

    assert len(responses) <= 1
    for response in responses:
        assert 400 <= response.status < 500
    for forwarded in gateway.users.requests:
        assert not forwarded.header_values("x-smuggled")
    assert not gateway.tasks.requests


def head(token: str, headers: str, line: str = "POST /tasks HTTP/1.1") -> str:
    """Write the head of a request that keeps its connection open."""
    return f"{line}\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\n{headers}\r\n"


@pytest.mark.parametrize("name", FRAMING)
async def test_ambiguous_framing_is_rejected(
    gateway: RunningGateway, token: str, name: str
) -> None:
    await assert_rejected(gateway, head(token, FRAMING[name]) + "0\r\n\r\n" + SMUGGLED_REQUEST)


@pytest.mark.parametrize("name", CHUNKS)
async def test_invalid_chunks_end_the_connection(
    gateway: RunningGateway, token: str, name: str
) -> None:
    bodies: list[bytes] = []

    async def respond(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        bodies.append(await request.body())
        writer.write(json_response())

    gateway.tasks.behaviour = respond
    data = (
        head(token, "Transfer-Encoding: chunked\r\n") + CHUNKS[name] + SMUGGLED_REQUEST
    ).encode()

    responses = await gateway.get_responses(data, quiet_seconds=1)

    assert statuses(responses) == [400]
    assert not bodies
    assert not gateway.users.requests


@pytest.mark.parametrize("name", HEADERS)
async def test_an_invalid_header_is_rejected(
    gateway: RunningGateway, token: str, name: str
) -> None:
    await assert_rejected(gateway, head(token, HEADERS[name]))


@pytest.mark.parametrize("name", LINES)
async def test_an_invalid_request_line_is_rejected(
    gateway: RunningGateway, token: str, name: str
) -> None:
    await assert_rejected(gateway, head(token, "", LINES[name]))


async def test_trailers_are_not_forwarded(gateway: RunningGateway, token: str) -> None:
    trailer = "0\r\nX-User-Id: forged\r\nX-Smuggled: 1\r\n\r\n"
    data = (
        build_request("POST", "/tasks", token, headers="Transfer-Encoding: chunked\r\n")
        + trailer.encode()
    )

    assert statuses(await gateway.get_responses(data)) == [200]

    (forwarded,) = gateway.tasks.requests
    assert forwarded.header_values("content-length") == []
    assert forwarded.header_values("transfer-encoding") == ["chunked"]
    assert "forged" not in forwarded.header_values("x-user-id")


async def test_an_authorization_in_a_trailer_is_ignored(
    gateway: RunningGateway, token: str
) -> None:
    trailer = f"0\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    chunked = "Transfer-Encoding: chunked\r\n"
    with_token = build_request("POST", "/tasks", token, headers=chunked)
    without_token = build_request("POST", "/tasks", headers=chunked)

    assert statuses(await gateway.get_responses(with_token + trailer)) == [200]
    assert statuses(await gateway.get_responses(without_token + trailer)) == [401]
    (forwarded,) = gateway.tasks.requests
    assert token not in str(forwarded.headers)


@pytest.mark.parametrize("upgrade", ["websocket", "h2c", "TLS/1.2"])
@pytest.mark.parametrize("framing", ["Content-Length: 2\r\n\r\n{}", CHUNKED_BODY])
async def test_an_upgrade_is_ignored_and_the_connection_stays_open(
    gateway: RunningGateway, token: str, upgrade: str, framing: str
) -> None:
    bodies: list[bytes] = []

    async def respond(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        bodies.append(await request.body())
        writer.write(json_response())

    gateway.tasks.behaviour = respond
    upgrade_headers = (
        f"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: {upgrade}\r\nHTTP2-Settings: AAMAAABk\r\n"
    )
    without_body = head(token, upgrade_headers, "GET /tasks HTTP/1.1")
    with_body = head(token, upgrade_headers)[:-2] + framing
    without_upgrade = head(token, "", "GET /tasks HTTP/1.1")
    data = without_body + with_body + without_upgrade + with_body

    responses = await gateway.get_responses(data.encode(), quiet_seconds=1)

    assert statuses(responses) == [200] * 4
    for response in responses:
        assert not response.header_values("connection")
    assert bodies == [b"", b"{}", b"", b"{}"]
    for forwarded in gateway.tasks.requests:
        for name in ("upgrade", "http2-settings", "connection"):
            assert not forwarded.header_values(name)


@pytest.mark.parametrize(
    "host", ["", "Host: a\r\nHost: b\r\n", "Host: a b\r\n", "Host: a/b\r\n", "Host: a@b\r\n"]
)
async def test_a_request_needs_exactly_one_valid_host(
    gateway: RunningGateway, token: str, host: str
) -> None:
    for path in ("/tasks", "/healthz"):
        data = build_request("GET", path, token).replace(b"Host: gateway\r\n", host.encode())
        assert statuses(await gateway.get_responses(data)) == [400]
    assert not gateway.tasks.requests


async def test_http_1_0_needs_no_host_and_allows_no_chunks(
    gateway: RunningGateway, token: str
) -> None:
    plain = (
        build_request("GET", "/tasks", token)
        .replace(b"Host: gateway\r\n", b"")
        .replace(b"1.1", b"1.0")
    )
    chunked = (
        head(token, "Transfer-Encoding: chunked\r\n", "POST /tasks HTTP/1.0")
        + "0\r\n\r\n"
        + SMUGGLED_REQUEST
    )

    assert statuses(await gateway.get_responses(plain)) == [200]
    assert statuses(await gateway.get_responses(chunked.encode())) == [400]


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
async def test_too_large_a_content_length_is_rejected(
    gateway: RunningGateway, path: str, length: int
) -> None:
    (response,) = await gateway.get_responses(build_request("POST", path, length=length))

    assert (response.status, response.code) == (413, "content-too-large")


async def test_the_largest_content_length_is_forwarded(gateway: RunningGateway, token: str) -> None:
    (response,) = await gateway.get_responses(
        build_request("POST", "/tasks", token, body=bytes(999_999))
    )

    assert response.status == 200


@pytest.mark.parametrize("path", ["/users/me/import", "/users/me/import/", "//users/me/%69mport"])
async def test_an_import_may_be_longer(gateway: RunningGateway, token: str, path: str) -> None:
    (response,) = await gateway.get_responses(
        build_request("POST", path, token, body=bytes(2_000_000))
    )

    assert response.status == 200
    assert gateway.users.requests[0].line.split()[1] in {"/users/me/import", "/users/me/import/"}


async def test_headers_beyond_the_limit_are_rejected(gateway: RunningGateway, token: str) -> None:
    data = build_request("GET", "/tasks", token, headers=f"X-Own: {'a' * 20_000}\r\n")

    assert statuses(await gateway.get_responses(data)) == [431]


async def test_requests_on_one_connection_get_responses_in_order(
    gateway: RunningGateway, token: str
) -> None:
    first = build_request("GET", "/tasks/1", token).replace(b"Connection: close\r\n", b"")

    responses = await gateway.get_responses(first + build_request("GET", "/nothing") + first)

    assert statuses(responses) == [200, 404]
