"""Requests as a service gets them, and responses as a client gets them."""

import json

import jwt
import pytest

from devkit.testing.raw_http import build_request, parse_responses, send_raw
from devkit.testing.stub_server import ReceivedRequest, json_response, respond_with

from ..support.gateway_process import SUBJECT, RunningGateway, statuses

IDENTITY = {"authorization", "x-user-id", "x-request-id"}


async def get_forwarded(gateway: RunningGateway, data: bytes) -> ReceivedRequest:
    """Send a request, and return it as the tasks service gets it."""
    await gateway.send(data)
    return gateway.tasks.requests[-1]


async def test_a_request_is_forwarded_unchanged(gateway: RunningGateway, token: str) -> None:
    data = build_request(
        "PATCH", "/tasks/7?a=1&a=%20+b", token, headers='If-Match: "4"\r\n', body=b'{"title": "x"}'
    )

    assert (await gateway.send(data)).status == 200

    (forwarded,) = gateway.tasks.requests
    assert forwarded.line == "PATCH /tasks/7?a=1&a=%20+b HTTP/1.1"
    assert forwarded.header_values("if-match") == ['"4"']
    assert forwarded.header_values("content-length") == ["14"]
    assert not gateway.users.requests


@pytest.mark.parametrize("path", ["/users", "/users/me", "/users/"])
async def test_each_service_gets_its_own_paths(
    gateway: RunningGateway, token: str, path: str
) -> None:
    await gateway.request("GET", path, token)

    (forwarded,) = gateway.users.requests
    assert forwarded.line == f"GET {path} HTTP/1.1"
    assert not gateway.tasks.requests


async def test_a_service_gets_a_passport_and_never_the_token(
    gateway: RunningGateway, token: str
) -> None:
    forwarded = await get_forwarded(
        gateway, build_request("GET", "/tasks", token, headers="X-Request-ID: my-own-id\r\n")
    )

    (authorization,) = forwarded.header_values("authorization")
    scheme, passport = authorization.split()
    claims = jwt.decode_complete(passport, options={"verify_signature": False})
    assert scheme == "Bearer"
    assert claims["header"]["typ"] == "passport+jwt"
    assert claims["payload"]["sub"] == SUBJECT
    assert forwarded.header_values("x-user-id") == [SUBJECT]
    assert forwarded.header_values("x-request-id") == ["my-own-id"]
    assert token not in str(forwarded.headers)


@pytest.mark.parametrize("name", ["X-User-Id", "x-user-id", "X-USER-ID"])
async def test_a_client_cannot_set_the_user_id(
    gateway: RunningGateway, token: str, name: str
) -> None:
    forwarded = await get_forwarded(
        gateway,
        build_request("GET", "/tasks", token, headers=f"{name}: forged\r\n{name}: {SUBJECT}\r\n"),
    )

    assert forwarded.header_values("x-user-id") == [SUBJECT]


IMITATIONS = [
    "X_User_Id",
    "X.User.Id",
    "X-User_Id",
    "x_request-id",
    "X__User__Id",
    "Authorization_",
    "_Authorization",
    "X_Forwarded_For",
    "X.Forwarded.Anything",
    "Content_Length",
    "Transfer.Encoding",
    "X!User~Id",
    "Remote_User",
]


@pytest.mark.parametrize("name", IMITATIONS)
async def test_another_spelling_of_a_controlled_header_is_rejected(
    gateway: RunningGateway, token: str, name: str
) -> None:
    response = await gateway.request("GET", "/tasks", token, headers=f"{name}: forged\r\n")

    assert (response.status, response.code) == (400, "bad-request")
    assert response.header_values("connection") == ["close"]
    assert not gateway.tasks.requests


@pytest.mark.parametrize(
    "name", ["device_id", "X.Client.Version", "_", "sec~gpc", "x_user", "idempotency_key"]
)
async def test_other_ambiguous_header_names_are_dropped(
    gateway: RunningGateway, token: str, name: str
) -> None:
    forwarded = await get_forwarded(
        gateway, build_request("GET", "/tasks", token, headers=f"{name}: 1\r\nX-Own: 2\r\n")
    )

    assert (forwarded.header_values(name.lower()), forwarded.header_values("x-own")) == ([], ["2"])


@pytest.mark.parametrize(
    "name",
    [
        "Cookie",
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-User",
        "X-Forwarded-Anything",
        "X-Real-IP",
        "Remote-User",
        "X-Original-Url",
        "X-Rewrite-Url",
        "Proxy-Authorization",
        "Keep-Alive",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Upgrade",
        "Expect-Nothing",
    ],
)
async def test_identity_and_hop_by_hop_headers_are_dropped(
    gateway: RunningGateway, token: str, name: str
) -> None:
    data = build_request(
        "GET", "/tasks", token, headers=f"{name}: one\r\nConnection: Expect-Nothing\r\n"
    )

    assert not (await get_forwarded(gateway, data)).header_values(name.lower())


@pytest.mark.parametrize("name", ["authorization", "x-user-id", "x-request-id", "content-length"])
async def test_a_client_cannot_drop_headers_of_the_gateway(
    gateway: RunningGateway, token: str, name: str
) -> None:
    data = build_request("POST", "/tasks", token, headers=f"Connection: {name}\r\n", body=b"{}")

    assert len((await get_forwarded(gateway, data)).header_values(name)) == 1


