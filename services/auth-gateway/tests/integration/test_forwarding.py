"""What reaches a service, and what comes back from it."""

import json

import jwt
import pytest

from devkit.testing.raw_http import build_request, parse_responses, send_raw, send_request
from devkit.testing.stub_server import ReceivedRequest, json_response, respond_with

from ..support.gateway_process import SUBJECT, RunningGateway

IDENTITY = ("authorization", "x-user-id", "x-request-id")


async def seen_of(gateway: RunningGateway, sent: bytes) -> ReceivedRequest:
    """Send a request, and return what the tasks service got."""
    await send_request(gateway.port, sent)
    return gateway.tasks.requests[-1]


async def test_a_request_reaches_the_service_of_its_path_as_it_was_sent(
    gateway: RunningGateway, token: str
) -> None:
    sent = build_request(
        "PATCH", "/tasks/7?a=1&a=%20+b", token, headers='If-Match: "4"\r\n', body=b'{"title": "x"}'
    )

    assert (await send_request(gateway.port, sent)).status == 200

    (seen,) = gateway.tasks.requests
    assert seen.line == "PATCH /tasks/7?a=1&a=%20+b HTTP/1.1"
    assert seen.header_values("if-match") == ['"4"']
    assert seen.header_values("content-length") == ["14"]
    assert not gateway.users.requests


@pytest.mark.parametrize("path", ["/users", "/users/me", "/users/"])
async def test_each_service_gets_its_own_paths(
    gateway: RunningGateway, token: str, path: str
) -> None:
    await send_request(gateway.port, build_request("GET", path, token))

    assert [seen.line for seen in gateway.users.requests] == [f"GET {path} HTTP/1.1"]
    assert not gateway.tasks.requests


async def test_a_service_is_told_who_calls_and_never_sees_the_token(
    gateway: RunningGateway, token: str
) -> None:
    seen = await seen_of(
        gateway, build_request("GET", "/tasks", token, headers="X-Request-ID: my-own-id\r\n")
    )

    ((scheme, passport),) = [value.split() for value in seen.header_values("authorization")]
    claims = jwt.decode_complete(passport, options={"verify_signature": False})
    assert scheme == "Bearer"
    assert claims["header"]["typ"] == "passport+jwt"
    assert claims["payload"]["sub"] == SUBJECT
    assert seen.header_values("x-user-id") == [SUBJECT]
    assert seen.header_values("x-request-id") == ["my-own-id"]
    assert token not in str(seen.headers)


@pytest.mark.parametrize("name", ["X-User-Id", "x-user-id", "X-USER-ID"])
async def test_a_client_cannot_say_who_calls(
    gateway: RunningGateway, token: str, name: str
) -> None:
    seen = await seen_of(
        gateway,
        build_request("GET", "/tasks", token, headers=f"{name}: forged\r\n{name}: {SUBJECT}\r\n"),
    )

    assert seen.header_values("x-user-id") == [SUBJECT]


IMITATIONS = [
    *(
        "X_User_Id",
        "X.User.Id",
        "X-User_Id",
        "x_request-id",
        "X__User__Id",
        "Authorization_",
        "_Authorization",
    ),
    *(
        "X_Forwarded_For",
        "X.Forwarded.Anything",
        "Content_Length",
        "Transfer.Encoding",
        "X!User~Id",
        "Remote_User",
    ),
]


@pytest.mark.parametrize("name", IMITATIONS)
async def test_another_spelling_of_our_own_header_is_not_let_in(
    gateway: RunningGateway, token: str, name: str
) -> None:
    answer = await send_request(
        gateway.port, build_request("GET", "/tasks", token, headers=f"{name}: forged\r\n")
    )

    assert (answer.status, answer.code) == (400, "bad-request")
    assert answer.header_values("connection") == ["close"]
    assert not gateway.tasks.requests


