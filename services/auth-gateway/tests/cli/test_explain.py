"""The command that explains why a token is rejected."""

import asyncio
import os
import sys
import time

import pytest

from auth_gateway.authentication import Reason
from auth_gateway.authentication.reasons import RULES
from auth_gateway.cli.explain import explain
from auth_gateway.settings import TokenSettings

from ..support.helpers import MakeSettings
from ..support.key_server import KeyServer
from ..support.token_factory import (
    EDDSA,
    HS256,
    ISSUER,
    LOGIN,
    OLD_SECRET,
    SECRET,
    STRANGER,
    USER,
    Signer,
    login_with,
    minted,
    with_changes,
)

SOON = int(time.time()) + 3600


def current_login(signer: Signer = EDDSA, /, **changes: object) -> bytes:
    """Make a login token that is valid now."""
    times = {"iat": SOON - 3600, "exp": SOON}
    return login_with(with_changes(times, changes), signer)


def current_claims(**claims: object) -> dict[str, object]:
    """Add times to claims so that they are valid now."""
    return with_changes(claims, {"iat": SOON - 3600, "exp": SOON})


@pytest.fixture
def settings(make_settings: MakeSettings, key_server: KeyServer) -> TokenSettings:
    return make_settings(better_auth_jwks_url=key_server.url)


@pytest.mark.parametrize(
    ("token", "form", "reason", "hint"),
    [
        (current_login(exp=1), "a login token", Reason.EXPIRED, "new token"),
        (current_login(aud="my-app"), "a login token", Reason.WRONG_AUDIENCE, "'my-app'"),
        (
            current_login(iss="http://localhost:3000"),
            "a login token",
            Reason.WRONG_ISSUER,
            "'http://localhost:3000'",
        ),
        (current_login(STRANGER), "a login token", Reason.UNKNOWN_KEY, "BETTER_AUTH_JWKS_URL"),
        (minted(exp=...), "a token signed with the secret", Reason.NO_EXPIRY, "exp"),
        (
            HS256.token(current_claims(email="ada@example.com")),
            "the token of a verification",
            Reason.NO_SUBJECT,
            "sub",
        ),
        (
            HS256.token(current_claims(email="a@b.c", updateTo="b@b.c")),
            "the token of a verification",
            Reason.MAIL_LINK,
            "/api/auth/token",
        ),
        (
            HS256.token(current_claims(session={}, user={}, sub=USER)),
            "the content of a session cookie, signed with the secret",
            Reason.SESSION_COOKIE,
            "/api/auth/token",
        ),
        (EDDSA.token(LOGIN, typ="at+jwt"), "an access token", Reason.WRONG_TYPE, "/api/auth/token"),
        (b"opaque", "no JWT at all", Reason.NOT_A_JWT, "session token"),
        (b"a.b.c.d.e", "an encrypted token", Reason.NOT_A_JWT, "set-auth-jwt"),
        (b"!.!.!", "three segments", Reason.NOT_A_JWT, "set-auth-jwt"),
        (b"", "no JWT at all", Reason.MISSING, "argument"),
        (b"Basic YTpi", "no JWT at all", Reason.NOT_BEARER, "Bearer"),
    ],
)
async def test_the_output_has_form_rule_and_remedy(
    settings: TokenSettings,
    token: bytes,
    form: str,
    reason: Reason,
    hint: str,
) -> None:
    accepted, lines = await explain(token, settings)

    assert not accepted
    assert lines[0].startswith(f"Form:    {form}")
    assert lines[1] == f"Verdict: refused, {reason}"
    assert lines[2] == f"Rule:    {RULES[reason][0]}"
    assert hint in "\n".join(lines[3:])


async def test_a_valid_token_is_accepted(
    settings: TokenSettings,
) -> None:
    minted_token = HS256.token(current_claims(sub=USER))
    for text in (current_login(), b"Bearer " + minted_token):
        accepted, lines = await explain(text, settings)

        assert accepted
        assert lines[1].startswith("Verdict: accepted")
        assert USER in lines[1]


async def test_keys_that_cannot_be_fetched_are_named(make_settings: MakeSettings) -> None:
    async with KeyServer().running() as stopped_server:
        url = stopped_server.url

    accepted, lines = await explain(current_login(), make_settings(better_auth_jwks_url=url))

    assert not accepted
    assert "503" in lines[1]
    assert url in lines[3]


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_rule_and_a_remedy(reason: Reason) -> None:
    rule, remedy = RULES[reason]

    assert rule
    assert remedy.endswith(".")


@pytest.mark.parametrize(
    ("reason", "setting"),
    [
        (Reason.HS256_OFF, "BETTER_AUTH_SECRET"),
        (Reason.PUBLISHED_KEYS_OFF, "BETTER_AUTH_URL"),
        (Reason.WRONG_ISSUER, "BETTER_AUTH_ISSUERS"),
        (Reason.WRONG_AUDIENCE, "BETTER_AUTH_AUDIENCES"),
        (Reason.WRONG_SIGNATURE, "BETTER_AUTH_SECRET"),
        (Reason.WRONG_SIGNATURE, "BETTER_AUTH_JWKS_URL"),
        (Reason.UNKNOWN_KEY, "BETTER_AUTH_JWKS_URL"),
        (Reason.KEY_DISAGREES, "BETTER_AUTH_JWKS_URL"),
    ],
)
def test_a_remedy_that_is_a_setting_names_it(reason: Reason, setting: str) -> None:
    assert setting in RULES[reason].remedy
    assert setting.lower() in TokenSettings.model_fields


async def test_a_claim_cannot_control_the_terminal(
    settings: TokenSettings,
) -> None:
    _, lines = await explain(current_login(iss="\x1b[2J" + "x" * 500), settings)

    assert "\x1b" not in "".join(lines)
    assert max(len(line) for line in lines) < 200


@pytest.mark.parametrize(
    ("by_argument", "exp", "code"), [(True, SOON, 0), (False, 1, 1)], ids=["valid", "expired"]
)
async def test_the_exit_code_is_the_verdict(
    make_settings: MakeSettings, *, by_argument: bool, exp: int, code: int
) -> None:
    make_settings(better_auth_url=None)
    token = minted(exp=exp, email="ada@example.com")
    command = [sys.executable, "-m", "auth_gateway.cli.explain"]
    standard_input = token + b"\n"
    if by_argument:
        command.append(token.decode())
        standard_input = b""

    process = await asyncio.create_subprocess_exec(
        *command, env=os.environ, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate(standard_input)

    assert process.returncode == code
    assert b"Form:    a token signed with the secret" in output
    segments = token.split(b".")
    for secret in [*segments, SECRET.encode(), OLD_SECRET.encode(), b"ada@example.com"]:
        assert secret not in output
    assert ISSUER.encode() not in output
