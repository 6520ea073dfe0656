"""What a browser may do on behalf of a front end."""

import pytest

from devkit.testing.raw_http import RawResponse, build_request, send_request
from devkit.testing.stub_server import json_response, respond_with

from ..support.gateway_process import FRONT_END, RunningGateway

SENT = (
    "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, X-Request-ID, traceparent, tracestate, "
    "baggage, sentry-trace, X-Client-Version, X-Tenant"
)
"""The last two are a setting."""

SHOWN = "ETag, Link, Location, Retry-After, X-Request-ID, Idempotency-Replayed, WWW-Authenticate"


async def preflight(
    gateway: RunningGateway, origin: str, path: str = "/tasks", verb: str = "PATCH"
) -> RawResponse:
    """Ask as a browser does before the real request."""
    asked = f"Access-Control-Request-Method: {verb}\r\nAccess-Control-Request-Headers: authorization,if-match\r\n"
    return await send_request(
        gateway.port, build_request("OPTIONS", path, headers=f"Origin: {origin}\r\n{asked}")
    )


def words(answer: RawResponse, name: str) -> set[str]:
    """Return the list in a header."""
    return {word for value in answer.header_values(name) for word in value.split(", ")}


def allowed(answer: RawResponse) -> list[str]:
    """Return the names of the headers that allow something."""
    return [name for name, _ in answer.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("origin", [FRONT_END, "http://localhost:3000"])
@pytest.mark.parametrize("path", ["/tasks", "/users/me", "/nowhere"])
async def test_a_front_end_may_ask_without_a_token(
    gateway: RunningGateway, origin: str, path: str
) -> None:
    answer = await preflight(gateway, origin, path)

    assert (answer.status, answer.body) == (204, b"")
    assert answer.header_values("x-content-type-options") + answer.header_values(
        "referrer-policy"
    ) == [
        "nosniff",
        "no-referrer",
    ]
    assert answer.header_values("access-control-allow-origin") == [origin]
    assert answer.header_values("access-control-allow-credentials") == ["true"]
    assert answer.header_values("access-control-max-age") == ["600"]
    assert words(answer, "access-control-allow-headers") >= set(SENT.split(", "))
    assert words(answer, "access-control-allow-methods") >= {
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
    }
    assert "Origin" in words(answer, "vary")
    assert not gateway.tasks.requests


@pytest.mark.parametrize(
    "origin",
    [
        *(
            "https://evil.example",
            "null",
            "http://app.example.com",
            f"{FRONT_END}.evil.example",
            f"{FRONT_END}:444",
        ),
        *(f"{FRONT_END}/", FRONT_END.upper(), "*", "https://localhost:3000", ""),
    ],
)
async def test_a_strange_origin_learns_nothing(
    gateway: RunningGateway, token: str, origin: str
) -> None:
    real = await send_request(
        gateway.port, build_request("GET", "/tasks", token, headers=f"Origin: {origin}\r\n")
    )

    for answer in (await preflight(gateway, origin), real):
        assert answer.header_values("x-content-type-options") == ["nosniff"]
        assert not allowed(answer)
        assert words(answer, "vary") == {"Origin"}


async def test_a_front_end_may_read_the_answer(gateway: RunningGateway, token: str) -> None:
    gateway.tasks.behaviour = respond_with(json_response(headers="Vary: Authorization\r\n"))

    answer = await send_request(
        gateway.port, build_request("GET", "/tasks", token, headers=f"Origin: {FRONT_END}\r\n")
    )

    assert answer.header_values("access-control-allow-origin") == [FRONT_END]
    assert answer.header_values("access-control-allow-credentials") == ["true"]
    assert words(answer, "access-control-expose-headers") == set(SHOWN.split(", "))
    assert words(answer, "vary") == {"Authorization", "Origin"}


@pytest.mark.parametrize(
    ("verb", "path", "headers", "status"),
    [
        ("GET", "/tasks", "", 401),
        ("GET", "/nowhere", "", 404),
        ("DELETE", "/docs", "", 405),
        ("GET", "/tasks/%2f", "", 400),
        ("POST", "/tasks", "Content-Length: 5000000\r\n", 413),
    ],
)
async def test_a_front_end_may_read_a_refusal(
    gateway: RunningGateway, verb: str, path: str, headers: str, status: int
) -> None:
    answer = await send_request(
        gateway.port, build_request(verb, path, headers=f"Origin: {FRONT_END}\r\n{headers}")
    )

    assert (answer.status, answer.header_values("access-control-allow-origin")) == (
        status,
        [FRONT_END],
    )


async def test_without_an_origin_nothing_is_said_about_origins(
    gateway: RunningGateway, token: str
) -> None:
    answer = await send_request(gateway.port, build_request("GET", "/tasks", token))

    assert not allowed(answer)
    assert words(answer, "vary") == {"Origin"}


async def test_options_without_a_preflight_is_the_services_affair(
    gateway: RunningGateway, token: str
) -> None:
    await send_request(
        gateway.port, build_request("OPTIONS", "/tasks", token, headers=f"Origin: {FRONT_END}\r\n")
    )

    assert gateway.tasks.requests[0].line == "OPTIONS /tasks HTTP/1.1"