async def test_all_other_headers_are_forwarded_unchanged(
    gateway: RunningGateway, token: str
) -> None:
    data = build_request(
        "GET",
        "/tasks",
        token,
        headers="Accept: a\r\nX-Own: 1\r\nX-Own: zwölf\r\nUser-Agent: me\r\n",
    )

    forwarded = await get_forwarded(gateway, data)

    names = {name.lower() for name, _ in forwarded.headers}
    assert names == IDENTITY | {"accept", "host", "user-agent", "x-own"}
    assert forwarded.header_values("accept") == ["a"]
    assert forwarded.header_values("user-agent") == ["me"]
    assert forwarded.header_values("x-own")[0] == "1"


async def test_a_response_is_forwarded_unchanged(gateway: RunningGateway, token: str) -> None:
    body = json.dumps([{"title": "Blumen gießen"}], ensure_ascii=False).encode()
    gateway.tasks.behaviour = respond_with(
        json_response(body, "207 Own Words", 'ETag: "4"\r\nX-Own: a\r\nX-Own: b\r\n')
    )

    response = await gateway.request("GET", "/tasks", token)

    assert (response.status, response.body) == (207, body)
    assert response.header_values("etag") == ['"4"']
    assert response.header_values("x-own") == ["a", "b"]


async def test_headers_of_gateway_and_service_are_not_repeated(
    gateway: RunningGateway, token: str
) -> None:
    headers = (
        "Date: now\r\n"
        "Server: own\r\n"
        "X-Request-ID: other\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "Referrer-Policy: a\r\n"
        "Connection: X-Hop\r\n"
        "X-Hop: 1\r\n"
        "Keep-Alive: timeout=5\r\n"
        "Proxy-Authenticate: Basic\r\n"
        "Cache-Control: private, no-cache\r\n"
    )
    gateway.tasks.behaviour = respond_with(json_response(headers=headers))

    response = await gateway.request("GET", "/tasks", token, headers="X-Request-ID: my-own-id\r\n")

    assert response.header_values("x-request-id") == ["my-own-id"]
    assert response.header_values("cache-control") == ["private, no-cache"]
    for name in ("date", "x-content-type-options", "referrer-policy"):
        assert len(response.header_values(name)) == 1
    for name in ("server", "x-hop", "keep-alive", "proxy-authenticate"):
        assert not response.header_values(name)


async def test_head_has_the_length_of_get_and_no_body(gateway: RunningGateway, token: str) -> None:
    gateway.tasks.behaviour = respond_with(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n")

    received = await send_raw(gateway.port, build_request("HEAD", "/tasks", token))

    assert gateway.tasks.requests[0].line == "HEAD /tasks HTTP/1.1"
    assert received.lower().count(b"content-length: 1234") == 1
    assert received.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_a_response_without_a_body_ends_with_its_head(
    gateway: RunningGateway, token: str, status: str
) -> None:
    gateway.tasks.behaviour = respond_with(
        f"HTTP/1.1 {status}\r\nContent-Length: 12\r\n\r\n".encode()
    )
    data = build_request("GET", "/tasks", token)

    received = await send_raw(gateway.port, data.replace(b"Connection: close\r\n", b"") + data)

    assert statuses(parse_responses(received)) == [int(status[:3])] * 2


@pytest.mark.parametrize(
    "method", ["OPTIONS", "PUT", "DELETE", "TRACE", "PROPFIND", "LINK", "M-SEARCH"]
)
async def test_every_method_is_forwarded(gateway: RunningGateway, token: str, method: str) -> None:
    gateway.tasks.behaviour = respond_with(
        json_response(status="405 Method Not Allowed", headers="Allow: GET, HEAD\r\n")
    )

    response = await gateway.request(method, "/tasks", token)

    assert gateway.tasks.requests[0].line == f"{method} /tasks HTTP/1.1"
    assert (response.status, response.header_values("allow")) == (405, ["GET, HEAD"])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_forwarded_and_not_followed(
    gateway: RunningGateway, token: str, status: int
) -> None:
    gateway.tasks.behaviour = respond_with(
        json_response(status=f"{status} Away", headers="Location: /users/me\r\n")
    )

    response = await gateway.request("GET", "/tasks", token)

    assert (response.status, response.header_values("location")) == (status, ["/users/me"])
    assert len(gateway.tasks.requests) == 1
    assert not gateway.users.requests


async def test_a_compressed_response_stays_compressed(gateway: RunningGateway, token: str) -> None:
    gateway.tasks.behaviour = respond_with(
        json_response(b"\x1f\x8bno gzip at all", headers="Content-Encoding: gzip\r\n")
    )

    response = await gateway.request("GET", "/tasks", token, headers="Accept-Encoding: gzip\r\n")

    assert (response.header_values("content-encoding"), response.body) == (
        ["gzip"],
        b"\x1f\x8bno gzip at all",
    )


async def test_the_gateway_stores_no_cookies(gateway: RunningGateway, token: str) -> None:
    gateway.tasks.behaviour = respond_with(
        json_response(headers="Set-Cookie: a=1\r\nSet-Cookie: b=2; Path=/\r\n")
    )

    response = await gateway.request("GET", "/tasks", token)

    assert response.header_values("set-cookie") == ["a=1", "b=2; Path=/"]
    assert not (await get_forwarded(gateway, build_request("GET", "/tasks", token))).header_values(
        "cookie"
    )


async def test_connections_to_a_service_are_used_again(gateway: RunningGateway, token: str) -> None:
    for _ in range(5):
        await gateway.request("POST", "/tasks", token, body=b"{}")

    assert len({forwarded.connection_number for forwarded in gateway.tasks.requests}) == 1


async def test_without_a_token_nothing_reaches_a_service(gateway: RunningGateway) -> None:
    response = await gateway.request("POST", "/tasks", body=b"{}")

    assert (response.status, response.code) == (401, "token-missing")
    assert response.header_values("www-authenticate") == ["Bearer"]
    assert not gateway.tasks.requests
