"""The code of the guides in `docs/front-ends` works: each app stores a task of a new user.

`test_own_better_auth.py` has the guide for an app that is the Better Auth server.
"""

import asyncio
import re
import shutil
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex, token_urlsafe
from typing import Final

import httpx
import pytest
from playwright.async_api import Browser, Dialog, Page, Route, expect

from devkit.cli.client import build_client
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys
from devkit.platform.node import NODE, installed_program, node_environment
from devkit.platform.processes import POLL_SECONDS, ProcessGroup
from devkit.platform.services import HOST, Platform, free_ports, local_url, start_service
from e2e.support.chromium import TIMEOUT_SECONDS, open_page, record_page_errors, run_chromium
from e2e.support.guides import GUIDES, code_blocks, install_packages_of, is_up, write_code
from e2e.support.sign_in_platform import SignInTestbed

NEXT_APP = Path(__file__).parents[1] / "support" / "next_app"
"""What `create-next-app` makes, and the guide does not repeat."""

LINES_MAX = 60

PLATFORM_PATHS: Final = re.compile(r"//[^/]+/(api/auth|tasks|lists|labels|users)(/|\?|$)")
"""What the apps of the guides request from the platform."""


@pytest.mark.parametrize("guide", sorted(GUIDES.glob("*.md")), ids=lambda guide: guide.stem)
def test_a_guide_has_at_most_60_lines_of_code(guide: Path) -> None:
    lines = [line for code in code_blocks(guide).values() for line in code.splitlines()]

    assert len([line for line in lines if line.strip()]) <= LINES_MAX


def test_the_list_of_guides_names_each() -> None:
    listed = (GUIDES / "README.md").read_text()
    for guide in GUIDES.glob("*.md"):
        assert guide.name == "README.md" or f"({guide.name})" in listed


@pytest.fixture(scope="module")
async def stack() -> AsyncGenerator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
async def group(stack: AsyncExitStack, tmp_path_factory: pytest.TempPathFactory) -> ProcessGroup:
    return await stack.enter_async_context(ProcessGroup(tmp_path_factory.mktemp("guides")))


@pytest.fixture(scope="module")
async def browser(stack: AsyncExitStack) -> Browser:
    return await stack.enter_async_context(run_chromium())


@pytest.fixture
async def page(browser: Browser) -> AsyncGenerator[Page]:
    async with open_page(browser) as page:
        yield page


@pytest.fixture(scope="module")
async def client_archive() -> Path:
    return await build_client()


@pytest.fixture(scope="module")
def testbed(
    group: ProcessGroup, stack: AsyncExitStack, platform: Platform, keys: PassportKeys
) -> SignInTestbed:
    return SignInTestbed(group, stack, platform, keys)


@dataclass(frozen=True)
class Account:
    """A new user."""

    email: str = field(default_factory=lambda: f"{token_hex(8)}@example.test")
    password: str = field(default_factory=lambda: token_hex(16))


async def sign_up_and_add_a_task(
    page: Page, app_url: str, platform_url: str, account: Account | None = None
) -> str:
    """Do what a new user does, look for the task at the platform, and return its title."""
    title = f"Water the plants {token_hex(4)}"
    await page.goto(app_url)
    await fill_in_credentials(page, account or Account())
    async with page.expect_response("**/api/auth/sign-up/email") as signed_up:
        await page.get_by_role("button", name="Sign up").click()
    assert (await signed_up.value).ok
    new_task = page.get_by_label("New task")
    await expect(new_task).to_be_visible()
    await new_task.fill(title)
    await new_task.press("Enter")
    await expect(page.get_by_text(title)).to_be_visible()
    token = await page.evaluate("async () => (await (await fetch('/api/auth/token')).json()).token")
    await wait_for_titles(platform_url, token, [title])
    return title


async def fill_in_credentials(page: Page, account: Account) -> None:
    """Fill in the form of a guide's app."""
    await page.get_by_label("E-mail").fill(account.email)
    await page.get_by_label("Password").fill(account.password)


