"""The code of the guides in `docs/front-ends` works: each app stores a task of a new user.

`test_own_better_auth.py` has the guide for an app that is the Better Auth server.
"""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from secrets import token_hex, token_urlsafe

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

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


async def sign_up_and_add_a_task(page: Page, app_url: str, platform_url: str) -> None:
    """Do what a new user does, and look for the task at the platform."""
    title = f"Water the plants {token_hex(4)}"
    await page.goto(app_url)
    await page.get_by_label("E-mail").fill(f"{token_hex(8)}@example.test")
    await page.get_by_label("Password").fill(token_hex(16))
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


async def test_vite_stores_a_task_in_development_and_built(
    browser: Browser, testbed: SignInTestbed, client_archive: Path, tmp_path: Path
) -> None:
    guide = GUIDES / "vite.md"
    group = testbed.group
    await install_packages_of(group, guide, tmp_path, client_archive)
    vite = [NODE, installed_program("vite", tmp_path)]
    write_code(guide, tmp_path, platform_url="")
    await group.run("vite-build", [*vite, "build", tmp_path], node_environment())
    platform = await testbed.start(app_folder=tmp_path / "dist")
    write_code(guide, tmp_path, platform.url)
    [port] = free_ports(1)
    development_url = local_url(port)
    command = [*vite, tmp_path, "--host", HOST, "--port", str(port), "--strictPort"]
    server = group.start("vite", command, node_environment())
    await server.wait_until(lambda: is_up(development_url))

    for app_url in (development_url, platform.url):
        async with open_page(browser) as page:
            errors = record_page_errors(page, [app_url, app_url.replace("http", "ws")])

            await sign_up_and_add_a_task(page, app_url, platform.url)

            assert errors == []


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
