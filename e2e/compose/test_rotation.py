"""Every secret and key is changed while requests run, as `docs/operating.md` says, and nobody is refused."""

from collections.abc import AsyncGenerator
from secrets import token_hex, token_urlsafe

import httpx
import pytest

from devkit.testing.auth_headers import token_headers
from e2e.support.compose_project import Composition
from e2e.support.load_generator import Load, load
from e2e.support.user_client import AsUser


@pytest.fixture
async def seen(as_user: AsUser) -> AsyncGenerator[Load]:
    """Let clients ask during the whole test, and require that each got what they asked for."""
    async with load(as_user) as clients:
        yield clients
    assert clients.answers.total() > len(clients.people)
    assert clients.refused == {}
    await clients.require_kept()


async def renew(composed_platform: Composition, *services: str) -> None:
    for service in services:
        await composed_platform.make("renew", f"s={service}")


async def status_of(composed_platform: Composition, token: dict[str, str]) -> int:
    async with httpx.AsyncClient(base_url=composed_platform.url, headers=token) as client:
        return (await client.get("/users/me")).status_code


@pytest.mark.usefixtures("seen")
async def test_the_passport_key(composed_platform: Composition) -> None:
    old = composed_platform.settings
    made = await composed_platform.compose(
        "exec", "-T", "auth-gateway", "python", "-m", "auth_gateway.cli.generate_passport_keys"
    )
    new = dict(line.split("=", 1) for line in made.split())

    both = f"{old['PASSPORT_PUBLIC_KEYS']},{new['PASSPORT_PUBLIC_KEYS']}"
    await composed_platform.set(PASSPORT_PUBLIC_KEYS=both)
    await renew(composed_platform, "tasks", "users")
    await composed_platform.set(PASSPORT_PRIVATE_KEY=new["PASSPORT_PRIVATE_KEY"])
    await renew(composed_platform, "auth-gateway")
    await composed_platform.set(PASSPORT_PUBLIC_KEYS=new["PASSPORT_PUBLIC_KEYS"])
    await renew(composed_platform, "tasks", "users")


@pytest.mark.usefixtures("seen")
async def test_the_secret_of_better_auth(
    composed_platform: Composition, better_auth_secret: str
) -> None:
    new = token_urlsafe(32)
    await composed_platform.set(BETTER_AUTH_SECRETS=f"2:{new},1:{better_auth_secret}")
    await renew(composed_platform, "auth-gateway", "better-auth")

    assert await status_of(composed_platform, token_headers(new, token_hex(8))) == 200
    assert (
        await status_of(composed_platform, token_headers(better_auth_secret, token_hex(8))) == 200
    )


@pytest.mark.usefixtures("seen")
async def test_the_password_of_a_database(composed_platform: Composition) -> None:
    password = token_urlsafe(32)
    second = f"""
        CREATE ROLE tasks_2 LOGIN PASSWORD '{password}' IN ROLE tasks; ALTER ROLE tasks_2 SET role = tasks;
        ALTER ROLE tasks_2 IN DATABASE tasks SET statement_timeout = '5s';
    """
    await composed_platform.compose(
        "exec", "-T", "postgres", "psql", "--username=postgres", stdin=second
    )

    await composed_platform.set(
        TASKS_DATABASE_URL=f"postgresql://tasks_2:{password}@postgres/tasks"
    )
    await renew(composed_platform, "tasks")
    nobody = "ALTER ROLE tasks NOLOGIN"
    await composed_platform.compose(
        "exec", "-T", "postgres", "psql", "--username=postgres", f"--command={nobody}"
    )
    await renew(composed_platform, "tasks")


@pytest.mark.usefixtures("seen")
async def test_the_keys_of_better_auth(composed_platform: Composition) -> None:
    async with httpx.AsyncClient(
        base_url=composed_platform.url, headers={"Origin": composed_platform.url}
    ) as ada:
        account = {
            "name": "Ada",
            "email": f"{token_hex(8)}@example.test",
            "password": token_hex(16),
        }
        (await ada.post("/api/auth/sign-up/email", json=account)).raise_for_status()
        before = (await ada.get("/api/auth/token")).json()["token"]
        aged = """UPDATE jwks SET "expiresAt" = now()"""
        database = ("--username=postgres", "--dbname=better_auth", f"--command={aged}")
        await composed_platform.compose("exec", "-T", "postgres", "psql", *database)
        after = (await ada.get("/api/auth/token")).json()["token"]

    assert before.split(".")[0] != after.split(".")[0]
    for token in (before, after):
        assert await status_of(composed_platform, {"Authorization": f"Bearer {token}"}) == 200
