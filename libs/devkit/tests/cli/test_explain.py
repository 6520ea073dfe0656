"""`make explain` needs no running platform and no setting but the secret."""

import subprocess
import sys
from secrets import token_urlsafe

import pytest

from devkit.platform.environment import minimal_environment
from devkit.platform.tokens import mint_token

SECRET = token_urlsafe()


def explain(token: str) -> "subprocess.CompletedProcess[str]":
    environment = minimal_environment()
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