async def wait_for_titles(platform_url: str, token: str, titles: list[str]) -> None:
    """Wait until the user has exactly these tasks: the local copy sends them in the background."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        asyncio.timeout(TIMEOUT_SECONDS),
        httpx.AsyncClient(base_url=platform_url, headers=headers) as client,
    ):
        while True:
            response = await client.get("/tasks")
            if [task["title"] for task in response.raise_for_status().json()] == titles:
                return
            await asyncio.sleep(POLL_SECONDS)


async def test_plain_fetch_stores_a_task(
    page: Page, testbed: SignInTestbed, tmp_path: Path
) -> None:
    guide = GUIDES / "plain-fetch.md"
    write_code(guide, tmp_path, platform_url="")
    platform = await testbed.start(app_folder=tmp_path)
    errors = record_page_errors(page, [platform.url])

    await sign_up_and_add_a_task(page, platform.url, platform.url)

    assert errors == []


@dataclass(frozen=True)
class ViteApp:
    """The app of the guide for Vite, by the ways in which it can be opened."""

    urls: dict[str, str]
    platform_url: str
    logs: list[Path]


@pytest.fixture(scope="module")
async def vite_app(
    testbed: SignInTestbed, client_archive: Path, tmp_path_factory: pytest.TempPathFactory
) -> ViteApp:
    """Build the app and start its development server."""
    guide = GUIDES / "vite.md"
    folder = tmp_path_factory.mktemp("vite")
    group = testbed.group
    await install_packages_of(group, guide, folder, client_archive)
    vite = [NODE, installed_program("vite", folder)]
    write_code(guide, folder, platform_url="")
    await group.run("vite-build", [*vite, "build", folder], node_environment())
    platform = await testbed.start(app_folder=folder / "dist")
    write_code(guide, folder, platform.url)
    [port] = free_ports(1)
    development_url = local_url(port)
    command = [*vite, folder, "--host", HOST, "--port", str(port), "--strictPort"]
    server = group.start("vite", command, node_environment())
    await server.wait_until(lambda: is_up(development_url))
    urls = {"development": development_url, "built": platform.url}
    return ViteApp(urls, platform.url, [group.log_file(name) for name in ("vite-build", "vite")])


BOTH_WAYS: Final = pytest.mark.parametrize("way", ["development", "built"])


@BOTH_WAYS
async def test_vite_stores_a_task_without_an_error_or_warning(
    page: Page, vite_app: ViteApp, way: str
) -> None:
    app_url = vite_app.urls[way]
    errors = record_page_errors(page, [app_url, app_url.replace("http", "ws")])

    await sign_up_and_add_a_task(page, app_url, vite_app.platform_url)

    assert errors == []
    for log in vite_app.logs:
        output = log.read_text().casefold()
        for sign in ("warn", "(!)", "error", "module_level_directive"):
            assert sign not in output, output


async def cut_off_from_the_platform(page: Page) -> None:
    """Let every request to the platform fail, and none for the page itself."""

    async def abort(route: Route) -> None:
        await route.abort()

    await page.route(PLATFORM_PATHS, abort)


async def accept_dialog(dialog: Dialog) -> None:
    """Say yes."""
    await dialog.accept()


@BOTH_WAYS
async def test_vite_shows_the_local_copy_while_the_platform_is_away_until_a_sign_out(
    page: Page, vite_app: ViteApp, way: str
) -> None:
    app_url = vite_app.urls[way]
    title = await sign_up_and_add_a_task(page, app_url, vite_app.platform_url)
    await cut_off_from_the_platform(page)
    await page.reload()

    await expect(page.get_by_text(title)).to_be_visible()
    await expect(page.get_by_label("E-mail")).to_have_count(0)
    await page.get_by_label("New task").fill("Feed the cat")
    await page.get_by_label("New task").press("Enter")
    await page.unroute(PLATFORM_PATHS)
    async with page.expect_response(lambda response: response.request.method == "PUT"):
        await page.reload()
    await expect(page.get_by_text("Feed the cat")).to_be_visible()

    # The page asks if its second request is still under way.
    page.on("dialog", accept_dialog)
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("E-mail")).to_be_visible()
    databases = "indexedDB.databases().then((databases) => databases.length)"
    await page.wait_for_function(f"{databases}.then((count) => count === 0)")
    assert await page.evaluate("localStorage.getItem('task-platform.user')") is None
    await cut_off_from_the_platform(page)
    await page.reload()
    await expect(page.get_by_label("E-mail")).to_be_visible()
    await expect(page.get_by_text(title)).to_have_count(0)


async def test_vite_signs_in_on_a_second_device_and_keeps_a_refused_address(
    browser: Browser, vite_app: ViteApp
) -> None:
    app_url = vite_app.urls["built"]
    ada = Account()
    async with open_page(browser) as page:
        title = await sign_up_and_add_a_task(page, app_url, vite_app.platform_url, ada)
    async with open_page(browser) as page:
        await page.goto(app_url)
        await fill_in_credentials(page, Account(email=ada.email))
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_contain_text("password")
        await expect(page.get_by_label("E-mail")).to_have_value(ada.email)
        await fill_in_credentials(page, ada)
        await page.get_by_role("button", name="Sign in").click()

        await expect(page.get_by_text(title)).to_be_visible()


async def test_vite_says_why_a_task_was_refused(page: Page, vite_app: ViteApp) -> None:
    await sign_up_and_add_a_task(page, vite_app.urls["built"], vite_app.platform_url)

    await page.get_by_label("New task").fill("a" * 300)
    await page.get_by_label("New task").press("Enter")

    await expect(page.get_by_role("alert")).to_contain_text("200")


@pytest.fixture
async def next_app(
    group: ProcessGroup,
    platform: Platform,
    keys: PassportKeys,
    client_archive: Path,
    tmp_path: Path,
) -> tuple[str, str]:
    """Start an app with Better Auth, and a gateway that trusts it; return their URLs."""
    guide = GUIDES / "next.md"
    app_port, gateway_port = free_ports(2)
    app_url, gateway_url = local_url(app_port), local_url(gateway_port)
    shutil.copytree(NEXT_APP, tmp_path, dirs_exist_ok=True)
    write_code(guide, tmp_path, gateway_url)
    await install_packages_of(group, guide, tmp_path, client_archive)
    node = node_environment()
    node["NEXT_TELEMETRY_DISABLED"] = "1"
    node["BETTER_AUTH_URL"] = app_url
    node["BETTER_AUTH_SECRET"] = token_urlsafe(32)
    program = [NODE, installed_program("next", tmp_path)]
    await group.run("next-build", [*program, "build"], node, working_directory=tmp_path)
    command = [*program, "start", "--port", str(app_port)]
    server = group.start("next", command, node, working_directory=tmp_path)
    await server.wait_until(lambda: is_up(app_url))
    environment = dict(minimal_environment())
    environment["MODE"] = "proxy"
    environment["TASKS_URL"] = platform.tasks.url
    environment["USERS_URL"] = platform.users.url
    environment["PASSPORT_PRIVATE_KEY"] = keys.private
    environment["BETTER_AUTH_URL"] = app_url
    environment["CORS_ORIGINS"] = app_url
    gateway = start_service(group, "gateway", environment, gateway_port)
    await gateway.wait_until_ready()
    return app_url, gateway_url


async def test_next_stores_a_task(page: Page, next_app: tuple[str, str]) -> None:
    app_url, platform_url = next_app
    errors = record_page_errors(page, [app_url, platform_url])

    await sign_up_and_add_a_task(page, app_url, platform_url)

    await expect(page.get_by_role("heading", name="Tasks of")).to_contain_text("@example.test")
    assert errors == []
