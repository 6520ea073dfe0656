"""Which tokens of a real Better Auth server authenticate a user."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe

import httpx
import jwt
import pytest

from devkit.platform.environment import minimal_environment
from devkit.platform.errors import CannotRunError
from devkit.platform.keys import PassportKeys
from devkit.platform.postgres import Postgres
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform, free_ports, start_service
from devkit.platform.tokens import mint_token, user_id_of
from e2e.support.better_auth import PUBLIC_URL, BetterAuth, start_better_auth
from e2e.support.entrypoint import GATEWAY_MODE, start_entrypoint

OLD_SECRET = token_urlsafe(32)
NEW_SECRET = token_urlsafe(32)
BOTH_SECRETS = f"2:{NEW_SECRET},1:{OLD_SECRET}"

ATTEMPTS = 6


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True)
class Gateway:
    """A client of a running gateway."""

    client: httpx.AsyncClient

    async def authenticated_id(self, token: str) -> str:
        """Return the id of the user that a token authenticates."""
        response = await self.client.get("/users/me", headers=bearer(token))
        assert response.status_code == 200, response.text
        return str(response.json()["id"])

    async def rejection_reason(self, token: str) -> str:
        """Return the reason why a token is invalid.

        While the gateway cannot decide, it responds with 503 and the time to wait.
        """
        for _ in range(ATTEMPTS):
            response = await self.client.get("/users/me", headers=bearer(token))
            if response.status_code != 503:
                assert response.status_code == 401, response.text
                return str(response.json()["reason"])
            await asyncio.sleep(int(response.headers["Retry-After"]))
        raise TimeoutError


@dataclass(frozen=True)
class BetterAuthTestbed:
    """Starts Better Auth servers, and gateways that accept their tokens."""

    group: ProcessGroup
    clients: AsyncExitStack
    environment: Mapping[str, str]
    """The settings that all gateways share."""

    async def start_better_auth(self, **environment: str) -> BetterAuth:
        """Start a Better Auth server."""
        return await start_better_auth(self.group, self.clients, **environment)

    async def start_gateway(self, better_auth: BetterAuth, **environment: str) -> Gateway:
        """Start a gateway that accepts the tokens of a server.

        Args:
            better_auth: The server, whose keys and secret the gateway uses.
            environment: Further settings; they take precedence.
        """
        settings = dict(self.environment)
        settings["BETTER_AUTH_URL"] = PUBLIC_URL
        settings["BETTER_AUTH_JWKS_URL"] = better_auth.keys_url
        settings["BETTER_AUTH_SECRET"] = better_auth.secret
        settings |= environment
        [port] = free_ports(1)
        service = start_service(self.group, "gateway", settings | GATEWAY_MODE, port)
        entrypoint = start_entrypoint(self.group, service, settings)
        await entrypoint.wait_until_ready()
        client = httpx.AsyncClient(base_url=entrypoint.url)
        return Gateway(await self.clients.enter_async_context(client))


@pytest.fixture
async def testbed(
    tmp_path: Path, platform: Platform, keys: PassportKeys
) -> AsyncGenerator[BetterAuthTestbed]:
    environment = dict(minimal_environment())
    environment["TASKS_URL"] = platform.tasks.url
    environment["USERS_URL"] = platform.users.url
    environment["PASSPORT_PRIVATE_KEY"] = keys.private
    environment["EXPLAIN_REFUSALS"] = "true"
    async with ProcessGroup(tmp_path) as group, AsyncExitStack() as clients:
        yield BetterAuthTestbed(group, clients, environment)


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "ES512", "PS256", "RS256"])
async def test_tokens_of_every_algorithm_are_valid(
    algorithm: str, testbed: BetterAuthTestbed
) -> None:
    better_auth = await testbed.start_better_auth(JWT_ALG=algorithm)
    gateway = await testbed.start_gateway(better_auth)
    ada = await better_auth.sign_up()
    ada_id = str(user_id_of(ada.user_id))
    token = await ada.fetch_token()

    assert jwt.get_unverified_header(token)["alg"] == algorithm
    assert await gateway.authenticated_id(token) == ada_id
    assert await gateway.authenticated_id(await ada.fetch_session_jwt()) == ada_id


async def test_an_id_that_is_a_uuid_is_the_users_id(testbed: BetterAuthTestbed) -> None:
    better_auth = await testbed.start_better_auth(USER_IDS="uuid")
    gateway = await testbed.start_gateway(better_auth)
    ada = await better_auth.sign_up()

    assert await gateway.authenticated_id(await ada.fetch_token()) == ada.user_id


async def test_two_browsers_of_one_user_see_the_same_tasks(testbed: BetterAuthTestbed) -> None:
    better_auth = await testbed.start_better_auth()
    gateway = await testbed.start_gateway(better_auth)
    phone = await better_auth.sign_up()
    laptop = await better_auth.sign_in(phone)
    phone_headers = bearer(await phone.fetch_token())
    laptop_headers = bearer(await laptop.fetch_token())

    body = {"title": "Water the plants"}
    created = await gateway.client.post("/tasks", headers=phone_headers, json=body)
    listed = await gateway.client.get("/tasks", headers=laptop_headers)

    assert created.status_code == 201, created.text
    assert [task["id"] for task in listed.json()] == [created.json()["id"]]


async def test_a_rotated_key_is_valid_and_the_old_one_during_its_grace_period(
    testbed: BetterAuthTestbed,
) -> None:
    better_auth = await testbed.start_better_auth(KEY_ROTATION_SECONDS="1")
    gateway = await testbed.start_gateway(better_auth)
    ada = await better_auth.sign_up()
    bob = await better_auth.sign_up()
    old_token = await bob.fetch_token()
    new_token = await ada.fetch_token_of_next_key()

    assert await gateway.authenticated_id(new_token) == str(user_id_of(ada.user_id))
    assert await gateway.authenticated_id(old_token) == str(user_id_of(bob.user_id))


async def test_a_key_after_its_grace_period_is_unknown(testbed: BetterAuthTestbed) -> None:
    """The next key lives long enough to be in the key set that shows that the old one is gone."""
    better_auth = await testbed.start_better_auth(KEY_ROTATION_SECONDS="20", KEY_GRACE_SECONDS="1")
    gateway = await testbed.start_gateway(better_auth)
    ada = await better_auth.sign_up()
    old_token = await ada.fetch_token()
    await better_auth.wait_for_key_withdrawal(old_token)

    new_token = await ada.fetch_token()
    assert await gateway.authenticated_id(new_token) == str(user_id_of(ada.user_id))
    assert await gateway.rejection_reason(old_token) == "unknown-key"


async def test_a_token_of_a_former_secret_is_valid_only_while_the_secret_is_configured(
    testbed: BetterAuthTestbed,
) -> None:
    better_auth = await testbed.start_better_auth(BETTER_AUTH_SECRET=NEW_SECRET)
    new_only = await testbed.start_gateway(better_auth)
    old_and_new = await testbed.start_gateway(better_auth, BETTER_AUTH_SECRETS=BOTH_SECRETS)
    old_token = mint_token(OLD_SECRET, "ada")
    new_token = mint_token(NEW_SECRET, "ada")
    ada_id = str(user_id_of("ada"))

    assert await new_only.authenticated_id(new_token) == ada_id
    assert await old_and_new.authenticated_id(new_token) == ada_id
    assert await old_and_new.authenticated_id(old_token) == ada_id
    assert await new_only.rejection_reason(old_token) == "wrong-signature"


async def test_rotating_the_servers_secret_invalidates_no_token(
    testbed: BetterAuthTestbed, postgres: Postgres
) -> None:
    database = await postgres.create_database("better-auth")
    old_server = await testbed.start_better_auth(
        DATABASE_URL=database, BETTER_AUTH_SECRET=OLD_SECRET
    )
    ada = await old_server.sign_up()
    old_token = await ada.fetch_token()
    await old_server.process.stop()
    new_server = await testbed.start_better_auth(
        DATABASE_URL=database, BETTER_AUTH_SECRET=OLD_SECRET, BETTER_AUTH_SECRETS=BOTH_SECRETS
    )
    gateway = await testbed.start_gateway(new_server)
    new_session = await new_server.sign_in(ada)
    new_token = await new_session.fetch_token()

    ada_id = str(user_id_of(ada.user_id))
    assert await gateway.authenticated_id(old_token) == ada_id
    assert await gateway.authenticated_id(new_token) == ada_id


async def test_links_in_mails_are_no_tokens(testbed: BetterAuthTestbed) -> None:
    better_auth = await testbed.start_better_auth()
    gateway = await testbed.start_gateway(better_auth)
    ada = await better_auth.sign_up()
    new_email = f"new-{ada.email}"

    verification = better_auth.mailed_token(ada.email)
    await better_auth.open_mail_link(ada, verification)
    await ada.change_email(new_email)
    change_confirmation = better_auth.mailed_token(ada.email)
    await better_auth.open_mail_link(ada, change_confirmation)
    change_verification = better_auth.mailed_token(new_email)

    def request_type(link_token: str) -> object:
        claims = jwt.decode(link_token, better_auth.secret, ["HS256"])
        return claims.get("requestType")

    assert request_type(verification) is None
    assert request_type(change_confirmation) == "change-email-confirmation"
    assert request_type(change_verification) == "change-email-verification"
    assert await gateway.rejection_reason(verification) == "no-subject"
    assert await gateway.rejection_reason(change_confirmation) == "mail-link"
    assert await gateway.rejection_reason(change_verification) == "mail-link"
    token = await ada.fetch_token()
    assert await gateway.authenticated_id(token) == str(user_id_of(ada.user_id))


async def test_session_tokens_are_no_tokens_of_the_api(testbed: BetterAuthTestbed) -> None:
    better_auth = await testbed.start_better_auth()
    gateway = await testbed.start_gateway(better_auth)
    ada = await better_auth.sign_up()

    for token in (ada.session_token, ada.signed_session_token, ada.cookie("session_token")):
        assert await gateway.rejection_reason(token) == "not-a-jwt"
    gateway.client.cookies = ada.client.cookies
    response = await gateway.client.get("/users/me")
    assert response.json()["code"] == "token-missing"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("compact", "not-a-jwt"),
        ("jwe", "not-a-jwt"),
        ("jwt", "session-cookie"),
        ("jwks", "wrong-type"),
    ],
)
async def test_cached_sessions_are_no_tokens_of_the_api(
    kind: str, reason: str, testbed: BetterAuthTestbed
) -> None:
    better_auth = await testbed.start_better_auth(COOKIE_CACHE=kind)
    gateway = await testbed.start_gateway(better_auth)
    ada = await better_auth.sign_up()

    assert await gateway.rejection_reason(ada.cookie("session_data")) == reason
    token = await ada.fetch_token()
    assert await gateway.authenticated_id(token) == str(user_id_of(ada.user_id))


async def test_a_token_lasts_as_long_as_configured(testbed: BetterAuthTestbed) -> None:
    default = await testbed.start_better_auth()
    lifetime = {"TOKEN_SECONDS": "3"}
    short = await testbed.start_better_auth(**lifetime)

    assert lifetime_seconds(await (await default.sign_up()).fetch_token()) == 900
    ada = await short.sign_up()
    assert lifetime_seconds(await ada.fetch_token()) == 3
    assert lifetime_seconds(await ada.fetch_session_jwt()) == 3


def lifetime_seconds(token: str) -> int:
    claims = jwt.decode(token, options={"verify_signature": False})
    return int(claims["exp"]) - int(claims["iat"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOKEN_SECONDS", "0"),
        ("TOKEN_SECONDS", "86401"),
        ("TOKEN_SECONDS", "15m"),
        ("TRUSTED_ORIGINS", "https://app.example.com/"),
        ("TRUSTED_ORIGINS", "https://*.example.com"),
        ("TRUSTED_ORIGINS", "app.example.com"),
    ],
)
async def test_a_wrong_setting_stops_the_start_and_is_named(
    testbed: BetterAuthTestbed, name: str, value: str
) -> None:
    with pytest.raises(CannotRunError) as caught:
        await testbed.start_better_auth(**{name: value})

    assert f"  {name}: must be" in str(caught.value)


async def test_a_token_outlives_the_session_until_it_expires(testbed: BetterAuthTestbed) -> None:
    better_auth = await testbed.start_better_auth()
    gateway = await testbed.start_gateway(better_auth)
    ada = await better_auth.sign_up()
    token = await ada.fetch_token()

    signed_out = await ada.client.post("/api/auth/sign-out", json={})

    assert signed_out.is_success
    assert (await ada.client.get("/api/auth/token")).status_code == 401
    assert await gateway.authenticated_id(token) == str(user_id_of(ada.user_id))


async def test_an_account_is_deleted_on_both_sides(testbed: BetterAuthTestbed) -> None:
    better_auth = await testbed.start_better_auth()
    gateway = await testbed.start_gateway(better_auth)
    ada = await better_auth.sign_up()
    token = await ada.fetch_token()
    headers = bearer(token)
    await gateway.client.post("/tasks", headers=headers, json={"title": "Water the plants"})

    erased = await gateway.client.delete("/users/me", headers=headers)
    wrong = await ada.client.post("/api/auth/delete-user", json={"password": "not mine"})
    deleted = await ada.client.post("/api/auth/delete-user", json={"password": ada.password})

    assert (erased.status_code, wrong.status_code, deleted.status_code) == (204, 400, 200)
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        await better_auth.sign_in(ada)
    # Until it expires the token is valid: whoever uses it gets a new, empty profile.
    assert await gateway.authenticated_id(token) == str(user_id_of(ada.user_id))
    assert (await gateway.client.get("/tasks", headers=headers)).json() == []


@pytest.mark.parametrize(("field", "length"), [("name", 800), ("image", 2000), ("email", 400)])
async def test_a_user_whose_token_would_be_too_long_is_refused(
    testbed: BetterAuthTestbed, field: str, length: int
) -> None:
    better_auth = await testbed.start_better_auth()
    user = {"name": "Ada", "email": "ada@example.test", "password": token_urlsafe(32)}
    text = user.get(field, "").rjust(length, "a")
    ada = await better_auth.sign_up()

    signed_up = await ada.client.post("/api/auth/sign-up/email", json=user | {field: text})

    assert signed_up.status_code == 400
    assert signed_up.json()["code"] == f"{field.upper()}_TOO_LONG"
    if field != "email":
        changed = await ada.client.post("/api/auth/update-user", json={field: text})
        assert changed.status_code == 400


async def test_the_token_of_the_longest_user_is_accepted(testbed: BetterAuthTestbed) -> None:
    better_auth = await testbed.start_better_auth()
    gateway = await testbed.start_gateway(better_auth)
    ada = await better_auth.sign_up()
    texts = {"name": "\N{OK HAND SIGN}" * 199, "image": "\N{EURO SIGN}" * 666}

    changed = await ada.client.post("/api/auth/update-user", json=texts)

    assert changed.is_success
    assert await gateway.authenticated_id(await ada.fetch_token()) == str(user_id_of(ada.user_id))
    assert (await ada.client.get("/api/auth/get-session")).is_success
