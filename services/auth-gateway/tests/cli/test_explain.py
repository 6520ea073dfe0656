"""The tool for people who wonder why a token is refused."""

import asyncio
import os
import sys
import time

import pytest

from auth_gateway.authentication import Reason
from auth_gateway.cli.explain import explain
from auth_gateway.cli.rules import RULES

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
    login,
    minted,
)

SOON = int(time.time()) + 3600


def times(**changes: object) -> dict[str, object]:
    return {"iat": SOON - 3600, "exp": SOON, **changes}


@pytest.fixture
def of_this_server(key_server: KeyServer) -> dict[str, str]:
    return {"better_auth_jwks_url": key_server.url}


@pytest.mark.parametrize(
    ("token", "form", "reason", "hint"),
    [
        (login(**times(exp=1)), "A", Reason.EXPIRED, "new token"),
        (login(**times(aud="my-app")), "A", Reason.WRONG_AUDIENCE, "'my-app'"),
        (
            login(**times(iss="http://localhost:3000")),
            "A",
            Reason.WRONG_ISSUER,
            "'http://localhost:3000'",
        ),
        (login(STRANGER, **times()), "A", Reason.UNKNOWN_KEY, "BETTER_AUTH_JWKS_URL"),
        (minted(exp=...), "D", Reason.NO_EXPIRY, "exp"),
        (HS256.token(times(email="ada@example.com")), "X1", Reason.NO_SUBJECT, "sub"),
        (
            HS256.token(times(email="a@b.c", updateTo="b@b.c")),
            "X1",
            Reason.MAIL_LINK,
            "/api/auth/token",
        ),
        (
            HS256.token(times(session={}, user={}, sub=USER)),
            "B1",
            Reason.SESSION_COOKIE,
            "/api/auth/token",
        ),
        (EDDSA.token(LOGIN, typ="at+jwt"), "X3", Reason.WRONG_TYPE, "/api/auth/token"),
        (b"opaque", "C", Reason.NOT_A_JWT, "session token"),
        (b"a.b.c.d.e", "an encrypted token", Reason.NOT_A_JWT, "set-auth-jwt"),
        (b"!.!.!", "three segments", Reason.NOT_A_JWT, "set-auth-jwt"),
        (b"", "C", Reason.MISSING, "argument"),
        (b"Basic YTpi", "C", Reason.NOT_BEARER, "Bearer"),
    ],
)
async def test_it_tells_form_rule_and_remedy(
    make_settings: MakeSettings,
    of_this_server: dict[str, str],
    token: bytes,
    form: str,
    reason: Reason,
    hint: str,
) -> None:
    accepted, lines = await explain(token, make_settings(**of_this_server))

    assert not accepted
    assert lines[0].startswith(f"Form:    {form}")
    assert lines[1] == f"Verdict: refused, {reason}"
    assert lines[2] == f"Rule:    {RULES[reason][0]}"
    assert hint in "\n".join(lines[3:])


async def test_it_accepts_what_the_gateway_accepts(
    make_settings: MakeSettings, of_this_server: dict[str, str]
) -> None:
    for credentials in (login(**times()), b"Bearer " + minted(**times())):
        accepted, lines = await explain(credentials, make_settings(**of_this_server))

        assert accepted
        assert lines[1].startswith("Verdict: accepted")
        assert USER in lines[1]


async def test_it_says_when_keys_cannot_be_had(make_settings: MakeSettings) -> None:
    async with KeyServer().running() as gone:
        address = gone.url

    accepted, lines = await explain(login(**times()), make_settings(better_auth_jwks_url=address))

    assert not accepted
    assert "503" in lines[1]
    assert address in lines[3]


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_rule_and_a_remedy(reason: Reason) -> None:
    rule, change = RULES[reason]

    assert rule[0].isdecimal()
    assert change.endswith(".")


async def test_what_it_shows_of_a_claim_cannot_harm_a_terminal(
    make_settings: MakeSettings, of_this_server: dict[str, str]
) -> None:
    _, lines = await explain(
        login(**times(iss="\x1b[2J" + "x" * 500)), make_settings(**of_this_server)
    )

    assert "\x1b" not in "".join(lines)
    assert max(len(line) for line in lines) < 200


@pytest.mark.parametrize(
    ("by_argument", "exp", "code"), [(True, SOON, 0), (False, 1, 1)], ids=["good", "ended"]
)
async def test_the_command_ends_with_the_verdict(
    make_settings: MakeSettings, *, by_argument: bool, exp: int, code: int
) -> None:
    make_settings(better_auth_url=None)
    token = minted(exp=exp, email="ada@example.com")
    command = [
        sys.executable,
        "-m",
        "auth_gateway.cli.explain",
        *([token.decode()] if by_argument else []),
    ]

    process = await asyncio.create_subprocess_exec(
        *command, env=os.environ, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    shown, _ = await process.communicate(None if by_argument else token + b"\n")

    assert process.returncode == code
    assert b"Form:    D" in shown
    for hidden in (*token.split(b"."), SECRET.encode(), OLD_SECRET.encode(), b"ada@example.com"):
        assert hidden not in shown
    assert ISSUER.encode() not in shown
