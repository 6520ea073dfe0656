"""What a service learns about the user: the headers of the gateway, not those of the client."""

import jwt
import pytest

from devkit.testing.raw_http import build_request, parse_responses, send_raw, send_request
from devkit.testing.stub_server import ReceivedRequest
from e2e.support.edge_testbed import SUBJECT, Edge

IDENTITY_HEADERS = ("authorization", "x-user-id", "x-request-id")

ALIASES = (
    "device_id",
    "X.Client",
    "sec~gpc",
    "X_User_Id",
    "X.User.Id",
    "x_user_id",
    "X-User_Id",
    "X.USER-ID",
    "X_Request_ID",
    "Authorization_",
    "_",
)

"""Header names that some programs take for another name, or that no client needs."""

REMOVED_HEADERS = (
    "X-User-Id",
    "Cookie",
    "Forwarded",
    "Remote-User",
    "X-Forwarded-User",
    "X-Original-Url",
    "X-Rewrite-Url",
    "Proxy-Authorization",
    "Keep-Alive",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Upgrade",
)
"""Headers that identify a user or rewrite the request, and hop-by-hop headers."""

FORWARDED_HEADERS = (
    "For",
    "Host",
    "Port",
    "Proto",
    "Server",
    "Method",
    "Uri",
    "Prefix",
    "Tls-Client-Cert",
)
"""The ends of header names that start with `X-Forwarded-`."""


async def receive(edge: Edge, token: str, headers: str) -> ReceivedRequest:
    """Send a request with these header lines, and return what the tasks service received."""
    request = build_request("GET", "/tasks", token, headers=headers)
    response = await send_request(edge.port, request)
    assert response.status == 200, response.body
    return edge.tasks.requests[-1]


async def test_a_service_receives_the_user_and_not_the_token(edge: Edge, token: str) -> None:
    received = await receive(edge, token, "X-Request-ID: my-own-id\r\n")

    [authorization] = received.header_values("authorization")
    scheme, passport = authorization.split()
    decoded = jwt.decode_complete(passport, options={"verify_signature": False})
    assert scheme == "Bearer"
    assert decoded["header"]["typ"] == "passport+jwt"
    assert decoded["payload"]["sub"] == SUBJECT
    assert received.header_values("x-user-id") == [SUBJECT]
    assert received.header_values("x-request-id") == ["my-own-id"]
    assert token not in str(received.headers)


@pytest.mark.parametrize("name", ["X-User-Id", "x-user-id", "X-USER-ID", "x-UsEr-Id"])
async def test_a_client_cannot_choose_the_user_id(edge: Edge, token: str, name: str) -> None:
    for forged_headers in (
        f"{name}: forged\r\n",
        f"{name}: forged\r\n" * 2,
        f"{name}: {SUBJECT}, forged\r\n",
        f"{name}:\r\n",
    ):
        received = await receive(edge, token, forged_headers)
        assert received.header_values("x-user-id") == [SUBJECT]


@pytest.mark.parametrize("name", ALIASES)
async def test_aliases_of_header_names_are_removed(edge: Edge, token: str, name: str) -> None:
    received = await receive(edge, token, f"{name}: forged\r\n")

    assert "forged" not in str(received.headers)
    assert received.header_values("x-user-id") == [SUBJECT]
    request = build_request("GET", "/tasks", headers=f"Authorization_: Bearer {token}\r\n")
    response = await send_request(edge.port, request)
    assert response.status == 401


@pytest.mark.parametrize("name", REMOVED_HEADERS)
async def test_headers_that_could_be_mistaken_for_the_gateways_are_removed(
    edge: Edge, token: str, name: str
) -> None:
    for spelling in (name, name.lower(), name.upper()):
        received = await receive(edge, token, f"{spelling}: forged\r\n")
        assert "forged" not in received.header_values(name.lower())


async def test_a_client_cannot_choose_its_ip_address(edge: Edge, token: str) -> None:
    forged_headers = "X-Real-Ip: forged\r\n"
    for name in FORWARDED_HEADERS:
        forged_headers += f"X-Forwarded-{name}: forged\r\n"

    received = await receive(edge, token, forged_headers)

    assert "forged" not in str(received.headers)
    assert received.header_values("x-forwarded-for") == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("option", "status"),
    [
        ("authorization", 401),
        ("x-user-id", 200),
        ("x-request-id", 200),
        ("content-length", 200),
        ("close, x-user-id", 200),
        ("close, authorization, x-user-id", 401),
    ],
)
async def test_a_connection_header_can_remove_only_the_token(
    edge: Edge, token: str, option: str, status: int
) -> None:
    headers = f"Connection: {option}\r\n"
    request = build_request("POST", "/tasks", token, headers=headers, body=b"{}")

    response = await send_request(edge.port, request)

    assert response.status == status
    for received in edge.tasks.requests:
        for name in (*IDENTITY_HEADERS, "content-length"):
            assert len(received.header_values(name)) == 1
        assert received.header_values("x-user-id") == [SUBJECT]


@pytest.mark.parametrize(
    "headers",
    [
        "",
        "Authorization: Bearer x\r\n",
        "Authorization: Basic eDp5\r\n",
        "Authorization: Bearer {0}\r\nAuthorization: Bearer {0}\r\n",
        "Authorization: Bearer x\r\nAuthorization: Bearer {0}\r\n",
        "Authorization: Bearer {0}\r\n , Bearer x\r\n",
        "Proxy-Authorization: Bearer {0}\r\n",
        "X-Forwarded-Authorization: Bearer {0}\r\n",
        f"X-User-Id: {SUBJECT}\r\n",
        "Cookie: better-auth.session_token={0}\r\n",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "TRACE", "PROPFIND"])
async def test_a_rejected_request_reaches_no_service(
    edge: Edge, token: str, method: str, headers: str
) -> None:
    request = build_request(method, "/tasks", headers=headers.format(token))
    response = await send_request(edge.port, request)

    assert response.status == 401
    assert response.header_values("content-type") == ["application/problem+json"]
    assert response.header_values("www-authenticate")[0].startswith("Bearer")
    assert response.header_values("access-control-expose-headers")
    assert not edge.tasks.requests
    assert not edge.users.requests


async def test_headers_after_a_chunked_body_are_not_trusted(edge: Edge, token: str) -> None:
    trailer = b"0\r\nX-User-Id: forged\r\nAuthorization: Bearer x\r\n\r\n"
    headers = "Transfer-Encoding: chunked\r\n"
    request = build_request("POST", "/tasks", token, headers=headers) + trailer

    for response in parse_responses(await send_raw(edge.port, request)):
        assert response.status in {200, 400, 401}
    for received in edge.tasks.requests:
        assert received.header_values("x-user-id") == [SUBJECT]
        assert len(received.header_values("authorization")) == 1


@pytest.mark.parametrize("upgrade", ["websocket", "h2c", "TLS/1.2"])
async def test_an_upgrade_is_ignored(edge: Edge, token: str, upgrade: str) -> None:
    headers = f"Upgrade: {upgrade}\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
    headers += "Sec-WebSocket-Version: 13\r\n"

    for body in (b"", b"{}"):
        request = build_request("POST", "/tasks", token, headers=headers, body=body)
        request = request.replace(b": close", b": Upgrade, HTTP2-Settings")
        [response] = parse_responses(await send_raw(edge.port, request, quiet_seconds=0.5))
        assert response.status == 200

    assert len(edge.tasks.requests) == 2
    for received in edge.tasks.requests:
        assert received.header_values("upgrade") == []
        assert received.header_values("connection") == []
