"""Forward-auth mode, as an edge uses it."""

import jwt
import pytest

from devkit.platform.tokens import mint_token

from ..support.gateway_process import FRONT_END, SUBJECT, RunningGateway


async def test_a_valid_token_gets_the_identity_in_headers(
    forward_auth_gateway: RunningGateway, token: str
) -> None:
    # The second decision is cached, and does not reach the request middleware.
    for _ in range(2):
        response = await forward_auth_gateway.request(
            "GET", "/decide", token, headers="X-Request-ID: my-own-id\r\n"
        )

        scheme, passport = response.header_values("authorization")[0].split()
        claims = jwt.decode(passport, options={"verify_signature": False})
        assert (response.status, response.body) == (200, b"")
        assert scheme == "Bearer"
        assert claims["sub"] == SUBJECT
        assert response.header_values("x-user-id") == [SUBJECT]
        assert response.header_values("x-request-id") == ["my-own-id"]
        assert response.header_values("cache-control") == ["no-store"]


@pytest.mark.parametrize("request_id", ["short", "with space", "ü" * 10, "a" * 129, "new\tline123"])
async def test_an_invalid_request_id_is_replaced(
    forward_auth_gateway: RunningGateway, token: str, request_id: str
) -> None:
    for _ in range(2):
        response = await forward_auth_gateway.request(
            "GET", "/decide", token, headers=f"X-Request-ID: {request_id}\r\n"
        )
        assert len(response.header_values("x-request-id")[0]) == 32


@pytest.mark.parametrize(
    ("headers", "code"), [("", "token-missing"), ("Authorization: Bearer x\r\n", "token-invalid")]
)
async def test_an_invalid_token_gets_the_problem_for_the_client(
    forward_auth_gateway: RunningGateway, headers: str, code: str
) -> None:
    response = await forward_auth_gateway.request("GET", "/decide", headers=headers)

    assert (response.status, response.code) == (401, code)
    assert response.header_values("content-type") == ["application/problem+json"]
    assert response.header_values("www-authenticate")[0].startswith("Bearer")
    assert not response.header_values("x-user-id")
    assert not response.header_values("authorization")


async def test_a_second_authorization_header_is_rejected_even_for_a_cached_token(
    forward_auth_gateway: RunningGateway, token: str
) -> None:
    await forward_auth_gateway.request("GET", "/decide", token)

    response = await forward_auth_gateway.request(
        "GET", "/decide", token, headers=f"Authorization: Bearer {token}\r\n"
    )

    assert (response.status, response.code) == (401, "token-invalid")


async def test_an_expired_token_is_rejected(
    forward_auth_gateway: RunningGateway, better_auth_secret: str
) -> None:
    expired = mint_token(better_auth_secret, SUBJECT, seconds=-60)

    response = await forward_auth_gateway.request("GET", "/decide", expired)

    assert (response.status, response.code) == (401, "token-expired")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"])
async def test_the_edge_may_use_any_method(
    forward_auth_gateway: RunningGateway, token: str, method: str
) -> None:
    response = await forward_auth_gateway.request(method, "/decide", token)

    assert response.header_values("x-user-id") == [SUBJECT]


@pytest.mark.parametrize("path", ["/tasks", "/users/me", "/internal/users/me"])
async def test_nothing_is_forwarded(
    forward_auth_gateway: RunningGateway, token: str, path: str
) -> None:
    forward_auth_gateway.tasks.reset()
    forward_auth_gateway.users.reset()

    response = await forward_auth_gateway.request("GET", path, token)

    assert response.status == 404
    assert not forward_auth_gateway.tasks.requests
    assert not forward_auth_gateway.users.requests


@pytest.mark.parametrize("status", [404, 413, 429, 502, 503, 504])
async def test_the_edge_gets_its_error_pages(
    forward_auth_gateway: RunningGateway, status: int
) -> None:
    response = await forward_auth_gateway.request("GET", f"/edge-errors/{status}")

    assert response.status == status
    assert response.header_values("content-type") == ["application/problem+json"]


async def test_cors_headers_are_left_to_the_edge(
    forward_auth_gateway: RunningGateway, token: str
) -> None:
    response = await forward_auth_gateway.request(
        "GET", "/decide", token, headers=f"Origin: {FRONT_END}\r\n"
    )

    assert not [name for name, _ in response.headers if name.lower().startswith("access-control-")]
