"""What an operator reads when no keys can be had: each cause in one plain sentence, never a secret."""

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

from ...support import key_server as sick
from ...support.helpers import MakeSettings
from ...support.key_server import KeyServer, Respond, after, document
from ...support.token_factory import EDDSA, HS256, RS256, STRANGER, key_set, login

GOOD = document(key_set(EDDSA.jwk()))
SECRETS = "Location: https://ada:hunter2@login.example.com/sso?token=hunter2#hunter2\r\n"


@pytest.fixture
async def server() -> AsyncIterator[KeyServer]:
    async with KeyServer().running() as server:
        yield server


async def failure_at(address: str) -> KeySetError:
    """Fetch once, and return why that failed."""
    cache = KeyCache(address, max_age_seconds=300, fetch_seconds=2)
    async with asyncio.timeout(20):
        await cache.refresh()
    await cache.close()
    assert cache.last_error is not None
    assert cache.state.reason == cache.last_error.reason
    return cache.last_error


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            document(b"", "301 Moved Permanently", SECRETS),
            ["301", "redirect", "BETTER_AUTH_JWKS_URL"],
        ),
        (document(b"", "307 Temporary Redirect"), ["307", "redirect", "BETTER_AUTH_JWKS_URL"]),
        (document(b"", "401 Unauthorized"), ["401", "without credentials"]),
        (document(b"", "403 Forbidden"), ["403", "without credentials"]),
        (document(b"", "404 Not Found"), ["404", "path", "BETTER_AUTH_JWKS_URL", "jwt plugin"]),
        (document(b"", "418 I'm a teapot"), ["418", "BETTER_AUTH_JWKS_URL"]),
        (document(b"", "429 Too Many Requests"), ["429", "how often"]),
        (document(b"", "502 Bad Gateway"), ["502", "its log"]),
        (document(b"", "204 No Content"), ["204", "BETTER_AUTH_JWKS_URL"]),
        (document(b"<!doctype html><title>Sign in</title>"), ["HTML", "BETTER_AUTH_JWKS_URL"]),
        (document(b""), ["nothing", "BETTER_AUTH_JWKS_URL"]),
        (document(b"{"), ["JSON"]),
        (document(b"{}"), ["keys"]),
        (document(key_set()), ["empty"]),
        (document(key_set(*(STRANGER.jwk(kid=str(n)) for n in range(65)))), ["more than 64 keys"]),
        (document(key_set(HS256.jwk(kid="a"))), ["no key that may be used"]),
        (document(key_set(RS256.jwk()).ljust(70_000)), ["65536 bytes"]),
        (document(b"\x1f\x8b", headers="Content-Encoding: gzip\r\n"), ["compressed"]),
        (sick.nothing, ["hangs up", "BETTER_AUTH_JWKS_URL"]),
        (sick.garbage, ["HTTP", "BETTER_AUTH_JWKS_URL"]),
        (sick.headers_without_end, ["headers"]),
        (document(b"", headers="X: " + "x" * 200_000 + "\r\n"), ["headers"]),
        (document(b"", headers="Content-Length: 50\r\n"), ["HTTP"]),
        (sick.never, ["in time", "KEYS_FETCH_SECONDS"]),
        (sick.drip, ["in time", "KEYS_FETCH_SECONDS"]),
        (after(0.1, document(b"", "500 Internal Server Error")), ["500"]),
    ],
)
async def test_the_word_that_matters_is_named(
    server: KeyServer, answer: Respond, words: list[str]
) -> None:
    server.respond = answer

    failure = await failure_at(server.url)

    assert not [word for word in words if word not in failure.reason], failure.reason
    assert "\n" not in str(failure)
    assert len(str(failure)) < 400
    assert "hunter2" not in str(failure)


async def test_the_target_of_a_redirect_is_named_without_what_may_be_secret(
    server: KeyServer,
) -> None:
    server.respond = document(b"", "302 Found", SECRETS)

    assert (await failure_at(server.url)).detail == "it leads to login.example.com/sso"


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
    server.respond = document(key_set(jwk))

    assert words in (await failure_at(server.url)).detail


async def test_a_key_that_is_left_out_is_named_once_in_the_log(
    server: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.respond = document(key_set(EDDSA.jwk(), HS256.jwk(kid="a"), RS256.jwk(), RS256.jwk()))
    cache = KeyCache(server.url, max_age_seconds=0.001)

    for _ in range(3):
        await cache.refresh()
    await cache.close()

    (line,) = [record.getMessage() for record in caplog.records]
    assert "kty 'oct'" in line
    assert "several keys have this kid" in line


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://127.0.0.1:1/jwks", "accepts no connection"),
        ("http://no-such-host.invalid/jwks", "cannot be resolved"),
        ("http://" + "x" * 70 + ".invalid/jwks", "BETTER_AUTH_JWKS_URL"),
    ],
)
async def test_a_wrong_address_is_named(address: str, words: str) -> None:
    assert words in (await failure_at(address)).reason


async def test_plain_http_where_tls_is_expected_is_named() -> None:
    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as plain:
        failure = await failure_at(f"https://127.0.0.1:{plain.sockets[0].getsockname()[1]}/jwks")

    assert "TLS" in failure.reason
    assert "BETTER_AUTH_JWKS_URL" in failure.reason


async def test_a_certificate_that_nobody_trusts_is_named_and_ssl_cert_file_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    async with KeyServer().running(context) as server:
        server.respond = GOOD
        failure = await failure_at(server.url)
        assert "certificate" in failure.reason
        assert "SSL_CERT_FILE" in failure.reason
        assert "self-signed" in failure.detail

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        cache = KeyCache(server.url, max_age_seconds=300)
        await cache.refresh()
        await cache.close()
        assert cache.state.status == "ok"


def self_signed(folder: Path) -> Path:
    """Write a certificate for 127.0.0.1 and its key into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1)
        )
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "certificate.pem"
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file


async def test_make_explain_says_why_there_are_no_keys(
    server: KeyServer, make_settings: MakeSettings
) -> None:
    server.respond = document(b"", "308 Permanent Redirect", SECRETS)

    accepted, lines = await explain(fresh_login(), make_settings(better_auth_jwks_url=server.url))

    text = "\n".join(lines)
    assert not accepted
    assert "308, a redirect" in text
    assert "login.example.com/sso" in text
    assert "hunter2" not in text


async def test_make_explain_waits_for_a_slow_key_server(
    server: KeyServer, make_settings: MakeSettings
) -> None:
    server.respond = after(2, GOOD)

    accepted, _ = await explain(fresh_login(), make_settings(better_auth_jwks_url=server.url))

    assert accepted


async def test_make_explain_names_the_published_keys(
    server: KeyServer, make_settings: MakeSettings
) -> None:
    server.respond = document(key_set(RS256.jwk(), HS256.jwk(kid="a")))

    _, lines = await explain(fresh_login(), make_settings(better_auth_jwks_url=server.url))

    assert lines[1] == "Verdict: refused, unknown-key"
    assert "Token:   'key-eddsa'" in lines
    assert "Keys:    ['key-rs256']" in lines
    assert "Unfit:   kty 'oct' with crv None is not supported" in lines


def fresh_login() -> bytes:
    now = int(datetime.now(UTC).timestamp())
    return login(iat=now, exp=now + 900)
