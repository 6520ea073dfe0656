"""What a service is told about who calls: the gateway's word alone, whatever else a client sends."""

import jwt
import pytest

from devkit.testing.raw_http import build_request, parse_responses, send_raw, send_request
from devkit.testing.stub_server import ReceivedRequest
from e2e.support.edge_testbed import SUBJECT, Edge

IDENTITY = ("authorization", "x-user-id", "x-request-id")

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

CLAIMS = (
    *(
        "X-User-Id",
        "Cookie",
        "Forwarded",
        "Remote-User",
        "X-Forwarded-User",
        "X-Original-Url",
        "X-Rewrite-Url",
    ),
    *("Proxy-Authorization", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Upgrade"),
)


async def seen_of(edge: Edge, sent: bytes) -> ReceivedRequest:
    """Send a request, and return what the tasks service got."""
    answer = await send_request(edge.port, sent)
    assert answer.status == 200, answer.body
    return edge.tasks.requests[-1]


async def test_a_service_is_told_who_calls_and_never_sees_the_token(edge: Edge, token: str) -> None:
    seen = await seen_of(
        edge, build_request("GET", "/tasks", token, headers="X-Request-ID: my-own-id\r\n")
    )

    ((scheme, passport),) = [value.split() for value in seen.header_values("authorization")]
    claims = jwt.decode_complete(passport, options={"verify_signature": False})
    assert (scheme, claims["header"]["typ"], claims["payload"]["sub"]) == (
        "Bearer",
        "passport+jwt",
        SUBJECT,
    )
    assert (seen.header_values("x-user-id"), seen.header_values("x-request-id")) == (
        [SUBJECT],
        ["my-own-id"],
    )
    assert token not in str(seen.headers)


@pytest.mark.parametrize("name", ["X-User-Id", "x-user-id", "X-USER-ID", "x-UsEr-Id"])
async def test_a_client_cannot_say_who_calls(edge: Edge, token: str, name: str) -> None:
    for forged in (
        f"{name}: forged\r\n",
        f"{name}: forged\r\n" * 2,
        f"{name}: {SUBJECT}, forged\r\n",
        f"{name}:\r\n",
    ):
        seen = await seen_of(edge, build_request("GET", "/tasks", token, headers=forged))
        assert seen.header_values("x-user-id") == [SUBJECT]


@pytest.mark.parametrize("name", ALIASES)
async def test_what_some_programs_take_for_another_header_is_left_out(
    edge: Edge, token: str, name: str
) -> None:
    seen = await seen_of(edge, build_request("GET", "/tasks", token, headers=f"{name}: forged\r\n"))

    assert "forged" not in str(seen.headers)
    assert seen.header_values("x-user-id") == [SUBJECT]
    assert (
        await send_request(
            edge.port, build_request("GET", "/tasks", headers=f"Authorization_: Bearer {token}\r\n")
        )
    ).status == 401


@pytest.mark.parametrize("name", CLAIMS)
async def test_what_could_be_mistaken_for_our_word_stays_out(
    edge: Edge, token: str, name: str
) -> None:
    for spelled in (name, name.lower(), name.upper()):
        seen = await seen_of(
            edge, build_request("GET", "/tasks", token, headers=f"{spelled}: forged\r\n")
        )
        assert "forged" not in seen.header_values(name.lower())


async def test_a_client_cannot_say_where_it_calls_from(edge: Edge, token: str) -> None:
    names = ("For", "Host", "Port", "Proto", "Server", "Method", "Uri", "Prefix", "Tls-Client-Cert")
    forged = "".join(f"X-Forwarded-{name}: forged\r\n" for name in names)

    seen = await seen_of(
        edge, build_request("GET", "/tasks", token, headers=forged + "X-Real-Ip: forged\r\n")
    )

    assert "forged" not in str(seen.headers)
    assert seen.header_values("x-forwarded-for") == ["127.0.0.1"]


@pytest.mark.parametrize(
    "name", [*IDENTITY, "content-length", "close, x-user-id", "close, authorization, x-user-id"]
)
async def test_a_client_can_have_nothing_dropped_but_their_own_token(
    edge: Edge, token: str, name: str
) -> None:
    sent = build_request("POST", "/tasks", token, headers=f"Connection: {name}\r\n", body=b"{}")

    answer = await send_request(edge.port, sent)

    assert answer.status == (401 if "authorization" in name else 200)
    for seen in edge.tasks.requests:
        assert [len(seen.header_values(each)) for each in (*IDENTITY, "content-length")] == [
            1,
            1,
            1,
            1,
        ]
        assert seen.header_values("x-user-id") == [SUBJECT]


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
@pytest.mark.parametrize("verb", ["GET", "POST", "OPTIONS", "TRACE", "PROPFIND"])
async def test_what_is_refused_reaches_no_service(
    edge: Edge, token: str, verb: str, headers: str
) -> None:
    answer = await send_request(
        edge.port, build_request(verb, "/tasks", headers=headers.format(token))
    )

    assert answer.status == 401
    assert answer.header_values("content-type") == ["application/problem+json"]
    assert answer.header_values("www-authenticate")[0].startswith("Bearer")
    assert answer.header_values("access-control-expose-headers")
    assert not edge.tasks.requests + edge.users.requests


async def test_a_header_after_a_chunked_body_is_nobodys_word(edge: Edge, token: str) -> None:
    trailer = "0\r\nX-User-Id: forged\r\nAuthorization: Bearer x\r\n\r\n"
    sent = (
        build_request("POST", "/tasks", token, headers="Transfer-Encoding: chunked\r\n")
        + trailer.encode()
    )

    for answer in parse_responses(await send_raw(edge.port, sent)):
        assert answer.status in {200, 400, 401}
    for seen in edge.tasks.requests:
        assert (seen.header_values("x-user-id"), len(seen.header_values("authorization"))) == (
            [SUBJECT],
            1,
        )


@pytest.mark.parametrize("upgrade", ["websocket", "h2c", "TLS/1.2"])
async def test_an_upgrade_is_not_offered(edge: Edge, token: str, upgrade: str) -> None:
    hop = f"Upgrade: {upgrade}\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nSec-WebSocket-Version: 13\r\n"

    for body in (b"", b"{}"):
        sent = build_request("POST", "/tasks", token, headers=hop, body=body).replace(
            b": close", b": Upgrade, HTTP2-Settings"
        )
        assert [
            answer.status
            for answer in parse_responses(await send_raw(edge.port, sent, timeout_seconds=0.5))
        ] == [200]

    assert len(edge.tasks.requests) == 2
    assert not [
        seen
        for seen in edge.tasks.requests
        if seen.header_values("upgrade") + seen.header_values("connection")
    ]
