"""The identity server fails for a while: tasks stay, and nobody is signed out."""

import pytest

from e2e.support.app_page import AppPage
from e2e.support.app_platform import AppPlatform
from e2e.support.device import Device

RECOVERY_SECONDS = 30
"""How long the app may pause between two attempts, as seen by the page's clock."""


@pytest.fixture
async def tab(laptop: Device) -> AppPage:
    """Return a tab of a signed-in user with one saved task, whose token has expired."""
    await laptop.control_time()
    tab = await laptop.sign_up()
    await tab.add_task("Water the plants")
    await tab.expect_status("Saved")
    return tab


async def work_without_identity_server(laptop: Device, tab: AppPage) -> None:
    """Let the token expire, add a task and reload; expect the tasks, and no form to sign in."""
    forms_before = laptop.count_sign_in_forms()
    await tab.page.clock.fast_forward("16:00")

    await tab.add_task("Feed the cat")
    await tab.expect_status("Not saved yet")
    await tab.expect_tasks("Water the plants", "Feed the cat")
    await tab.page.reload()
    await tab.expect_tasks("Water the plants", "Feed the cat")
    await tab.expect_status("Not saved yet")

    assert laptop.count_sign_in_forms() == forms_before


async def expect_saved_soon(tab: AppPage) -> None:
    """Expect that everything is saved after the pause between two attempts."""
    # At once, because a request would time out while the clock runs through the pause.
    await tab.page.clock.fast_forward(RECOVERY_SECONDS * 1000)
    await tab.expect_status("Saved")
    await tab.page.reload()
    await tab.expect_tasks("Water the plants", "Feed the cat")
    await tab.expect_status("Saved")


@pytest.mark.parametrize("status", [500, 503])
async def test_while_no_token_is_to_be_had_changes_wait(
    laptop: Device, tab: AppPage, status: int
) -> None:
    await laptop.respond_with(status, "/api/auth/token")

    await work_without_identity_server(laptop, tab)

    await laptop.stop_responding()
    await expect_saved_soon(tab)


async def test_while_no_session_is_to_be_had_nobody_is_signed_out(
    laptop: Device, tab: AppPage
) -> None:
    forms_before = laptop.count_sign_in_forms()
    await laptop.respond_with(503, "/api/auth/get-session*")

    await tab.page.clock.fast_forward("16:00")
    await tab.page.reload()
    await tab.add_task("Feed the cat")
    await tab.expect_tasks("Water the plants", "Feed the cat")
    await laptop.stop_responding()

    await expect_saved_soon(tab)
    assert laptop.count_sign_in_forms() == forms_before


async def test_while_all_of_it_fails_changes_wait(laptop: Device, tab: AppPage) -> None:
    await laptop.respond_with(503, "/api/auth/**")

    await work_without_identity_server(laptop, tab)

    await laptop.stop_responding()
    await expect_saved_soon(tab)


async def test_while_the_server_is_stopped_changes_wait(
    laptop: Device, tab: AppPage, app_platform: AppPlatform
) -> None:
    async with app_platform.identity_server_stopped():
        await work_without_identity_server(laptop, tab)

    await expect_saved_soon(tab)