@pytest.mark.parametrize(
    "name", ["device_id", "X.Client.Version", "_", "sec~gpc", "x_user", "idempotency_key"]
)
async def test_any_other_name_that_programs_read_differently_is_left_out(
    gateway: RunningGateway, token: str, name: str
) -> None:
    seen = await seen_of(
        gateway, build_request("GET", "/tasks", token, headers=f"{name}: 1\r\nX-Own: 2\r\n")
    )

    assert (seen.header_values(name.lower()), seen.header_values("x-own")) == ([], ["2"])


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Cookie",
            "Forwarded",
            "X-Forwarded-For",
            "X-Forwarded-User",
            "X-Forwarded-Anything",
            "X-Real-IP",
        ),
        *("Remote-User", "X-Original-Url", "X-Rewrite-Url", "Proxy-Authorization"),
        *("Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Upgrade", "Expect-Nothing"),
    ],
)
async def test_what_is_not_meant_for_a_service_stays_out(
    gateway: RunningGateway, token: str, name: str
) -> None:
    sent = build_request(
        "GET", "/tasks", token, headers=f"{name}: one\r\nConnection: Expect-Nothing\r\n"
    )

    assert not (await seen_of(gateway, sent)).header_values(name.lower())


@pytest.mark.parametrize("name", [*IDENTITY, "content-length"])
async def test_a_client_cannot_have_our_own_headers_dropped(
    gateway: RunningGateway, token: str, name: str
) -> None:
    sent = build_request("POST", "/tasks", token, headers=f"Connection: {name}\r\n", body=b"{}")

    assert len((await seen_of(gateway, sent)).header_values(name)) == 1


async def test_all_other_headers_pass_as_sent(gateway: RunningGateway, token: str) -> None:
    sent = build_request(
        "GET",
        "/tasks",
        token,
        headers="Accept: a\r\nX-Own: 1\r\nX-Own: zwölf\r\nUser-Agent: me\r\n",
    )
    names = {*IDENTITY, "accept", "host", "user-agent", "x-own"}

    seen = await seen_of(gateway, sent)

    assert {name.lower() for name, _ in seen.headers} == names
    assert (
        seen.header_values("accept"),
        seen.header_values("user-agent"),
        seen.header_values("x-own")[0],
    ) == (
        ["a"],
        ["me"],
        "1",
    )


async def test_an_answer_comes_back_as_the_service_gave_it(
    gateway: RunningGateway, token: str
) -> None:
    body = json.dumps([{"title": "Blumen gießen"}], ensure_ascii=False).encode()
    gateway.tasks.behaviour = respond_with(
        json_response(body, "207 Own Words", 'ETag: "4"\r\nX-Own: a\r\nX-Own: b\r\n')
    )

    answer = await send_request(gateway.port, build_request("GET", "/tasks", token))

    assert (answer.status, answer.body) == (207, body)
    assert (answer.header_values("etag"), answer.header_values("x-own")) == (['"4"'], ["a", "b"])


async def test_what_gateway_and_service_both_say_is_said_once(
    gateway: RunningGateway, token: str
) -> None:
    both = "Date: now\r\nServer: own\r\nX-Request-ID: other\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: a\r\n"
    hops = "Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\n"
    gateway.tasks.behaviour = respond_with(
        json_response(headers=both + hops + "Cache-Control: private, no-cache\r\n")
    )

    answer = await send_request(
        gateway.port, build_request("GET", "/tasks", token, headers="X-Request-ID: my-own-id\r\n")
    )

    assert answer.header_values("x-request-id") == ["my-own-id"]
    assert answer.header_values("cache-control") == ["private, no-cache"]
    assert [
        len(answer.header_values(name))
        for name in ("date", "x-content-type-options", "referrer-policy")
    ] == [1, 1, 1]
    assert not [
        name
        for name in ("server", "x-hop", "keep-alive", "proxy-authenticate")
        if answer.header_values(name)
    ]


