"""The configuration files: the edge accepts them, each route has its service, TLS is one switch."""

import ssl
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from devkit.testing.raw_http import build_request, send_request
from devkit.testing.stub_server import StubServer, json_response, respond_with
from e2e.support.certificates import create_certificate
from e2e.support.contract import assert_problem
from e2e.support.edge_testbed import FRONT_END_ORIGIN, Edge, EdgeTestbed

STATUSES = {
    "/tasks": 200,
    "/tasks/1?x=y": 200,
    "/users": 200,
    "/users/me": 200,
    "/users/me/import": 200,
    "/healthz": 200,
    "/readyz/": 503,
    "/version": 200,
    "/docs": 200,
    "/docs/docs.js": 200,
    "/docs/x": 404,
    "/llms.txt": 200,
    "/problems/": 200,
    "/openapi.json": 200,
    "/problems/not-found": 200,
    "/problems/NotFound": 404,
    "/": 200,
    "/assets/start.css": 200,
    "/assets/x.js": 404,
    "/sw.js": 200,
    "/index.html": 404,
    "/assets": 404,
    "/api/auth/ok": 404,
    "/tasksx": 404,
    "/decide": 404,
    "/edge-errors/404": 404,
    "/ping": 404,
    "/metrics": 404,
    "/api/overview": 404,
    "/dashboard/": 404,
}
"""Paths, and the status for a request with a valid token.

The gateway is not ready, because the services that it knows cannot be reached.
"""


NO_PUNCTUATION = str.maketrans("", "", ":/.")
"""What a request id cannot contain is left out."""


@pytest.fixture(scope="module")
async def _better_auth() -> AsyncGenerator[StubServer]:
    server = StubServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def better_auth(_better_auth: StubServer) -> StubServer:
    """Return a stub in place of a Better Auth server, without a history."""
    _better_auth.reset()
    return _better_auth


@pytest.fixture(scope="module")
async def better_auth_edge(edge_testbed: EdgeTestbed, _better_auth: StubServer) -> Edge:
    """Run an edge that publishes this server."""
    url = f"http://127.0.0.1:{_better_auth.port}"
    return await edge_testbed.start_edge(BETTER_AUTH_SERVER_URL=url)


def request_targets(server: StubServer) -> list[str]:
    """Return the targets of the requests that a stub server has received."""
    return [received.line.split()[1] for received in server.requests]


async def test_each_path_is_routed_to_its_service_and_the_log_has_no_error(
    edge: Edge, token: str
) -> None:
    statuses: dict[str, int] = {}
    for path in STATUSES:
        response = await send_request(edge.port, build_request("GET", path, token))
        statuses[path] = response.status

    assert statuses == STATUSES
    assert request_targets(edge.tasks) == ["/tasks", "/tasks/1?x=y"]
    assert request_targets(edge.users) == ["/users", "/users/me", "/users/me/import"]
    assert edge.logged_errors() == []


async def test_the_log_contains_no_secret_and_no_query(edge: Edge, token: str) -> None:
    request_ids = {"/tasks?q=secret-word": "the-first-request"}
    request_ids["/nothing?q=secret-word"] = "the-last-request"

    for path, request_id in request_ids.items():
        headers = f"X-Request-ID: {request_id}\r\n"
        headers += "Cookie: session=secret-cookie\r\nX-User-Id: secret-id\r\n"
        await send_request(edge.port, build_request("GET", path, token, headers=headers))

    async def are_logged() -> bool:
        log = edge.process.log.read_text()
        return all(request_id in log for request_id in request_ids.values())

    await edge.process.wait_until(are_logged)
    log = edge.process.log.read_text()
    assert "secret-" not in log
    assert token not in log


@pytest.mark.parametrize("origin", ["http://forgotten.example:5173", "null", FRONT_END_ORIGIN])
async def test_a_refused_preflight_is_logged_with_the_setting(edge: Edge, origin: str) -> None:
    request_id = f"preflight-{origin}".translate(NO_PUNCTUATION)
    headers = (
        f"Origin: {origin}\r\nAccess-Control-Request-Method: GET\r\nX-Request-ID: {request_id}\r\n"
    )
    response = await send_request(edge.port, build_request("OPTIONS", "/tasks", headers=headers))

    record = await edge.wait_for_logged_request(request_id)
    assert record["request_Origin"] == origin
    assert response.status == 200
    if origin == FRONT_END_ORIGIN:
        assert response.header_values("access-control-allow-origin") == [origin]
        assert record["RouterName"] == "every@file"
    else:
        assert not response.header_values("access-control-allow-origin")
        assert record["RouterName"] == "not-in-CORS_ORIGINS@file"


