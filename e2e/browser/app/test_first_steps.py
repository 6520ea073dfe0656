"""What a person does first: sign up, add a task, and find it again everywhere."""

import asyncio

from playwright.async_api import Route, expect

from e2e.support.app_page import SYNC_SECONDS, UNDO_SECONDS, AppPage, Credentials
from e2e.support.device import Device

FRAMES_MAX = 2
"""The next frame shows what the key has changed; the one after it is for a busy machine."""


async def test_a_new_user_finds_a_task_again_after_a_reload(laptop: Device) -> None:
    tab = await laptop.sign_up()

    await tab.add_task("Water the plants")
    await tab.expect_status("Saved")
    await tab.page.reload()

    await tab.expect_tasks("Water the plants")
    await tab.expect_signed_in()


async def test_a_task_is_shown_before_the_server_has_it(laptop: Device) -> None:
    tab = await laptop.sign_up()
    may_continue = asyncio.Event()

    async def hold(route: Route) -> None:
        await may_continue.wait()
        await route.continue_()

    await laptop.on_writes(hold)
    frames = await tab.count_frames_until_shown("Water the plants")
    await tab.expect_status("Saving")
    may_continue.set()

    assert frames <= FRAMES_MAX
    await tab.expect_status("Saved")


async def test_a_second_device_shows_a_new_task_within_ten_seconds(
    laptop: Device, phone: Device
) -> None:
    ada = Credentials()
    laptop_tab = await laptop.sign_up(ada)
    phone_tab = await phone.sign_in(ada)

    await laptop_tab.add_task("Water the plants")
    await laptop_tab.expect_status("Saved")

    await expect(phone_tab.task("Water the plants")).to_be_visible(timeout=SYNC_SECONDS * 1000)


async def test_what_was_done_offline_is_saved_when_the_network_is_back(
    laptop: Device, phone: Device
) -> None:
    ada = Credentials()
    tab = await laptop.sign_up(ada)
    await tab.add_task("Water the plants")
    await tab.add_task("Feed the cat")
    await tab.expect_status("Saved")
    await tab.wait_until_offline_ready()

    await laptop.go_offline()
    await tab.expect_status("Offline")
    await tab.checkbox("Water the plants").check()
    await tab.edit_title("Feed the cat", "Feed both cats")
    await tab.page.reload()
    await expect(tab.checkbox("Water the plants")).to_be_checked()
    await tab.expect_tasks("Water the plants", "Feed both cats")
    await laptop.go_online()
    await tab.expect_status("Saved")

    phone_tab = await phone.sign_in(ada)
    await phone_tab.expect_tasks("Water the plants", "Feed both cats")
    await expect(phone_tab.checkbox("Water the plants")).to_be_checked()


async def test_a_deleted_task_can_be_brought_back_for_eight_seconds(laptop: Device) -> None:
    await laptop.control_time()
    tab = await laptop.sign_up()
    await tab.add_task("Water the plants")
    await tab.expect_status("Saved")

    await tab.stop_clock()
    await tab.delete_task("Water the plants")
    await expect(tab.undo).to_be_visible()
    await tab.page.clock.run_for((UNDO_SECONDS - 1) * 1000)
    await tab.undo.click()
    await tab.page.clock.resume()
    await tab.expect_tasks("Water the plants")
    await tab.expect_status("Saved")
    await tab.page.reload()

    await tab.expect_tasks("Water the plants")


async def test_a_deletion_that_nobody_undoes_reaches_the_other_devices(
    tabs: tuple[AppPage, AppPage],
) -> None:
    laptop_tab, phone_tab = tabs

    await laptop_tab.delete_task("Water the plants")

    await expect(phone_tab.task("Water the plants")).to_have_count(0)
    await laptop_tab.page.reload()
    await laptop_tab.expect_tasks()