async def test_head_has_the_length_of_get_and_no_body(gateway: RunningGateway, token: str) -> None:
    gateway.tasks.behaviour = respond_with(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n")

    received = await send_raw(gateway.port, build_request("HEAD", "/tasks", token))

    assert gateway.tasks.requests[0].line == "HEAD /tasks HTTP/1.1"
    assert received.lower().count(b"content-length: 1234") == 1
    assert received.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_an_answer_without_a_body_ends_with_its_head(
    gateway: RunningGateway, token: str, status: str
) -> None:
    gateway.tasks.behaviour = respond_with(
        f"HTTP/1.1 {status}\r\nContent-Length: 12\r\n\r\n".encode()
    )
    sent = build_request("GET", "/tasks", token)

    received = await send_raw(gateway.port, sent.replace(b"Connection: close\r\n", b"") + sent)

    assert [answer.status for answer in parse_responses(received)] == [int(status[:3])] * 2


@pytest.mark.parametrize(
    "verb", ["OPTIONS", "PUT", "DELETE", "TRACE", "PROPFIND", "LINK", "M-SEARCH"]
)
async def test_every_verb_is_the_services_affair(
    gateway: RunningGateway, token: str, verb: str
) -> None:
    gateway.tasks.behaviour = respond_with(
        json_response(status="405 Method Not Allowed", headers="Allow: GET, HEAD\r\n")
    )

    answer = await send_request(gateway.port, build_request(verb, "/tasks", token))

    assert gateway.tasks.requests[0].line == f"{verb} /tasks HTTP/1.1"
    assert (answer.status, answer.header_values("allow")) == (405, ["GET, HEAD"])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_the_clients_affair(
    gateway: RunningGateway, token: str, status: int
) -> None:
    gateway.tasks.behaviour = respond_with(
        json_response(status=f"{status} Away", headers="Location: /users/me\r\n")
    )

    answer = await send_request(gateway.port, build_request("GET", "/tasks", token))

    assert (answer.status, answer.header_values("location")) == (status, ["/users/me"])
    assert len(gateway.tasks.requests) == 1
    assert not gateway.users.requests


async def test_a_compressed_answer_stays_compressed(gateway: RunningGateway, token: str) -> None:
    gateway.tasks.behaviour = respond_with(
        json_response(b"\x1f\x8bno gzip at all", headers="Content-Encoding: gzip\r\n")
    )

    answer = await send_request(
        gateway.port, build_request("GET", "/tasks", token, headers="Accept-Encoding: gzip\r\n")
    )

    assert (answer.header_values("content-encoding"), answer.body) == (
        ["gzip"],
        b"\x1f\x8bno gzip at all",
    )


async def test_a_cookie_of_a_service_is_never_sent_back_by_the_gateway(
    gateway: RunningGateway, token: str
) -> None:
    gateway.tasks.behaviour = respond_with(
        json_response(headers="Set-Cookie: a=1\r\nSet-Cookie: b=2; Path=/\r\n")
    )

    answer = await send_request(gateway.port, build_request("GET", "/tasks", token))

    assert answer.header_values("set-cookie") == ["a=1", "b=2; Path=/"]
    assert not (await seen_of(gateway, build_request("GET", "/tasks", token))).header_values(
        "cookie"
    )


async def test_connections_to_a_service_are_used_again(gateway: RunningGateway, token: str) -> None:
    for _ in range(5):
        await send_request(gateway.port, build_request("POST", "/tasks", token, body=b"{}"))

    assert len({seen.connection_number for seen in gateway.tasks.requests}) == 1


async def test_without_a_token_nothing_reaches_a_service(gateway: RunningGateway) -> None:
    answer = await send_request(gateway.port, build_request("POST", "/tasks", body=b"{}"))

    assert (answer.status, answer.code, answer.header_values("www-authenticate")) == (
        401,
        "token-missing",
        ["Bearer"],
    )
    assert not gateway.tasks.requests
