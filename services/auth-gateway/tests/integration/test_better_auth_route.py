"""The Better Auth server at `/api/auth/` of a gateway in proxy mode."""

import asyncio

import pytest

from auth_gateway.proxy.upstream import CONTENT_LENGTH_LIMIT_BYTES, better_auth_servers
from devkit.testing.raw_http import build_request
from devkit.testing.stub_server import (
    ReceivedRequest,
    close_without_response,
    json_response,
    respond_with,
)

from ..support.gateway_process import FRONT_END, RunningGateway
from ..support.helpers import MakeSettings


async def get_forwarded(gateway: RunningGateway, headers: str) -> ReceivedRequest:
    """Sign in with these headers, and return the request as Better Auth gets it."""
    await gateway.request("POST", "/api/auth/sign-in/email", headers=headers, body=b"{}")
    return gateway.better_auth.requests[-1]


async def test_a_request_without_a_token_is_forwarded_unchanged(gateway: RunningGateway) -> None:
    bodies: list[bytes] = []

    async def keep_body(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        bodies.append(await request.body())
        writer.write(json_response())

    gateway.better_auth.behaviour = keep_body
    data = build_request("POST", "/api/auth/sign-in/email?a=%2Fx", body=b'{"email": "a"}')

    response = await gateway.send(data)

    assert response.status == 200
    (forwarded,) = gateway.better_auth.requests
    assert forwarded.line == "POST /api/auth/sign-in/email?a=%2Fx HTTP/1.1"
    assert bodies == [b'{"email": "a"}']
    assert not gateway.tasks.requests
    assert not gateway.users.requests


async def test_better_auth_gets_cookies_and_token_of_the_client(gateway: RunningGateway) -> None:
    headers = "Cookie: a=1; b=2\r\nAuthorization: Bearer of-a-session\r\n"

    forwarded = await get_forwarded(gateway, headers)

    assert forwarded.header_values("cookie") == ["a=1; b=2"]
    assert forwarded.header_values("authorization") == ["Bearer of-a-session"]
    assert not forwarded.header_values("x-user-id")


async def test_better_auth_gets_the_origin_that_it_checks(gateway: RunningGateway) -> None:
    headers = f"Origin: {FRONT_END}\r\nReferer: {FRONT_END}/page\r\n"

    forwarded = await get_forwarded(gateway, headers)

    assert forwarded.header_values("origin") == [FRONT_END]
    assert forwarded.header_values("referer") == [f"{FRONT_END}/page"]


async def test_forwarding_headers_are_true_whatever_the_client_says(
    gateway: RunningGateway,
) -> None:
    headers = (
        "X-Forwarded-For: 1.2.3.4\r\n"
        "X-Forwarded-Host: evil.example\r\n"
        "X-Forwarded-Proto: https\r\n"
        "X-Forwarded-Port: 1\r\n"
        "X-Real-IP: 1.2.3.4\r\n"
        "Forwarded: for=1.2.3.4\r\n"
        "X-User-Id: forged\r\n"
    )

    forwarded = await get_forwarded(gateway, headers)

    assert forwarded.header_values("x-forwarded-for") == ["127.0.0.1"]
    assert forwarded.header_values("x-forwarded-proto") == ["http"]
    assert forwarded.header_values("x-forwarded-host") == forwarded.header_values("host")
    for name in ("x-forwarded-port", "x-real-ip", "forwarded", "x-user-id"):
        assert not forwarded.header_values(name)


async def test_better_auth_gets_the_host_that_the_client_asked(gateway: RunningGateway) -> None:
    data = b"GET /api/auth/ok HTTP/1.1\r\nHost: tasks.example.com:8443\r\nConnection: close\r\n\r\n"

    await gateway.send(data)

    (forwarded,) = gateway.better_auth.requests
    assert forwarded.header_values("host") == ["tasks.example.com:8443"]
    assert forwarded.header_values("x-forwarded-host") == ["tasks.example.com:8443"]


async def test_a_request_without_a_host_is_forwarded(gateway: RunningGateway) -> None:
    response = await gateway.send(b"GET /api/auth/ok HTTP/1.0\r\n\r\n")

    assert response.status == 200
    (forwarded,) = gateway.better_auth.requests
    assert not forwarded.header_values("x-forwarded-host")


async def test_each_cookie_of_a_response_reaches_the_client(gateway: RunningGateway) -> None:
    cookies = ["session=1; Path=/; HttpOnly; SameSite=Lax", "cache=; Max-Age=0"]
    lines = "".join(f"Set-Cookie: {cookie}\r\n" for cookie in cookies)
    gateway.better_auth.behaviour = respond_with(json_response(headers=lines))

    response = await gateway.request("POST", "/api/auth/sign-out", body=b"{}")

    assert response.header_values("set-cookie") == cookies


async def test_a_redirect_reaches_the_client(gateway: RunningGateway) -> None:
    gateway.better_auth.behaviour = respond_with(
        json_response(status="302 Found", headers="Location: https://provider.example/\r\n")
    )

    response = await gateway.request("GET", "/api/auth/callback/provider?code=4%2F0A")

    assert response.status == 302
    assert response.header_values("location") == ["https://provider.example/"]


async def test_a_front_end_of_another_origin_may_read_a_response(gateway: RunningGateway) -> None:
    headers = f"Origin: {FRONT_END}\r\n"
    response = await gateway.request("GET", "/api/auth/token", headers=headers)

    assert response.header_values("access-control-allow-origin") == [FRONT_END]
    assert response.header_values("access-control-allow-credentials") == ["true"]


@pytest.mark.parametrize("path", ["/api/authx", "/api", "/api/auth%2Ftoken", "/API/auth/token"])
async def test_other_paths_are_not_forwarded(gateway: RunningGateway, path: str) -> None:
    response = await gateway.request("GET", path)

    assert response.status in {400, 404}
    assert not gateway.better_auth.requests


async def test_a_server_that_closes_the_connection_is_502(gateway: RunningGateway) -> None:
    gateway.better_auth.behaviour = close_without_response

    response = await gateway.request("POST", "/api/auth/sign-in/email", body=b"{}")

    assert (response.status, response.code) == (502, "bad-gateway")
    assert len(gateway.better_auth.requests) == 1


async def test_while_better_auth_is_away_the_gateway_is_ready_and_tasks_work(
    gateway: RunningGateway, token: str
) -> None:
    await gateway.better_auth.stop()
    try:
        sign_in = await gateway.request("POST", "/api/auth/sign-in/email", body=b"{}")
        readiness = await gateway.request("GET", "/readyz")
        tasks = await gateway.request("GET", "/tasks", token)
    finally:
        await gateway.better_auth.start()

    assert (sign_in.status, sign_in.code) == (502, "bad-gateway")
    assert readiness.status == 200
    assert tasks.status == 200


async def test_a_body_that_is_too_large_is_refused_by_its_length(gateway: RunningGateway) -> None:
    length = CONTENT_LENGTH_LIMIT_BYTES

    response = await gateway.request("POST", "/api/auth/sign-in/email", length=length)

    assert (response.status, response.code) == (413, "content-too-large")
    assert not gateway.better_auth.requests


async def test_a_body_without_a_length_is_counted(gateway: RunningGateway) -> None:
    chunk = b"a" * 50_000
    chunks = CONTENT_LENGTH_LIMIT_BYTES // len(chunk)
    head = build_request(
        "POST", "/api/auth/sign-in/email", headers="Transfer-Encoding: chunked\r\n", length=None
    )
    one = b"%x\r\n%b\r\n" % (len(chunk), chunk)

    accepted = await gateway.send(head + one * (chunks - 1) + b"0\r\n\r\n")
    refused = await gateway.send(head + one * chunks + b"0\r\n\r\n")

    assert accepted.status == 200
    assert (refused.status, refused.code) == (413, "content-too-large")
    assert len(gateway.better_auth.requests) == 2
    await gateway.better_auth.connection_closed.wait()


async def test_a_response_reaches_the_client_piece_by_piece(gateway: RunningGateway) -> None:
    is_first_piece_read = asyncio.Event()

    async def behave(request: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        await request.body()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nfirst,")
        await is_first_piece_read.wait()

    gateway.better_auth.behaviour = behave
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(build_request("GET", "/api/auth/ok"))
    async with asyncio.timeout(5):
        await reader.readuntil(b"first,")
    is_first_piece_read.set()
    writer.close()


def test_without_its_url_there_is_no_better_auth_server(make_settings: MakeSettings) -> None:
    assert better_auth_servers(make_settings(better_auth_server_url="")) == ()


async def test_in_forward_auth_mode_the_edge_forwards_to_better_auth(
    forward_auth_gateway: RunningGateway,
) -> None:
    response = await forward_auth_gateway.request("GET", "/api/auth/ok")

    assert (response.status, response.code) == (404, "not-found")