async def test_a_better_auth_server_receives_credentials_and_true_addresses(
    better_auth_edge: Edge, better_auth: StubServer
) -> None:
    headers = (
        "Cookie: a=b\r\n"
        "Authorization: Bearer of-a-session\r\n"
        f"Origin: {FRONT_END_ORIGIN}\r\n"
        "X-Forwarded-For: 1.2.3.4\r\n"
        "X-Forwarded-Host: evil.example\r\n"
        "Forwarded: for=1.2.3.4\r\n"
        "X-User-Id: forged\r\n"
    )
    request = build_request("POST", "/api/auth/sign-in/email", headers=headers, body=b"{}")
    response = await send_request(better_auth_edge.port, request)

    assert response.status == 200
    [received] = better_auth.requests
    assert received.header_values("cookie") == ["a=b"]
    assert received.header_values("authorization") == ["Bearer of-a-session"]
    assert received.header_values("origin") == [FRONT_END_ORIGIN]
    assert received.header_values("x-forwarded-for") == ["127.0.0.1"]
    assert received.header_values("x-forwarded-host") == received.header_values("host")
    for name in ("forwarded", "x-user-id"):
        assert not received.header_values(name)


async def test_each_cookie_of_a_better_auth_server_reaches_the_client(
    better_auth_edge: Edge, better_auth: StubServer
) -> None:
    cookies = ["session=1; Path=/; HttpOnly", "cache=; Max-Age=0"]
    lines = "".join(f"Set-Cookie: {cookie}\r\n" for cookie in cookies)
    better_auth.behaviour = respond_with(json_response(headers=lines))

    request = build_request("POST", "/api/auth/sign-out", body=b"{}")
    response = await send_request(better_auth_edge.port, request)

    assert response.header_values("set-cookie") == cookies


async def test_other_paths_do_not_reach_a_better_auth_server(
    better_auth_edge: Edge, better_auth: StubServer
) -> None:
    response = await send_request(better_auth_edge.port, build_request("GET", "/api/authx"))

    assert response.status == 404
    assert not better_auth.requests


async def test_a_better_auth_server_that_is_away_is_a_problem_document(
    better_auth_edge: Edge, better_auth: StubServer
) -> None:
    await better_auth.stop()

    request = build_request("POST", "/api/auth/sign-in/email", body=b"{}")
    response = await send_request(better_auth_edge.port, request)

    assert (response.status, response.code) == (502, "bad-gateway")
    await better_auth.start()


async def test_a_body_without_a_length_is_counted_before_a_better_auth_server_reads_it(
    better_auth_edge: Edge, better_auth: StubServer
) -> None:
    chunk = b"%x\r\n%b\r\n" % (50_000, b"a" * 50_000)
    headers = "Transfer-Encoding: chunked\r\n"
    head = build_request("POST", "/api/auth/sign-in/email", headers=headers)

    accepted = await send_request(better_auth_edge.port, head + chunk * 19 + b"0\r\n\r\n")
    refused = await send_request(better_auth_edge.port, head + chunk * 20 + b"0\r\n\r\n")

    assert accepted.status == 200
    assert (refused.status, refused.code) == (413, "content-too-large")
    assert len(better_auth.requests) == 1


async def test_a_file_is_compressed_only_for_a_client_that_can_read_it(edge: Edge) -> None:
    path = "/assets/start.css"
    plain = await send_request(edge.port, build_request("GET", path))
    request = build_request("GET", path, headers="Accept-Encoding: gzip\r\n")
    compressed = await send_request(edge.port, request)

    assert not plain.header_values("content-encoding")
    assert compressed.header_values("content-encoding") == ["gzip"]
    assert len(compressed.body) < len(plain.body)
    for response in (plain, compressed):
        assert "Accept-Encoding" in response.header_values("vary")[0]


@pytest.fixture
def tls_settings(tmp_path: Path) -> dict[str, str]:
    """Create a self-signed certificate, and return the settings of the edge that name it."""
    certificate = create_certificate(tmp_path)
    return {
        "TLS_CERTIFICATE_FILE": str(certificate.certificate_file),
        "TLS_KEY_FILE": str(certificate.key_file),
    }


async def test_a_certificate_turns_tls_on_for_every_route(
    edge_testbed: EdgeTestbed, tls_settings: dict[str, str], token: str
) -> None:
    edge = await edge_testbed.start_edge(**tls_settings)
    tls_context = ssl.create_default_context(cafile=tls_settings["TLS_CERTIFICATE_FILE"])
    url = edge.service.url.replace("http:", "https:")

    async with httpx.AsyncClient(base_url=url, verify=tls_context) as client:
        authorization = {"Authorization": f"Bearer {token}"}
        successes = [
            await client.get("/tasks", headers=authorization),
            await client.get("/healthz"),
        ]
        not_found = await client.get("/nothing")
        without_token = await client.get("/tasks")
        too_large = await client.post("/tasks", content=bytes(1_000_000))

    assert [response.status_code for response in successes] == [200, 200]
    assert_problem(not_found, 404)
    assert_problem(without_token, 401)
    assert_problem(too_large, 413)
    for response in (*successes, not_found, without_token, too_large):
        assert response.headers["strict-transport-security"] == "max-age=31536000"
    unencrypted = await send_request(edge.port, build_request("GET", "/healthz"))
    assert unencrypted.status == 404
    assert edge.logged_errors() == []
