"""The platform with sign-in at one URL, for the tests of the TypeScript client."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, TypeAlias

import pytest
from playwright.async_api import Browser

from devkit.platform.keys import PassportKeys
from devkit.platform.node import install_packages, node_environment
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform
from devkit.platform.settings import CHECKOUT
from e2e.support.local_copy import LocalCopyBrowser, build_pages
from e2e.support.sign_in_platform import SignInTestbed

SHORT_TOKEN_SECONDS: Final = 3
"""The lifetime of tokens where tests wait for the end of one."""

DeviceFactory: TypeAlias = Callable[[], Awaitable[LocalCopyBrowser]]


@pytest.fixture(scope="session")
async def client_environment(
    processes: ProcessGroup, platform: Platform, keys: PassportKeys
) -> AsyncGenerator[dict[str, str]]:
    """Run what the tests of the client need, and return the environment that names it."""
    await install_packages(processes, CHECKOUT)
    async with AsyncExitStack() as clients:
        testbed = SignInTestbed(processes, clients, platform, keys)
        usual = await testbed.start()
        short = await testbed.start(TOKEN_SECONDS=str(SHORT_TOKEN_SECONDS))
        environment = node_environment()
        environment["PLATFORM_URL"] = usual.url
        environment["SHORT_TOKENS_URL"] = short.url
        yield environment


@pytest.fixture(scope="session")
async def pages(processes: ProcessGroup, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the pages."""
    folder = tmp_path_factory.mktemp("local-copy")
    await build_pages(processes, folder)
    return folder


@pytest.fixture
async def open_device(
    browser: Browser, client_environment: dict[str, str], pages: Path
) -> AsyncGenerator[DeviceFactory]:
    """Return a function that opens browsers without cookies and storage."""
    async with AsyncExitStack() as contexts:

        async def open_one() -> LocalCopyBrowser:
            context = await contexts.enter_async_context(await browser.new_context())
            device = LocalCopyBrowser(context, client_environment["PLATFORM_URL"], pages)
            await device.serve_pages()
            return device

        yield open_one


@pytest.fixture
async def laptop(open_device: DeviceFactory) -> LocalCopyBrowser:
    """Open a browser with a new user."""
    device = await open_device()
    await device.sign_up()
    return device
