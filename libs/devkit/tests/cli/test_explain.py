"""`make explain` needs no running platform and no setting but the secret."""

import subprocess
import sys
import time
from secrets import token_urlsafe

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from devkit.platform.environment import minimal_environment
from devkit.platform.services import free_ports
from devkit.platform.tokens import mint_token

SECRET = token_urlsafe()


def explain(token: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = minimal_environment() | settings
    environment["BETTER_AUTH_SECRET"] = SECRET
    command = [sys.executable, "-m", "devkit.cli.explain", token]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_token_of_the_development_secret_is_accepted() -> None:
    process = explain(mint_token(SECRET, "ada"))

    assert process.returncode == 0
    assert "Verdict: accepted" in process.stdout


@pytest.mark.parametrize(
    ("token", "reason"),
    [("abc", "not-a-jwt"), (mint_token(token_urlsafe(), "ada"), "wrong-signature")],
)
def test_the_reason_is_printed_if_a_token_is_rejected(token: str, reason: str) -> None:
    process = explain(token)

    assert process.returncode == 1
    assert f"Verdict: refused, {reason}" in process.stdout
    assert token[1:] not in process.stdout


def test_a_token_of_the_sign_in_of_make_run_is_compared_with_its_keys() -> None:
    [port] = free_ports(1)
    url = f"http://localhost:{port}"
    now = int(time.time())
    claims = {"iss": url, "aud": url, "sub": "ada", "iat": now, "exp": now + 60}
    token = jwt.encode(claims, Ed25519PrivateKey.generate(), "EdDSA", {"kid": "1"})

    process = explain(token, PORT=str(port))

    # No platform runs. Without the URL the reason would be that published keys are off.
    assert "unknown (503)" in process.stdout
    assert f"{url}/api/auth/jwks" in process.stdout
