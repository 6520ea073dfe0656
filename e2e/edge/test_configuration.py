"""The two files as they are: nothing in them is refused, every route leads somewhere, and TLS is one switch."""

import json
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from devkit.testing.raw_http import build_request, send_request
from devkit.testing.stub_server import StubServer
from e2e.support.contract import problem_of
from e2e.support.edge_testbed import Backstage, Edge

PATHS = {
    "/tasks": 200,
    "/tasks/1?x=y": 200,
    "/users": 200,
    "/users/me": 200,
    "/users/me/import": 200,
    "/healthz": 200,
    "/readyz/": 503,
    "/version": 200,
    "/docs": 200,
    "/openapi.json": 200,
    "/problems/not-found": 200,
    "/problems/NotFound": 404,
    "/api/auth/ok": 404,
    "/tasksx": 404,
    "/decide": 404,
    "/edge-errors/404": 404,
    "/ping": 404,
    "/metrics": 404,
    "/api/overview": 404,
    "/dashboard/": 404,
}
"""Addresses, and the status that a good token gets there; the gateway is not ready, for it knows no services."""


def logged(edge: Edge, level: str) -> list[dict[str, object]]:
    """Return the lines of the edge's log of this level."""
    lines = [
        json.loads(line)
        for line in edge.process.log.read_text().splitlines()
        if line.startswith("{")
    ]
    return [line for line in lines if line["level"] == level]


async def test_each_route_leads_where_it_says_and_nothing_is_wrong_with_the_files(
    edge: Edge, token: str
) -> None:
    found = {
        path: (await send_request(edge.port, build_request("GET", path, token))).status
        for path in PATHS
    }

    assert found == PATHS
    assert [seen.line.split()[1] for seen in edge.tasks.requests] == ["/tasks", "/tasks/1?x=y"]
    assert [seen.line.split()[1] for seen in edge.users.requests] == [
        "/users",
        "/users/me",
        "/users/me/import",
    ]
    assert logged(edge, "error") == []


async def test_the_log_holds_no_secret_and_no_search_word(edge: Edge, token: str) -> None:
    headers = "X-Request-ID: {}\r\nCookie: session=secret-cookie\r\nX-User-Id: secret-id\r\n"
    names = ["the-first-request", "the-last-request"]

    for path, name in zip(("/tasks?q=secret-word", "/nothing?q=secret-word"), names, strict=True):
        await send_request(
            edge.port, build_request("GET", path, token, headers=headers.format(name))
        )

    async def is_written() -> bool:
        return all(name in edge.process.log.read_text() for name in names)

    await edge.process.wait_until(is_written)
    log = edge.process.log.read_text()
    assert "secret-" not in log
    assert token not in log


async def test_a_better_auth_server_is_shown_with_its_cookies(backstage: Backstage) -> None:
    better_auth = StubServer()
    await better_auth.start()
    edge = await backstage.edge(BETTER_AUTH_SERVER_URL=f"http://127.0.0.1:{better_auth.port}")

    sent = build_request(
        "POST",
        "/api/auth/sign-in/email",
        headers="Cookie: a=b\r\nX-Forwarded-For: 1.2.3.4\r\n",
        body=b"{}",
    )
    assert (await send_request(edge.port, sent)).status == 200
    assert (await send_request(edge.port, build_request("GET", "/api/authx"))).status == 404

    (seen,) = better_auth.requests
    assert (seen.header_values("cookie"), seen.header_values("x-forwarded-for")) == (
        ["a=b"],
        ["127.0.0.1"],
    )
    await better_auth.stop()


@pytest.fixture
def certificate(tmp_path: Path) -> dict[str, str]:
    """Make a certificate that nobody else has signed, and say so as the edge is told."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "edge")]),
    )
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem, key_pem = tmp_path / "cert.pem", tmp_path / "key.pem"
    pem.write_bytes(built.public_bytes(Encoding.PEM))
    key_pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return {"TLS_CERTIFICATE_FILE": str(pem), "TLS_KEY_FILE": str(key_pem)}


async def test_a_certificate_turns_tls_on_for_every_route(
    backstage: Backstage, certificate: dict[str, str], token: str
) -> None:
    edge = await backstage.edge(**certificate)
    trusting = ssl.create_default_context(cafile=certificate["TLS_CERTIFICATE_FILE"])
    url = edge.service.url.replace("http:", "https:")

    async with httpx.AsyncClient(base_url=url, verify=trusting) as client:
        answers = [
            await client.get("/tasks", headers={"Authorization": f"Bearer {token}"}),
            await client.get("/healthz"),
            await client.get("/nothing"),
            await client.get("/tasks"),
            await client.post("/tasks", content=bytes(1_000_000)),
        ]

    assert [answer.status_code for answer in answers] == [200, 200, 404, 401, 413]
    assert {answer.headers["strict-transport-security"] for answer in answers} == {
        "max-age=31536000"
    }
    for answer in answers[2:]:
        problem_of(answer, answer.status_code)
    assert (await send_request(edge.port, build_request("GET", "/healthz"))).status == 404
    assert logged(edge, "error") == []
