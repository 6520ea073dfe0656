"""axe finds nothing to complain about: in every state, light and dark, on a desktop and a phone."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest
from playwright.async_api import expect

from devkit.platform.node import install_packages
from devkit.platform.processes import ProcessGroup
from e2e.support.accessibility import find_violations
from e2e.support.app_page import AppPage, Credentials
from e2e.support.device import Device

Check: TypeAlias = Callable[[AppPage, str], Awaitable[None]]


@pytest.fixture(scope="module")
async def check(processes: ProcessGroup) -> Check:
    """Return a function that checks a page in a state, which has a name."""
    await install_packages(processes)

    async def check_page(tab: AppPage, state: str) -> None:
        assert await find_violations(tab.page, state) == []

    return check_page


async def test_signing_up_and_in(laptop: Device, check: Check) -> None:
    tab = await laptop.open_app()
    await tab.show_form("Sign up")
    await check(tab, "signing up")
    await tab.show_form("Sign in")
    await check(tab, "signing in")

    await tab.try_to_sign_in(Credentials())
    await expect(tab.page.get_by_role("alert")).to_be_visible()
    await check(tab, "refused")


async def test_tasks(laptop: Device, check: Check) -> None:
    tab = await laptop.sign_up()
    await check(tab, "no task")

    await tab.add_task("Water the plants")
    await tab.add_task("A title with one word that is too long for a phone: " + "x" * 80)
    await tab.add_task("Feed the cat")
    await tab.checkbox("Feed the cat").check()
    await tab.expect_status("Saved")
    await check(tab, "tasks")

    await tab.start_editing("Water the plants")
    await check(tab, "editing")
    await tab.title.press("Escape")

    await tab.search.fill("nothing like this")
    await expect(tab.tasks.get_by_role("listitem")).to_have_count(0)
    await check(tab, "nothing found")


async def test_lists(laptop: Device, check: Check) -> None:
    tab = await laptop.sign_up()

    await tab.add_list("Garden")
    await tab.choose_list("Garden")
    await tab.add_task("Water the plants")

    await check(tab, "a list")


async def test_repetition_and_subtasks(laptop: Device, check: Check) -> None:
    tab = await laptop.sign_up()
    await tab.add_task("Pack for the trip")
    details = await tab.show_details("Pack for the trip")
    await tab.add_subtask("Passport")
    await tab.add_subtask("An item with one word that is too long for a phone: " + "x" * 80)
    await tab.subtask("Passport").check()
    repeat = details.get_by_label("Repeat", exact=True)
    await repeat.select_option(label="Monthly")
    await repeat.select_option(label="Custom")
    await details.get_by_label("Unit").select_option(label="week")
    await details.get_by_label("Ends").select_option(label="Until")
    await expect(details.get_by_role("list", name="Next dates")).to_be_visible()
    await check(tab, "details")
    await tab.page.get_by_role("button", name="Details of Passport").click()
    await check(tab, "details of a subtask")
    await tab.hide_details()

    await tab.page.get_by_role("button", name="Inbox options").click()
    await check(tab, "menu of the inbox")
    await tab.page.keyboard.press("Escape")
    await tab.task("Pack for the trip").get_by_role("button", name="Delete").click()
    await expect(tab.page.get_by_role("button", name="Keep them as tasks")).to_be_visible()
    await check(tab, "deleting a task with subtasks")


async def test_undoing(laptop: Device, check: Check) -> None:
    await laptop.control_time()
    tab = await laptop.sign_up()
    await tab.add_task("Water the plants")

    await tab.delete_task("Water the plants")

    await check(tab, "undo")


async def test_the_account_menu(laptop: Device, check: Check) -> None:
    tab = await laptop.sign_up()

    await tab.page.get_by_role("button", name="Account", exact=True).click()

    await check(tab, "account")


async def test_being_offline(laptop: Device, check: Check) -> None:
    tab = await laptop.sign_up()
    await tab.expect_status("Saved")
    await laptop.go_offline()
    await tab.add_task("Water the plants")
    await tab.expect_status("Offline")

    await check(tab, "offline")


async def test_not_being_saved(laptop: Device, check: Check) -> None:
    tab = await laptop.sign_up()
    await tab.expect_status("Saved")
    await laptop.respond_with(503, "/tasks**")
    await tab.add_task("Water the plants")
    await tab.expect_status("Not saved yet")

    await check(tab, "not saved")


async def test_a_conflict(laptop: Device, tabs: tuple[AppPage, AppPage], check: Check) -> None:
    laptop_tab, phone_tab = tabs
    await laptop.go_offline()
    await laptop_tab.edit_title("Water the plants", "Water the roses")
    await phone_tab.edit_title("Water the plants", "Water the cactus")
    await phone_tab.expect_status("Saved")
    await laptop.go_online()
    await expect(laptop_tab.conflict).to_be_visible()

    await check(laptop_tab, "conflict")
