"""Browsers of these suites' own, on a platform with the app and a real Better Auth server."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser

from devkit.platform.keys import PassportKeys
from devkit.platform.postgres import Postgres
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import Platform
from e2e.support.app_page import AppPage, Credentials
from e2e.support.app_platform import (
    AppPlatform,
    IdentityServerContainer,
    IdentityServerDeployment,
    start_app_platform,
)
from e2e.support.compose_project import ComposeProject
from e2e.support.device import Device, DeviceFactory, open_device
from e2e.support.entrypoint import EDGE
from e2e.support.kubernetes_release import KubernetesRelease


@pytest.fixture(scope="session")
async def app_processes(
    tmp_path_factory: pytest.TempPathFactory,
    postgres: Postgres,
    platform: Platform,
    keys: PassportKeys,
) -> AsyncGenerator[AppPlatform]:
    """Run the app and a real Better Auth server as processes, beside the session's services."""
    async with ProcessGroup(tmp_path_factory.mktemp("app")) as group:
        yield await start_app_platform(group, postgres, platform, keys)


@pytest.fixture(scope="session")
def app_platform(request: pytest.FixtureRequest) -> AppPlatform:
    """Return the app, the platform and a real Better Auth server at one URL."""
    if EDGE == "compose":
        project: ComposeProject = request.getfixturevalue("compose_project")
        return AppPlatform(project.url, IdentityServerContainer(project))
    if EDGE == "kubernetes":
        release: KubernetesRelease = request.getfixturevalue("kubernetes_release")
        return AppPlatform(release.url, IdentityServerDeployment(release))
    processes: AppPlatform = request.getfixturevalue("app_processes")
    return processes


@pytest.fixture
async def open_browser(
    browser: Browser, app_platform: AppPlatform
) -> AsyncGenerator[DeviceFactory]:
    """Return a function that opens a browser without cookies and storage.

    At the end of the test no page may have violated its policy or reported an error.
    """
    async with AsyncExitStack() as devices:

        async def open_one() -> Device:
            return await devices.enter_async_context(open_device(browser, app_platform.url))

        yield open_one


@pytest.fixture
async def laptop(open_browser: DeviceFactory) -> Device:
    """Return the browser of a test that needs one only."""
    return await open_browser()


@pytest.fixture
async def phone(open_browser: DeviceFactory) -> Device:
    """Return a second browser."""
    return await open_browser()


@pytest.fixture
def ada() -> Credentials:
    """Return what the user of `tabs` signs in with."""
    return Credentials()


@pytest.fixture
async def tabs(laptop: Device, phone: Device, ada: Credentials) -> tuple[AppPage, AppPage]:
    """Return tabs of one user on two devices that both show the task `Water the plants`."""
    laptop_tab = await laptop.sign_up(ada)
    await laptop_tab.add_task("Water the plants")
    await laptop_tab.expect_status("Saved")
    phone_tab = await phone.sign_in(ada)
    await phone_tab.expect_tasks("Water the plants")
    return laptop_tab, phone_tab
