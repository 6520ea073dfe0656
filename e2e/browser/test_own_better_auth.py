"""The code of `docs/front-ends/own-better-auth.md` works: an app that is the Better Auth server."""

import shutil
import signal
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex, token_urlsafe
from typing import Any

import httpx
import pytest
from playwright.async_api import Error, Page

from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.node import NODE, install_packages, installed_program, node_environment
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform, Service, free_ports, start_service
from devkit.platform.settings import CHECKOUT
from devkit.platform.tokens import user_id_of
from e2e.support.chromium import open_page, run_chromium
from e2e.support.entrypoint import GATEWAY_MODE, start_entrypoint
from e2e.support.guides import GUIDES, is_up, write_code

GUIDE = GUIDES / "own-better-auth.md"
SUPPORT = Path(__file__).parents[1] / "support" / "own_better_auth"
PASSWORD = "a good password"  # noqa: S105 - of users who live for one test

SIGN_UP = """async (user) => {
    await app.signOut();
    return app.authClient.signUp.email(user);
}"""


@dataclass
class App:
    """A running app with its own Better Auth server, and the platform that it uses."""

    page: Page
    platform_url: str
    gateway: Service

    async def sign_up(self) -> dict[str, Any]:
        """Create a user, who is then signed in; return the user as Better Auth shows it."""
        email = f"{token_hex(8)}@example.test"
        user = {"email": email, "password": PASSWORD, "name": "Ada"}
        result = await self.page.evaluate(SIGN_UP, user)
        return result["data"]["user"]


@pytest.fixture(scope="module")
async def app(
    tmp_path_factory: pytest.TempPathFactory, platform: Platform, keys: PassportKeys
) -> AsyncGenerator[App]:
    """Build the app from the code of the guide, and start it and a gateway that trusts it."""
    app_port, gateway_port = free_ports(2)
    app_url = f"http://localhost:{app_port}"
    environment = dict(minimal_environment()) | GATEWAY_MODE
    environment["TASKS_URL"] = platform.tasks.url
    environment["USERS_URL"] = platform.users.url
    environment["PASSPORT_PRIVATE_KEY"] = keys.private
    environment["BETTER_AUTH_URL"] = app_url
    environment["CORS_ORIGINS"] = app_url
    # In the checkout, so that the app finds the packages that are installed there.
    folder = CHECKOUT / "var" / f"own-better-auth-{token_hex(4)}"
    async with AsyncExitStack() as stack:
        logs = tmp_path_factory.mktemp("own-better-auth")
        group = await stack.enter_async_context(ProcessGroup(logs))
        gateway = start_service(group, "gateway", environment, gateway_port)
        entrypoint = start_entrypoint(group, gateway, environment)

        shutil.copytree(SUPPORT, folder)
        stack.callback(shutil.rmtree, folder)
        write_code(GUIDE, folder, entrypoint.url)
        await install_packages(group, CHECKOUT)
        node = node_environment()
        await group.run("vite", [NODE, installed_program("vite"), "build", folder], node)
        node["BETTER_AUTH_URL"] = app_url
        node["BETTER_AUTH_SECRET"] = token_urlsafe(32)
        node["PORT"] = str(app_port)
        server = group.start("app", [NODE, folder / "server.mjs"], node)
        await server.wait_until(lambda: is_up(app_url))
        # The gateway is ready when it has the app's keys.
        await entrypoint.wait_until_ready()

        browser = await stack.enter_async_context(run_chromium())
        page = await stack.enter_async_context(open_page(browser))
        await page.goto(app_url)
        yield App(page, entrypoint.url, gateway)


async def test_a_signed_in_user_keeps_tasks(app: App) -> None:
    user = await app.sign_up()

    task = await app.page.evaluate("() => app.client.tasks.create({title: 'Water the plants'})")
    profile = await app.page.evaluate("() => app.client.users.me()")

    assert task["title"] == "Water the plants"
    assert profile["auth_subject"] == user["id"]
    assert profile["id"] == task["user_id"] == str(user_id_of(user["id"]))
    assert profile["email"] == user["email"]


async def test_the_token_holds_no_more_than_the_platform_reads(app: App) -> None:
    await app.sign_up()

    claims = await app.page.evaluate(
        "async () => JSON.parse(atob((await app.client.tokens.get()).split('.')[1]"
        ".replaceAll('-', '+').replaceAll('_', '/')))"
    )

    assert set(claims) == {"iss", "aud", "iat", "exp", "sub", "email"}
    assert claims["exp"] - claims["iat"] == 15 * 60


async def test_after_sign_out_no_token_is_issued_but_the_old_one_is_good(app: App) -> None:
    await app.sign_up()
    token = await app.page.evaluate("() => app.client.tokens.get()")

    await app.page.evaluate("() => app.signOut()")

    with pytest.raises(Error, match="SignedOutError"):
        await app.page.evaluate("() => app.client.tokens.get()")
    assert await status_of_tasks(app, token) == 200


async def test_a_wrong_password_deletes_nothing(app: App) -> None:
    await app.sign_up()
    await app.page.evaluate("() => app.client.tasks.create({title: 'Water the plants'})")

    with pytest.raises(Error, match="Invalid password"):
        await app.page.evaluate("() => app.deleteAccount('not mine')")

    tasks = await app.page.evaluate("async () => (await app.client.tasks.list()).length")
    assert tasks == 1


async def test_an_account_is_deleted_on_both_sides(app: App) -> None:
    user = await app.sign_up()
    await app.page.evaluate("() => app.client.tasks.create({title: 'Water the plants'})")
    token = await app.page.evaluate("() => app.client.tokens.get()")

    await app.page.evaluate("(password) => app.deleteAccount(password)", PASSWORD)

    signed_in = await app.page.evaluate(
        "(user) => app.authClient.signIn.email(user)",
        {"email": user["email"], "password": PASSWORD},
    )
    assert signed_in["error"]["status"] == 401
    # A token that is still valid makes a new, empty profile with the e-mail address.
    profile = await get(app, token, "/users/me")
    assert profile.json()["email"] == user["email"]
    assert (await get(app, token, "/tasks")).json() == []


async def test_a_deletion_without_an_answer_of_the_platform_can_be_repeated(app: App) -> None:
    await app.sign_up()
    await app.page.evaluate("() => app.client.tasks.create({title: 'Water the plants'})")

    app.gateway.process.popen.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(Error, match="try again"):
            await app.page.evaluate("(password) => app.deleteAccount(password)", PASSWORD)
    finally:
        app.gateway.process.popen.send_signal(signal.SIGCONT)

    session = await app.page.evaluate("() => app.authClient.getSession()")
    assert session["data"]["user"]
    await app.page.evaluate("(password) => app.deleteAccount(password)", PASSWORD)
    session = await app.page.evaluate("() => app.authClient.getSession()")
    assert session["data"] is None


async def get(app: App, token: str, path: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=app.platform_url) as client:
        return await client.get(path, headers={"Authorization": f"Bearer {token}"})


async def status_of_tasks(app: App, token: str) -> int:
    return (await get(app, token, "/tasks")).status_code
