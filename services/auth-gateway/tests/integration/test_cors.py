"""CORS headers for front ends of other origins."""

import pytest

from devkit.testing.raw_http import RawResponse
from devkit.testing.stub_server import json_response, respond_with

from ..support.gateway_process import FRONT_END, RunningGateway

REQUEST_HEADERS = {
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
    "X-Request-ID",
    "traceparent",
    "tracestate",
    "baggage",
    "sentry-trace",
    "X-Client-Version",
    "X-Tenant",
}
"""The last two come from a setting."""

EXPOSED_HEADERS = {
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "X-Request-ID",
    "Idempotency-Replayed",
    "WWW-Authenticate",
    "Set-Auth-JWT",
    "Set-Auth-Token",
}


async def preflight(
    gateway: RunningGateway, origin: str, path: str = "/tasks", method: str = "PATCH"
) -> RawResponse:
    """Send a preflight request as a browser does."""
    headers = (
        f"Origin: {origin}\r\n"
        f"Access-Control-Request-Method: {method}\r\n"
        "Access-Control-Request-Headers: authorization,if-match\r\n"
    )
    return await gateway.request("OPTIONS", path, headers=headers)


def list_items(response: RawResponse, name: str) -> set[str]:
    """Return the items of a comma-separated header."""
    return set(", ".join(response.header_values(name)).split(", "))


def cors_headers(response: RawResponse) -> list[str]:
    """Return the names of the CORS headers."""
    return [name for name, _ in response.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("origin", [FRONT_END, "http://localhost:3000"])
@pytest.mark.parametrize("path", ["/tasks", "/users/me", "/nowhere"])
async def test_a_preflight_needs_no_token(gateway: RunningGateway, origin: str, path: str) -> None:
    response = await preflight(gateway, origin, path)

    assert (response.status, response.body) == (204, b"")
    assert response.header_values("x-content-type-options") == ["nosniff"]
    assert response.header_values("referrer-policy") == ["no-referrer"]
    assert response.header_values("access-control-allow-origin") == [origin]
    assert response.header_values("access-control-allow-credentials") == ["true"]
    assert response.header_values("access-control-max-age") == ["600"]
    assert list_items(response, "access-control-allow-headers") >= REQUEST_HEADERS
    assert list_items(response, "access-control-allow-methods") >= {
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
    }
    assert "Origin" in list_items(response, "vary")
    assert not gateway.tasks.requests


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://app.example.com",
        f"{FRONT_END}.evil.example",
        f"{FRONT_END}:444",
        f"{FRONT_END}/",
        FRONT_END.upper(),
        "*",
        "https://localhost:3000",
        "",
    ],
)
async def test_an_unknown_origin_gets_no_cors_headers(
    gateway: RunningGateway, token: str, origin: str
) -> None:
    preflight_response = await preflight(gateway, origin)
    headers = f"Origin: {origin}\r\n"
    task_response = await gateway.request("GET", "/tasks", token, headers=headers)

    for response in (preflight_response, task_response):
        assert response.header_values("x-content-type-options") == ["nosniff"]
        assert not cors_headers(response)
        assert list_items(response, "vary") == {"Origin"}


async def test_a_front_end_may_read_the_response(gateway: RunningGateway, token: str) -> None:
    gateway.tasks.behaviour = respond_with(json_response(headers="Vary: Authorization\r\n"))

    response = await gateway.request("GET", "/tasks", token, headers=f"Origin: {FRONT_END}\r\n")

    assert response.header_values("access-control-allow-origin") == [FRONT_END]
    assert response.header_values("access-control-allow-credentials") == ["true"]
    assert list_items(response, "access-control-expose-headers") == EXPOSED_HEADERS
    assert list_items(response, "vary") == {"Authorization", "Origin"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/tasks", "", 401),
        ("GET", "/nowhere", "", 404),
        ("DELETE", "/docs", "", 405),
        ("GET", "/tasks/%2f", "", 400),
        ("POST", "/tasks", "Content-Length: 5000000\r\n", 413),
    ],
)
async def test_a_front_end_may_read_a_problem(
    gateway: RunningGateway, method: str, path: str, headers: str, status: int
) -> None:
    response = await gateway.request(method, path, headers=f"Origin: {FRONT_END}\r\n{headers}")

    assert response.status == status
    assert response.header_values("access-control-allow-origin") == [FRONT_END]


async def test_without_an_origin_there_are_no_cors_headers(
    gateway: RunningGateway, token: str
) -> None:
    response = await gateway.request("GET", "/tasks", token)

    assert not cors_headers(response)
    assert list_items(response, "vary") == {"Origin"}


async def test_options_without_a_preflight_is_forwarded(
    gateway: RunningGateway, token: str
) -> None:
    await gateway.request("OPTIONS", "/tasks", token, headers=f"Origin: {FRONT_END}\r\n")

    assert gateway.tasks.requests[0].line == "OPTIONS /tasks HTTP/1.1"
