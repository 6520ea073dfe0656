"""Messages about key server failures: each cause in one plain sentence, never a secret."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from auth_gateway.authentication.keys import KeyCache, KeySetError
from auth_gateway.cli.explain import explain

from ...support.helpers import MakeSettings
from ...support.key_server import (
    KeyServer,
    Respond,
    close_without_response,
    never_respond,
    numbered_keys,
    respond_after,
    respond_with,
    respond_with_garbage,
    send_body_slowly,
    send_endless_headers,
)
from ...support.token_factory import EDDSA, HS256, RS256, STRANGER, key_set, key_set_of, login

GOOD = respond_with(key_set(EDDSA.jwk()))
SECRETS = "Location: https://ada:hunter2@login.example.com/sso?token=hunter2#hunter2\r\n"


@pytest.fixture
async def server() -> AsyncIterator[KeyServer]:
    async with KeyServer().running() as server:
        yield server


async def error_of_fetch(url: str) -> KeySetError:
    """Fetch once, and return the error."""
    cache = KeyCache(url, max_age_seconds=300, fetch_seconds=2)
    async with asyncio.timeout(20):
        await cache.refresh()
    await cache.close()
    assert cache.last_error is not None
    assert cache.state.reason == cache.last_error.reason
    return cache.last_error


@pytest.mark.parametrize(
    ("respond", "words"),
    [
        (
            respond_with(b"", "301 Moved Permanently", SECRETS),
            ["301", "redirect", "BETTER_AUTH_JWKS_URL"],
        ),
        (respond_with(b"", "307 Temporary Redirect"), ["307", "redirect", "BETTER_AUTH_JWKS_URL"]),
        (respond_with(b"", "401 Unauthorized"), ["401", "without credentials"]),
        (respond_with(b"", "403 Forbidden"), ["403", "without credentials"]),
        (respond_with(b"", "404 Not Found"), ["404", "path", "BETTER_AUTH_JWKS_URL", "jwt plugin"]),
        (respond_with(b"", "418 I'm a teapot"), ["418", "BETTER_AUTH_JWKS_URL"]),
        (respond_with(b"", "429 Too Many Requests"), ["429", "how often"]),
        (respond_with(b"", "502 Bad Gateway"), ["502", "its log"]),
        (respond_with(b"", "204 No Content"), ["204", "BETTER_AUTH_JWKS_URL"]),
        (respond_with(b"<!doctype html><title>Sign in</title>"), ["HTML", "BETTER_AUTH_JWKS_URL"]),
        (respond_with(b""), ["nothing", "BETTER_AUTH_JWKS_URL"]),
        (respond_with(b"{"), ["JSON"]),
        (respond_with(b"{}"), ["keys"]),
        (respond_with(key_set()), ["empty"]),
        (respond_with(key_set_of(numbered_keys(STRANGER, 65))), ["more than 64 keys"]),
        (respond_with(key_set(HS256.jwk(kid="a"))), ["no key that may be used"]),
        (respond_with(key_set(RS256.jwk()).ljust(70_000)), ["65536 bytes"]),
        (respond_with(b"\x1f\x8b", headers="Content-Encoding: gzip\r\n"), ["compressed"]),
        (close_without_response, ["hangs up", "BETTER_AUTH_JWKS_URL"]),
        (respond_with_garbage, ["HTTP", "BETTER_AUTH_JWKS_URL"]),
        (send_endless_headers, ["headers"]),
        (respond_with(b"", headers="X: " + "x" * 200_000 + "\r\n"), ["headers"]),
        (respond_with(b"", headers="Content-Length: 50\r\n"), ["HTTP"]),
        (never_respond, ["in time", "KEYS_FETCH_SECONDS"]),
        (send_body_slowly, ["in time", "KEYS_FETCH_SECONDS"]),
        (respond_after(0.1, respond_with(b"", "500 Internal Server Error")), ["500"]),
    ],
)
async def test_the_message_names_what_to_check(
    server: KeyServer, respond: Respond, words: list[str]
) -> None:
    server.respond = respond

    error = await error_of_fetch(server.url)

    assert not [word for word in words if word not in error.reason], error.reason
    assert "\n" not in str(error)
    assert len(str(error)) < 400
    assert "hunter2" not in str(error)


async def test_the_target_of_a_redirect_is_named_without_secrets(
    server: KeyServer,
) -> None:
    server.respond = respond_with(b"", "302 Found", SECRETS)

    assert (await error_of_fetch(server.url)).detail == "it leads to login.example.com/sso"


@pytest.mark.parametrize(
    ("jwk", "words"),
    [
        (HS256.jwk(kid="a"), "kty 'oct'"),
        (EDDSA.jwk(alg="ES256"), "alg 'ES256' does not fit"),
        (EDDSA.jwk(use="enc"), "use is not sig"),
        (EDDSA.jwk(key_ops=["sign"]), "key_ops lacks verify"),
        (EDDSA.jwk(d="A" * 43), "private key"),
        (EDDSA.jwk(x="A"), "no public key"),
        (EDDSA.jwk(kid=5), "kid is no text"),
    ],
)
async def test_what_is_wrong_with_keys_is_named(
    server: KeyServer, jwk: dict[str, object], words: str
) -> None:
    server.respond = respond_with(key_set(jwk))

    assert words in (await error_of_fetch(server.url)).detail


async def test_a_rejected_key_is_logged_once(
    server: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.respond = respond_with(
        key_set(EDDSA.jwk(), HS256.jwk(kid="a"), RS256.jwk(), RS256.jwk())
    )
    cache = KeyCache(server.url, max_age_seconds=0.001)

    for _ in range(3):
        await cache.refresh()
    await cache.close()

    (line,) = [record.getMessage() for record in caplog.records]
    assert "kty 'oct'" in line
    assert "several keys have this kid" in line


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1/jwks", "accepts no connection"),
        ("http://no-such-host.invalid/jwks", "cannot be resolved"),
        ("http://" + "x" * 70 + ".invalid/jwks", "BETTER_AUTH_JWKS_URL"),
    ],
)
async def test_a_wrong_url_is_named(url: str, words: str) -> None:
    assert words in (await error_of_fetch(url)).reason


async def test_plain_http_where_tls_is_expected_is_named() -> None:
    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await error_of_fetch(f"https://127.0.0.1:{port}/jwks")

    assert "TLS" in error.reason
    assert "BETTER_AUTH_JWKS_URL" in error.reason


async def test_an_untrusted_certificate_is_named_and_ssl_cert_file_adds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = create_self_signed_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    async with KeyServer().running(context) as server:
        server.respond = GOOD
        error = await error_of_fetch(server.url)
        assert "certificate" in error.reason
        assert "SSL_CERT_FILE" in error.reason
        assert "self-signed" in error.detail

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        cache = KeyCache(server.url, max_age_seconds=300)
        await cache.refresh()
        await cache.close()
        assert cache.state.status == "ok"


def create_self_signed_certificate(folder: Path) -> Path:
    """Write a certificate for 127.0.0.1 and its key to one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    alternative_name = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1)
        )
        .add_extension(alternative_name, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "certificate.pem"
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file


async def test_explain_names_the_reason_for_missing_keys(
    server: KeyServer, make_settings: MakeSettings
) -> None:
    server.respond = respond_with(b"", "308 Permanent Redirect", SECRETS)

    accepted, lines = await explain(fresh_login(), make_settings(better_auth_jwks_url=server.url))

    text = "\n".join(lines)
    assert not accepted
    assert "308, a redirect" in text
    assert "login.example.com/sso" in text
    assert "hunter2" not in text


async def test_explain_waits_for_a_slow_key_server(
    server: KeyServer, make_settings: MakeSettings
) -> None:
    server.respond = respond_after(2, GOOD)

    accepted, _ = await explain(fresh_login(), make_settings(better_auth_jwks_url=server.url))

    assert accepted


async def test_explain_names_the_published_keys(
    server: KeyServer, make_settings: MakeSettings
) -> None:
    server.respond = respond_with(key_set(RS256.jwk(), HS256.jwk(kid="a")))

    _, lines = await explain(fresh_login(), make_settings(better_auth_jwks_url=server.url))

    assert lines[1] == "Verdict: refused, unknown-key"
    assert "Token:   'key-eddsa'" in lines
    assert "Keys:    ['key-rs256']" in lines
    assert "Unfit:   kty 'oct' with crv None is not supported" in lines


def fresh_login() -> bytes:
    now = int(datetime.now(UTC).timestamp())
    return login(iat=now, exp=now + 900)
