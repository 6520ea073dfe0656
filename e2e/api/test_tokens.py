"""Which tokens log somebody in. What a real Better Auth server hands out is in `test_better_auth.py`."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from secrets import token_hex

import httpx
import pytest

from e2e.support.contract import assert_problem

Members = dict[str, object]

HOUR_SECONDS = 3600


def segment(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def sign(secret: str, header: str, payload: str, digest: str = "sha256") -> str:
    """Sign what nobody's library would."""
    content = f"{segment(header.encode())}.{segment(payload.encode())}"
    return f"{content}.{segment(hmac.digest(secret.encode(), content.encode(), digest))}"


def header_of(**more: object) -> str:
    return json.dumps(
        {name: value for name, value in {"alg": "HS256", **more}.items() if value is not None}
    )


def claims_of(**more: object) -> str:
    now = int(time.time())
    claims = {"sub": f"ann-{token_hex(8)}", "iat": now, "exp": now + HOUR_SECONDS, **more}
    return json.dumps({name: value for name, value in claims.items() if value is not None})


@pytest.fixture
def token(better_auth_secret: str) -> str:
    return sign(better_auth_secret, header_of(), claims_of())


async def ask(client: httpx.AsyncClient, *values: str) -> httpx.Response:
    """Ask with `Authorization` headers of these values."""
    return await client.get("/users/me", headers=[("Authorization", value) for value in values])


@pytest.mark.parametrize(
    "claims", [{}, {"iat": None}, {"scope": "all", "azp": "app"}, {"email": "ann@example.com"}]
)
@pytest.mark.parametrize("header", [{}, {"typ": "JWT"}, {"typ": "jwt"}, {"kid": "1"}])
async def test_a_token_that_the_secret_signed_is_a_login(
    anonymous: httpx.AsyncClient, better_auth_secret: str, header: Members, claims: Members
) -> None:
    token = sign(better_auth_secret, header_of(**header), claims_of(**claims))

    assert (await ask(anonymous, f"Bearer {token}")).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"exp": None}, id="without an end"),
        pytest.param({"exp": "2100000000"}, id="its end is text"),
        pytest.param({"exp": True}, id="its end is a truth value"),
        pytest.param({"exp": 10**12}, id="its end is in milliseconds"),
        pytest.param({"iat": 10**11}, id="from the future"),
        pytest.param({"nbf": 10**11}, id="not good yet"),
        pytest.param({"sub": None}, id="without a subject"),
        pytest.param({"sub": ""}, id="its subject is empty"),
        pytest.param({"sub": 7}, id="its subject is a number"),
        pytest.param({"sub": "ann smith"}, id="its subject has a space"),
        pytest.param({"sub": "x" * 256}, id="its subject is too long"),
        pytest.param(
            {"sub": None, "userId": "ann", "user_id": "ann", "id": "ann"},
            id="its subject has other names",
        ),
        pytest.param({"iss": "https://evil.example"}, id="from somebody else"),
        pytest.param({"aud": "https://evil.example"}, id="for somebody else"),
        pytest.param({"aud": ["https://evil.example"]}, id="for several others"),
        pytest.param({"sub": None, "email": "ann@example.com"}, id="a link in a mail"),
        pytest.param({"sub": "verify-email", "iss": "better-auth"}, id="a link in an old mail"),
        pytest.param({"sub": "verify-email"}, id="a link in a mail of nobody"),
        pytest.param({"updateTo": "eve@example.com"}, id="a link that changes an address"),
        pytest.param(
            {"requestType": "change-email-verification"}, id="a link that asks for something"
        ),
        pytest.param({"session": {"userId": "ann"}, "user": {"id": "ann"}}, id="a cached session"),
    ],
)
async def test_a_token_with_such_claims_is_no_login(
    anonymous: httpx.AsyncClient, better_auth_secret: str, claims: Members
) -> None:
    token = sign(better_auth_secret, header_of(), claims_of(**claims))

    assert_problem(await ask(anonymous, f"Bearer {token}"), 401, "token-invalid")


