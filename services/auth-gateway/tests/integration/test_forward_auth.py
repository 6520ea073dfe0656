"""The forward-auth mode, as an edge uses it."""

import jwt
import pytest

from devkit.platform.tokens import mint_token
from devkit.testing.raw_http import build_request, send_request

from ..support.gateway_process import FRONT_END, SUBJECT, RunningGateway


async def test_a_request_that_may_pass_is_told_who_sends_it(
    forward_auth_gateway: RunningGateway, token: str
) -> None:
    # The second answer comes from memory, by a shorter way.
    first, second = [
        await send_request(
            forward_auth_gateway.port,
            build_request("GET", "/decide", token, headers="X-Request-ID: my-own-id\r\n"),
        )
        for _ in range(2)
    ]

    for answer in (first, second):
        (scheme, passport) = answer.header_values("authorization")[0].split()
        claims = jwt.decode(passport, options={"verify_signature": False})
        assert (answer.status, answer.body, scheme, claims["sub"]) == (200, b"", "Bearer", SUBJECT)
        assert answer.header_values("x-user-id") == [SUBJECT]
        assert answer.header_values("x-request-id") == ["my-own-id"]
        assert answer.header_values("cache-control") == ["no-store"]


@pytest.mark.parametrize("sent", ["short", "with space", "ü" * 10, "a" * 129, "new\tline123"])
async def test_a_request_id_that_is_not_plain_is_replaced(
    forward_auth_gateway: RunningGateway, token: str, sent: str
) -> None:
    for _ in range(2):
        answer = await send_request(
            forward_auth_gateway.port,
            build_request("GET", "/decide", token, headers=f"X-Request-ID: {sent}\r\n"),
        )
        assert len(answer.header_values("x-request-id")[0]) == 32


@pytest.mark.parametrize(
    ("headers", "code"), [("", "token-missing"), ("Authorization: Bearer x\r\n", "token-invalid")]
)
async def test_a_refusal_is_what_the_client_shall_see(
    forward_auth_gateway: RunningGateway, headers: str, code: str
) -> None:
    answer = await send_request(
        forward_auth_gateway.port, build_request("GET", "/decide", headers=headers)
    )

    assert (answer.status, answer.code) == (401, code)
    assert answer.header_values("content-type") == ["application/problem+json"]
    assert answer.header_values("www-authenticate")[0].startswith("Bearer")
    assert not answer.header_values("x-user-id") + answer.header_values("authorization")


async def test_a_second_authorization_is_refused_even_for_a_token_that_is_known(
    forward_auth_gateway: RunningGateway, token: str
) -> None:
    await send_request(forward_auth_gateway.port, build_request("GET", "/decide", token))

    answer = await send_request(
        forward_auth_gateway.port,
        build_request("GET", "/decide", token, headers=f"Authorization: Bearer {token}\r\n"),
    )

    assert (answer.status, answer.code) == (401, "token-invalid")


async def test_a_token_that_has_ended_is_refused(
    forward_auth_gateway: RunningGateway, better_auth_secret: str
) -> None:
    ended = mint_token(better_auth_secret, SUBJECT, seconds=-60)

    answer = await send_request(forward_auth_gateway.port, build_request("GET", "/decide", ended))

    assert (answer.status, answer.code) == (401, "token-expired")


@pytest.mark.parametrize("verb", ["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"])
async def test_the_edge_may_ask_with_any_verb(
    forward_auth_gateway: RunningGateway, token: str, verb: str
) -> None:
    assert (
        await send_request(forward_auth_gateway.port, build_request(verb, "/decide", token))
    ).header_values("x-user-id") == [SUBJECT]


@pytest.mark.parametrize("path", ["/tasks", "/users/me", "/internal/users/me"])
async def test_nothing_is_ever_handed_on(
    forward_auth_gateway: RunningGateway, token: str, path: str
) -> None:
    forward_auth_gateway.tasks.reset()
    forward_auth_gateway.users.reset()

    assert (
        await send_request(forward_auth_gateway.port, build_request("GET", path, token))
    ).status == 404
    assert not forward_auth_gateway.tasks.requests + forward_auth_gateway.users.requests


@pytest.mark.parametrize("status", [404, 413, 429, 502, 503, 504])
async def test_the_edge_gets_its_error_pages(
    forward_auth_gateway: RunningGateway, status: int
) -> None:
    answer = await send_request(
        forward_auth_gateway.port, build_request("GET", f"/edge-errors/{status}")
    )

    assert (answer.status, answer.header_values("content-type")) == (
        status,
        ["application/problem+json"],
    )


async def test_origins_are_the_edges_affair(
    forward_auth_gateway: RunningGateway, token: str
) -> None:
    answer = await send_request(
        forward_auth_gateway.port,
        build_request("GET", "/decide", token, headers=f"Origin: {FRONT_END}\r\n"),
    )

    assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]
