"""`make explain`, which needs no platform that runs and no setting but the secret."""

import subprocess
import sys
from secrets import token_urlsafe

import pytest

from devkit.platform.environment import minimal_environment
from devkit.platform.tokens import mint_token

SECRET = token_urlsafe()


def explained(token: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "devkit.cli.explain", token]
    environment = minimal_environment() | {"BETTER_AUTH_SECRET": SECRET}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout


def test_it_takes_the_tokens_of_the_development_secret() -> None:
    code, said = explained(mint_token(SECRET, "ada"))

    assert code == 0
    assert "Verdict: accepted" in said


@pytest.mark.parametrize(
    ("token", "reason"),
    [("abc", "not-a-jwt"), (mint_token(token_urlsafe(), "ada"), "wrong-signature")],
)
def test_it_says_why_a_token_is_refused(token: str, reason: str) -> None:
    code, said = explained(token)

    assert code == 1
    assert f"Verdict: refused, {reason}" in said
    assert token[1:] not in said
