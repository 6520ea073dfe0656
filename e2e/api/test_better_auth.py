"""What a real Better Auth server hands out, and which of it the gateway takes for a login."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import jwt
import pytest

from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.postgres import Postgres
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform, free_ports, start_service
from devkit.platform.tokens import mint_token, user_id_of
from e2e.support.better_auth import PUBLIC_URL, BetterAuth, start_better_auth
from e2e.support.entrypoint import GATEWAY_MODE, start_entrypoint

OLD_SECRET, NEW_SECRET = (
    "the secret of the year before this one",
    "the secret of the year that has just begun",
)
BOTH_SECRETS = f"2:{NEW_SECRET},1:{OLD_SECRET}"


@dataclass(frozen=True)
class Gateway:
    """A gateway as a client sees it."""

    client: httpx.AsyncClient

    async def user(self, token: str) -> str:
        """Return whom a token logs in."""
        response = await self.client.get("/users/me", headers=bearer(token))
        assert response.status_code == 200, response.text
        return str(response.json()["id"])

    async def refusal(self, token: str) -> str:
        """Return why a token logs nobody in; while nobody can know that, ask again when the gateway says so."""
        response = await self.client.get("/users/me", headers=bearer(token))
        for _ in range(5):
            if response.status_code != 503:
                break
            await asyncio.sleep(int(response.headers["Retry-After"]))
            response = await self.client.get("/users/me", headers=bearer(token))
        assert response.status_code == 401, response.text
        return str(response.json()["reason"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True)
class Stage:
    """Starts Better Auth servers, and gateways that believe them."""

    group: ProcessGroup
    clients: AsyncExitStack
    backing: Mapping[str, str]
    """What every gateway is told, whoever it believes."""

    async def better_auth(self, **environment: str) -> BetterAuth:
        """Start an issuer."""
        return await start_better_auth(self.group, self.clients, **environment)

    async def gateway(self, issuer: BetterAuth, **environment: str) -> Gateway:
        """Start a gateway that believes this issuer and has its secret; `environment` comes last."""
        believing = {"BETTER_AUTH_URL": PUBLIC_URL, "BETTER_AUTH_JWKS_URL": issuer.keys_url}
        settings = {**self.backing, **believing, "BETTER_AUTH_SECRET": issuer.secret, **environment}
        service = start_service(self.group, "gateway", settings | GATEWAY_MODE, *free_ports(1))
        entrypoint = start_entrypoint(self.group, service, settings)
        await entrypoint.wait_until_ready()
        return Gateway(
            await self.clients.enter_async_context(httpx.AsyncClient(base_url=entrypoint.url))
        )


@pytest.fixture
async def stage(tmp_path: Path, platform: Platform, keys: PassportKeys) -> AsyncGenerator[Stage]:
    services = {"TASKS_URL": platform.tasks.url, "USERS_URL": platform.users.url}
    backing = {"PASSPORT_PRIVATE_KEY": keys.private, "EXPLAIN_REFUSALS": "true"}
    async with ProcessGroup(tmp_path) as group, AsyncExitStack() as clients:
        yield Stage(group, clients, minimal_environment() | services | backing)


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "ES512", "PS256", "RS256"])
async def test_a_login_is_a_login_whatever_algorithm_signs_it(algorithm: str, stage: Stage) -> None:
    issuer = await stage.better_auth(JWT_ALG=algorithm)
    gateway, ada = await stage.gateway(issuer), await issuer.sign_up()
    token = await ada.fetch_token()

    assert jwt.get_unverified_header(token)["alg"] == algorithm
    assert await gateway.user(token) == str(user_id_of(ada.user_id))
    assert await gateway.user(await ada.fetch_session_jwt()) == str(user_id_of(ada.user_id))


async def test_an_id_that_is_a_uuid_stays_as_it_is(stage: Stage) -> None:
    issuer = await stage.better_auth(USER_IDS="uuid")
    gateway, ada = await stage.gateway(issuer), await issuer.sign_up()

    assert await gateway.user(await ada.fetch_token()) == ada.user_id


async def test_two_browsers_of_one_person_see_the_same_tasks(stage: Stage) -> None:
    issuer = await stage.better_auth()
    gateway, ada = await stage.gateway(issuer), await issuer.sign_up()
    phone, laptop = (
        bearer(await ada.fetch_token()),
        bearer(await (await issuer.sign_in(ada)).fetch_token()),
    )
    made = await gateway.client.post("/tasks", headers=phone, json={"title": "Water the plants"})
    seen = await gateway.client.get("/tasks", headers=laptop)

    assert made.status_code == 201, made.text
    assert [task["id"] for task in seen.json()] == [made.json()["id"]]


async def test_a_rotated_key_is_followed_and_the_old_one_goes_on_during_its_grace(
    stage: Stage,
) -> None:
    issuer = await stage.better_auth(KEY_ROTATION_SECONDS="1")
    gateway, ada, bob = await stage.gateway(issuer), await issuer.sign_up(), await issuer.sign_up()
    old, new = await bob.fetch_token(), await ada.fetch_token_of_next_key()

    assert await gateway.user(new) == str(user_id_of(ada.user_id))
    assert await gateway.user(old) == str(user_id_of(bob.user_id))


async def test_a_key_past_its_grace_opens_nothing(stage: Stage) -> None:
    """The next key lives long enough to be in the set that shows that the old one is gone."""
    issuer = await stage.better_auth(KEY_ROTATION_SECONDS="20", KEY_GRACE_SECONDS="1")
    gateway, ada = await stage.gateway(issuer), await issuer.sign_up()
    old = await ada.fetch_token()
    await issuer.wait_for_key_withdrawal(old)

    assert await gateway.user(await ada.fetch_token()) == str(user_id_of(ada.user_id))
    assert await gateway.refusal(old) == "unknown-key"


async def test_a_token_of_a_former_secret_opens_nothing_unless_that_is_still_named(
    stage: Stage,
) -> None:
    issuer = await stage.better_auth(BETTER_AUTH_SECRET=NEW_SECRET)
    old, new = mint_token(OLD_SECRET, "ada"), mint_token(NEW_SECRET, "ada")
    strict, patient = (
        await stage.gateway(issuer),
        await stage.gateway(issuer, BETTER_AUTH_SECRETS=BOTH_SECRETS),
    )

    assert (
        await strict.user(new)
        == await patient.user(new)
        == await patient.user(old)
        == str(user_id_of("ada"))
    )
    assert await strict.refusal(old) == "wrong-signature"


async def test_changing_the_secret_of_the_server_refuses_no_login(
    stage: Stage, postgres: Postgres
) -> None:
    database = await postgres.create_database("better-auth")
    before = await stage.better_auth(DATABASE_URL=database, BETTER_AUTH_SECRET=OLD_SECRET)
    ada = await before.sign_up()
    old = await ada.fetch_token()
    await before.process.stop()
    after = await stage.better_auth(
        DATABASE_URL=database, BETTER_AUTH_SECRET=OLD_SECRET, BETTER_AUTH_SECRETS=BOTH_SECRETS
    )
    gateway, new = await stage.gateway(after), await (await after.sign_in(ada)).fetch_token()

    assert await gateway.user(old) == await gateway.user(new) == str(user_id_of(ada.user_id))


async def test_links_in_mails_are_no_logins(stage: Stage) -> None:
    issuer = await stage.better_auth()
    gateway, ada = await stage.gateway(issuer), await issuer.sign_up()
    links = [issuer.mailed_token(ada.email)]
    await issuer.open_mail_link(ada, links[-1])
    await ada.change_email(f"new-{ada.email}")
    links.append(issuer.mailed_token(ada.email))
    await issuer.open_mail_link(ada, links[-1])
    links.append(issuer.mailed_token(f"new-{ada.email}"))

    asked_for = [jwt.decode(link, issuer.secret, ["HS256"]).get("requestType") for link in links]
    assert asked_for == [None, "change-email-confirmation", "change-email-verification"]
    assert [await gateway.refusal(link) for link in links] == [
        "no-subject",
        "mail-link",
        "mail-link",
    ]
    assert await gateway.user(await ada.fetch_token()) == str(user_id_of(ada.user_id))


async def test_session_tokens_are_no_logins(stage: Stage) -> None:
    issuer = await stage.better_auth()
    gateway, ada = await stage.gateway(issuer), await issuer.sign_up()

    for token in (ada.session_token, ada.signed_session_token, ada.cookie("session_token")):
        assert await gateway.refusal(token) == "not-a-jwt"
    gateway.client.cookies = ada.client.cookies
    assert (await gateway.client.get("/users/me")).json()["code"] == "token-missing"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("compact", "not-a-jwt"),
        ("jwe", "not-a-jwt"),
        ("jwt", "session-cookie"),
        ("jwks", "wrong-type"),
    ],
)
async def test_cached_sessions_are_no_logins(kind: str, reason: str, stage: Stage) -> None:
    issuer = await stage.better_auth(COOKIE_CACHE=kind)
    gateway, ada = await stage.gateway(issuer), await issuer.sign_up()

    assert await gateway.refusal(ada.cookie("session_data")) == reason
    assert await gateway.user(await ada.fetch_token()) == str(user_id_of(ada.user_id))
