"""Every secret and key is rotated as `docs/operating.md` describes, and no request fails."""

from collections.abc import AsyncGenerator
from secrets import token_hex, token_urlsafe

import httpx
import pytest

from devkit.testing.auth_headers import token_headers
from devkit.testing.password_rotation import rotation_statements
from e2e.support.compose_project import ComposeProject
from e2e.support.load_generator import run_load
from e2e.support.user_client import UserClientFactory


@pytest.fixture
async def _load(as_user: UserClientFactory) -> AsyncGenerator[None]:
    """Send requests during the whole test, and check that none has failed."""
    async with run_load(as_user) as report:
        yield
    assert report.outcomes.total() > len(report.users)
    assert report.failures == {}
    await report.assert_created_tasks_exist()


async def renew(compose_project: ComposeProject, *services: str) -> None:
    for service in services:
        await compose_project.make("renew", f"s={service}")


async def profile_status(compose_project: ComposeProject, headers: dict[str, str]) -> int:
    """Request a profile with these headers, and return the status of the response."""
    async with httpx.AsyncClient(base_url=compose_project.url, headers=headers) as client:
        response = await client.get("/users/me")
        return response.status_code


@pytest.mark.usefixtures("_load")
async def test_the_passport_key(compose_project: ComposeProject) -> None:
    old_settings = compose_project.settings
    output = await compose_project.compose(
        "exec", "-T", "auth-gateway", "python", "-m", "auth_gateway.cli.generate_passport_keys"
    )
    new_settings = dict(line.split("=", 1) for line in output.split())
    new_public_keys = new_settings["PASSPORT_PUBLIC_KEYS"]
    both_public_keys = f"{old_settings['PASSPORT_PUBLIC_KEYS']},{new_public_keys}"

    await compose_project.update_settings(PASSPORT_PUBLIC_KEYS=both_public_keys)
    await renew(compose_project, "tasks", "users")
    await compose_project.update_settings(PASSPORT_PRIVATE_KEY=new_settings["PASSPORT_PRIVATE_KEY"])
    await renew(compose_project, "auth-gateway")
    await compose_project.update_settings(PASSPORT_PUBLIC_KEYS=new_public_keys)
    await renew(compose_project, "tasks", "users")


@pytest.mark.usefixtures("_load")
async def test_the_secret_of_better_auth(
    compose_project: ComposeProject, better_auth_secret: str
) -> None:
    new_secret = token_urlsafe(32)
    both_secrets = f"2:{new_secret},1:{better_auth_secret}"
    await compose_project.update_settings(BETTER_AUTH_SECRETS=both_secrets)
    await renew(compose_project, "auth-gateway", "better-auth")

    for secret in (new_secret, better_auth_secret):
        headers = token_headers(secret, token_hex(8))
        assert await profile_status(compose_project, headers) == 200


@pytest.mark.usefixtures("_load")
async def test_the_password_of_a_database(compose_project: ComposeProject) -> None:
    password = token_urlsafe(32)
    *create_second_role, end_first_role = rotation_statements("tasks", password)
    await compose_project.psql(stdin=";".join(create_second_role))

    url = f"postgresql://tasks_2:{password}@postgres/tasks"
    await compose_project.update_settings(TASKS_DATABASE_URL=url)
    await renew(compose_project, "tasks")
    await compose_project.psql(f"--command={end_first_role}")
    await renew(compose_project, "tasks")


@pytest.mark.usefixtures("_load")
async def test_the_keys_of_better_auth(compose_project: ComposeProject) -> None:
    account = {
        "name": "Ada",
        "email": f"{token_hex(8)}@example.test",
        "password": token_hex(16),
    }
    origin = {"Origin": compose_project.url}
    async with httpx.AsyncClient(base_url=compose_project.url, headers=origin) as ada:
        signed_up = await ada.post("/api/auth/sign-up/email", json=account)
        signed_up.raise_for_status()
        old_token = (await ada.get("/api/auth/token")).json()["token"]
        expire_keys = """UPDATE jwks SET "expiresAt" = now()"""
        await compose_project.psql("--dbname=better_auth", f"--command={expire_keys}")
        new_token = (await ada.get("/api/auth/token")).json()["token"]

    old_header = old_token.split(".")[0]
    new_header = new_token.split(".")[0]
    assert old_header != new_header
    for token in (old_token, new_token):
        headers = {"Authorization": f"Bearer {token}"}
        assert await profile_status(compose_project, headers) == 200
