"""Which tokens authenticate a user; `test_better_auth.py` has the tokens of a real server."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from secrets import token_hex
from typing import Final

import httpx
import pytest

from e2e.support.contract import assert_problem

Members = dict[str, object]
"""Members of the header or the claims of a token; None removes one."""

HOUR_SECONDS: Final = 3600


def encode_segment(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def sign(secret: str, header: str, payload: str) -> str:
    """Return a token with HMAC-SHA-256, also for headers and claims that libraries reject."""
    content = f"{encode_segment(header.encode())}.{encode_segment(payload.encode())}"
    signature = hmac.digest(secret.encode(), content.encode(), "sha256")
    return f"{content}.{encode_segment(signature)}"


def without_none(members: Members) -> Members:
    return {name: value for name, value in members.items() if value is not None}


def build_token(
    secret: str, *, header: Members | None = None, claims: Members | None = None
) -> str:
    """Return a signed token for a new user.

    Args:
        secret: The secret that signs it.
        header: Members of the header that differ from a valid token; None removes one.
        claims: Claims that differ from a valid token; None removes one.
    """
    now = int(time.time())
    valid_claims: Members = {
        "sub": f"ann-{token_hex(8)}",
        "iat": now,
        "exp": now + HOUR_SECONDS,
    }
    token_header = without_none({"alg": "HS256"} | (header or {}))
    token_claims = without_none(valid_claims | (claims or {}))
    return sign(secret, json.dumps(token_header), json.dumps(token_claims))


@pytest.fixture
def token(better_auth_secret: str) -> str:
    return build_token(better_auth_secret)


async def get_profile(client: httpx.AsyncClient, *authorization: str) -> httpx.Response:
    """Request the profile with these `Authorization` headers."""
    headers = [("Authorization", value) for value in authorization]
    return await client.get("/users/me", headers=headers)


@pytest.mark.parametrize(
    "claims", [{}, {"iat": None}, {"scope": "all", "azp": "app"}, {"email": "ann@example.com"}]
)
@pytest.mark.parametrize("header", [{}, {"typ": "JWT"}, {"typ": "jwt"}, {"kid": "1"}])
async def test_a_token_that_the_secret_signed_is_valid(
    anonymous: httpx.AsyncClient, better_auth_secret: str, header: Members, claims: Members
) -> None:
    token = build_token(better_auth_secret, header=header, claims=claims)

    response = await get_profile(anonymous, f"Bearer {token}")

    assert response.status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"exp": None}, id="no expiry"),
        pytest.param({"exp": "2100000000"}, id="the expiry is text"),
        pytest.param({"exp": True}, id="the expiry is a boolean"),
        pytest.param({"exp": 10**12}, id="the expiry is in milliseconds"),
        pytest.param({"iat": 10**11}, id="from the future"),
        pytest.param({"nbf": 10**11}, id="not valid yet"),
        pytest.param({"sub": None}, id="no subject"),
        pytest.param({"sub": ""}, id="the subject is empty"),
        pytest.param({"sub": 7}, id="the subject is a number"),
        pytest.param({"sub": "ann smith"}, id="the subject has a space"),
        pytest.param({"sub": "x" * 256}, id="the subject is too long"),
        pytest.param(
            {"sub": None, "userId": "ann", "user_id": "ann", "id": "ann"},
            id="the subject has other names",
        ),
        pytest.param({"iss": "https://evil.example"}, id="another issuer"),
        pytest.param({"aud": "https://evil.example"}, id="another audience"),
        pytest.param({"aud": ["https://evil.example"]}, id="several other audiences"),
        pytest.param({"sub": None, "email": "ann@example.com"}, id="a mail link"),
        pytest.param({"sub": "verify-email", "iss": "better-auth"}, id="an old mail link"),
        pytest.param({"sub": "verify-email"}, id="a mail link without an issuer"),
        pytest.param({"updateTo": "eve@example.com"}, id="a link that changes the e-mail address"),
        pytest.param(
            {"requestType": "change-email-verification"}, id="a link that requests a change"
        ),
        pytest.param({"session": {"userId": "ann"}, "user": {"id": "ann"}}, id="a cached session"),
    ],
)
async def test_a_token_with_such_claims_is_invalid(
    anonymous: httpx.AsyncClient, better_auth_secret: str, claims: Members
) -> None:
    token = build_token(better_auth_secret, claims=claims)

    response = await get_profile(anonymous, f"Bearer {token}")

    assert_problem(response, 401, "token-invalid")


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
async def test_a_token_with_such_a_header_is_invalid(
    anonymous: httpx.AsyncClient, better_auth_secret: str, header: Members
) -> None:
    token = build_token(better_auth_secret, header=header)

    response = await get_profile(anonymous, f"Bearer {token}")

    assert_problem(response, 401, "token-invalid")


async def test_an_expired_token_has_its_own_code(
    anonymous: httpx.AsyncClient, better_auth_secret: str
) -> None:
    an_hour_ago = int(time.time()) - HOUR_SECONDS
    token = build_token(better_auth_secret, claims={"exp": an_hour_ago})

    response = await get_profile(anonymous, f"Bearer {token}")

    assert_problem(response, 401, "token-expired")


@pytest.mark.parametrize("template", ["bearer {}", "BEARER {}", "bEaReR {}"])
async def test_the_case_of_the_scheme_does_not_matter(
    anonymous: httpx.AsyncClient, token: str, template: str
) -> None:
    response = await get_profile(anonymous, template.format(token))

    assert response.status_code == 200


MALFORMED_HEADERS: Final = [
    "{}",
    "Basic {}",
    "Token {}",
    "Bearer",
    "Bearer  {}",
    "Bearer: {}",
    "Bearer {}.",
    "Bearer {}=",
    "Bearer {}.x.x",
    "Bearer x.{}",
    "Bearer x",
    "Bearer ..",
    "Bearer a.b.c",
    "Bearer {} {}",
    "Bearer {}, Bearer {}",
    "Bearer {},{}",
    'Bearer "{}"',
]
"""Headers of another form, with `{}` in the place of a valid token."""


@pytest.mark.parametrize("template", MALFORMED_HEADERS)
async def test_a_malformed_header_is_invalid(
    anonymous: httpx.AsyncClient, token: str, template: str
) -> None:
    response = await get_profile(anonymous, template.replace("{}", token))

    assert_problem(response, 401)


async def test_two_headers_are_invalid(anonymous: httpx.AsyncClient, token: str) -> None:
    response = await get_profile(anonymous, f"Bearer {token}", f"Bearer {token}")

    assert_problem(response, 401, "token-invalid")


async def test_a_token_of_more_than_8_kib_is_invalid(
    anonymous: httpx.AsyncClient, better_auth_secret: str
) -> None:
    short_token = build_token(better_auth_secret, claims={"more": "x" * 5_500})
    long_token = build_token(better_auth_secret, claims={"more": "x" * 6_500})
    assert len(short_token) < 8_192 < len(long_token)

    accepted = await get_profile(anonymous, f"Bearer {short_token}")
    rejected = await get_profile(anonymous, f"Bearer {long_token}")

    assert accepted.status_code == 200
    assert_problem(rejected, 401, "token-invalid")


@pytest.mark.parametrize("index", range(3))
async def test_a_token_with_a_changed_segment_is_invalid(
    anonymous: httpx.AsyncClient, token: str, index: int
) -> None:
    segments = token.split(".")
    first_letter = "A"
    if segments[index].startswith("A"):
        first_letter = "B"
    segments[index] = first_letter + segments[index][1:]

    response = await get_profile(anonymous, f"Bearer {'.'.join(segments)}")

    assert_problem(response, 401, "token-invalid")


async def test_a_token_outside_its_header_is_ignored(
    anonymous: httpx.AsyncClient, token: str
) -> None:
    cookies = {"Cookie": f"better-auth.session_token={token}; token={token}"}
    responses = [
        await anonymous.get("/tasks", params={"access_token": token}),
        await anonymous.get("/tasks", headers=cookies),
        await anonymous.get("/tasks", headers={"X-Authorization": f"Bearer {token}"}),
        await anonymous.post("/tasks", data={"access_token": token}),
    ]

    for response in responses:
        assert_problem(response, 401, "token-missing")