@pytest.mark.parametrize(
    "header",
    [
        {"alg": None},
        {"alg": "none"},
        {"alg": "hs256"},
        {"alg": "HS384"},
        {"alg": "EdDSA"},
        {"typ": "at+jwt"},
        {"typ": "passport+jwt"},
        {"crit": ["exp"]},
        {"b64": False},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"jku": "https://evil.example/keys"},
        {"jwk": {"kty": "oct", "k": "AA"}},
    ],
)
async def test_a_token_with_such_a_header_is_no_login(
    anonymous: httpx.AsyncClient, better_auth_secret: str, header: Members
) -> None:
    token = sign(better_auth_secret, header_of(**header), claims_of())

    assert_problem(await ask(anonymous, f"Bearer {token}"), 401, "token-invalid")


async def test_a_token_that_has_ended_says_so(
    anonymous: httpx.AsyncClient, better_auth_secret: str
) -> None:
    token = sign(better_auth_secret, header_of(), claims_of(exp=int(time.time()) - HOUR_SECONDS))

    assert_problem(await ask(anonymous, f"Bearer {token}"), 401, "token-expired")


@pytest.mark.parametrize("form", ["bearer {}", "BEARER {}", "bEaReR {}"])
async def test_the_scheme_may_be_written_in_any_case(
    anonymous: httpx.AsyncClient, token: str, form: str
) -> None:
    assert (await ask(anonymous, form.format(token))).status_code == 200


SCHEMES = ["{}", "Basic {}", "Token {}", "Bearer", "Bearer  {}", "Bearer: {}"]
TOKENS = [
    "Bearer {}.",
    "Bearer {}=",
    "Bearer {}.x.x",
    "Bearer x.{}",
    "Bearer x",
    "Bearer ..",
    "Bearer a.b.c",
]
SEVERAL = ["Bearer {} {}", "Bearer {}, Bearer {}", "Bearer {},{}"]


@pytest.mark.parametrize("form", [*SCHEMES, *TOKENS, *SEVERAL, 'Bearer "{}"'])
async def test_a_header_of_another_form_is_no_login(
    anonymous: httpx.AsyncClient, token: str, form: str
) -> None:
    assert_problem(await ask(anonymous, form.format(token, token)), 401)


async def test_two_headers_are_no_login(anonymous: httpx.AsyncClient, token: str) -> None:
    assert_problem(await ask(anonymous, f"Bearer {token}", f"Bearer {token}"), 401, "token-invalid")


async def test_a_token_of_more_than_8_kib_is_no_login(
    anonymous: httpx.AsyncClient, better_auth_secret: str
) -> None:
    fits = sign(better_auth_secret, header_of(), claims_of(more="x" * 5_500))
    long = sign(better_auth_secret, header_of(), claims_of(more="x" * 6_500))

    assert len(fits) < 8_192 < len(long)
    assert (await ask(anonymous, f"Bearer {fits}")).status_code == 200
    assert_problem(await ask(anonymous, f"Bearer {long}"), 401, "token-invalid")


@pytest.mark.parametrize("at", range(3))
async def test_a_token_that_was_changed_anywhere_is_no_login(
    anonymous: httpx.AsyncClient, token: str, at: int
) -> None:
    segments = token.split(".")
    segments[at] = ("B" if segments[at][0] == "A" else "A") + segments[at][1:]

    assert_problem(await ask(anonymous, f"Bearer {'.'.join(segments)}"), 401, "token-invalid")


async def test_a_token_is_looked_for_in_its_header_alone(
    anonymous: httpx.AsyncClient, token: str
) -> None:
    places = [
        await anonymous.get("/tasks", params={"access_token": token}),
        await anonymous.get(
            "/tasks", headers={"Cookie": f"better-auth.session_token={token}; token={token}"}
        ),
        await anonymous.get("/tasks", headers={"X-Authorization": f"Bearer {token}"}),
        await anonymous.post("/tasks", data={"access_token": token}),
    ]

    for response in places:
        assert_problem(response, 401, "token-missing")
