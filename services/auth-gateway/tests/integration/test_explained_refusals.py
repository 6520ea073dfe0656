"""In development, a refused token is explained: the setting to change stands in the response."""

import time
from typing import cast

import httpx
import pytest
from fastapi import FastAPI

from auth_gateway.main import create_app
from auth_gateway.settings import GatewaySettings

from ..support.helpers import MakeSettings
from ..support.key_server import KeyServer
from ..support.token_factory import EDDSA, HS256, Signer, login_with, minted, with_changes

SOON = int(time.time()) + 3600


def current_login(signer: Signer = EDDSA, /, **changes: object) -> bytes:
    return login_with(with_changes({"iat": SOON - 3600, "exp": SOON}, changes), signer)


async def refuse(settings: GatewaySettings, token: bytes) -> dict[str, object]:
    """Send a request with a token to a gateway, and return the problem document."""
    gateway = create_app(settings)
    # Around the application is the middleware for CORS.
    service = cast("FastAPI", getattr(gateway, "app", gateway))
    async with (
        service.router.lifespan_context(service),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(gateway), base_url="http://gateway"
        ) as client,
    ):
        headers = {"Authorization": f"Bearer {token.decode()}"} if token else {}
        response = await client.get("/tasks", headers=headers)
    assert response.status_code in {401, 503}
    return response.json()


@pytest.mark.parametrize(
    ("token", "changes", "hint"),
    [
        (current_login(), {"better_auth_url": None}, "Set BETTER_AUTH_URL."),
        (minted(exp=SOON), {"better_auth_secrets": None}, "Set BETTER_AUTH_SECRET "),
        (minted(Signer("HS256", b"x" * 32), exp=SOON), {}, "Set BETTER_AUTH_SECRET "),
        (minted(exp=SOON, iss="https://elsewhere.example.com"), {}, "BETTER_AUTH_ISSUERS"),
        (current_login(iss="https://elsewhere.example.com"), {}, "BETTER_AUTH_ISSUERS"),
        (current_login(aud="another-app"), {}, "BETTER_AUTH_AUDIENCES"),
        (current_login(exp=1), {}, "Request a new token"),
        (HS256.token({"exp": SOON, "email": "ada@example.com"}), {}, "`sub`"),
        (b"opaque", {}, "/api/auth/token"),
        (b"", {}, "make token"),
    ],
)
async def test_a_401_names_what_to_change(
    make_settings: MakeSettings,
    key_server: KeyServer,
    token: bytes,
    changes: dict[str, str | None],
    hint: str,
) -> None:
    environment: dict[str, str | None] = {"better_auth_jwks_url": key_server.url} | changes
    if "better_auth_url" in changes:
        environment["better_auth_jwks_url"] = None
    explained = await refuse(make_settings(**environment, explain_refusals="true"), token)
    in_production = await refuse(make_settings(**environment), token)

    assert explained["status"] == 401
    assert hint in str(explained["hint"])
    assert "example.com" not in str(explained["hint"])
    del explained["hint"], explained["reason"], explained["request_id"]
    del in_production["request_id"]
    assert explained == in_production


async def test_keys_that_cannot_be_fetched_name_the_setting_with_their_url(
    make_settings: MakeSettings,
) -> None:
    async with KeyServer().running() as stopped_server:
        url = stopped_server.url
    settings = make_settings(better_auth_jwks_url=url, explain_refusals="true")

    problem = await refuse(settings, current_login())

    assert (problem["status"], problem["code"]) == (503, "keys-unavailable")
    assert "BETTER_AUTH_JWKS_URL" in str(problem["hint"])
    assert url not in str(problem["hint"])
