"""Everything a person does with tasks can be done without a mouse."""

import re

import pytest
from playwright.async_api import Locator, expect

from e2e.support.app_page import AppPage
from e2e.support.device import Device

TAB_PRESSES_MAX = 60
"""How often a person may have to press Tab to get from one thing to another."""

IS_FOCUSED = "(element) => element === document.activeElement"


async def move_to(tab: AppPage, target: Locator) -> None:
    """Press Tab until an element has the focus."""
    await expect(target).to_be_visible()
    for _ in range(TAB_PRESSES_MAX):
        if await target.evaluate(IS_FOCUSED):
            return
        await tab.page.keyboard.press("Tab")
    pytest.fail(f"{target} is not reached by the key Tab")


async def add_tasks(tab: AppPage, *titles: str) -> None:
    for title in titles:
        await move_to(tab, tab.new_task)
        await tab.page.keyboard.type(title)
        await tab.page.keyboard.press("Enter")
        await expect(tab.task(title)).to_be_visible()


async def test_a_task_is_added_and_completed(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await add_tasks(tab, "Water the plants")

    await move_to(tab, tab.checkbox("Water the plants"))
    await tab.page.keyboard.press("Space")

    await expect(tab.checkbox("Water the plants")).to_be_checked()


async def test_a_task_is_edited(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await add_tasks(tab, "Water the plants")

    edit = tab.task("Water the plants").get_by_role("button", name="Edit")
    await move_to(tab, edit)
    await tab.page.keyboard.press("Enter")
    await expect(tab.title).to_be_focused()
    await tab.page.keyboard.press("End")
    await tab.page.keyboard.type(" today")
    await tab.page.keyboard.press("Enter")

    await tab.expect_tasks("Water the plants today")
    await tab.page.wait_for_function("document.activeElement !== document.body")


async def test_escape_leaves_a_title_as_it_was(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await add_tasks(tab, "Water the plants")

    await move_to(tab, tab.task("Water the plants").get_by_role("button", name="Edit"))
    await tab.page.keyboard.press("Enter")
    await expect(tab.title).to_be_focused()
    await tab.page.keyboard.type("Something else")
    await tab.page.keyboard.press("Escape")

    await tab.expect_tasks("Water the plants")


async def test_a_task_is_deleted_and_brought_back(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await add_tasks(tab, "Water the plants")

    await move_to(tab, tab.task("Water the plants").get_by_role("button", name="Delete"))
    await tab.page.keyboard.press("Enter")
    await expect(tab.task("Water the plants")).to_have_count(0)
    await move_to(tab, tab.undo)
    await tab.page.keyboard.press("Enter")

    await tab.expect_tasks("Water the plants")


async def test_a_task_is_moved(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await add_tasks(tab, "One", "Two", "Three")
    await tab.expect_status("Saved")
    before = await tab.task_titles()

    await move_to(tab, tab.move_handle(before[0]))
    for key, spoken in (
        ("Space", "is at position 1 of 3."),
        ("ArrowDown", "is at position 2 of 3."),
        ("Space", "Dropped"),
    ):
        await tab.page.keyboard.press(key)
        # A key that comes before the last one has had its effect is lost.
        await expect(tab.page.get_by_text(spoken)).to_be_attached()
        await tab.wait_for_frames()

    moved = [before[1], before[0], before[2]]
    await tab.expect_order(*moved)
    await tab.expect_status("Saved")
    await tab.page.reload()
    await tab.expect_order(*moved)


async def test_a_task_is_made_to_repeat(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await add_tasks(tab, "Water the plants")
    keyboard = tab.page.keyboard

    await move_to(tab, tab.task("Water the plants").get_by_role("button", name="Details"))
    await keyboard.press("Enter")
    await move_to(tab, tab.page.get_by_role("combobox", name="Repeat", exact=True))
    await keyboard.type("Weekly")
    for day in ("Monday", "Tuesday", "Wednesday"):
        box = tab.page.get_by_role("checkbox", name=day)
        if not await box.is_checked():
            await move_to(tab, box)
            await keyboard.press("Space")
    await move_to(tab, tab.page.get_by_role("combobox", name="Ends"))
    await keyboard.type("A number")
    await move_to(tab, tab.page.get_by_role("spinbutton", name="Times"))
    await keyboard.press("Control+A")
    await keyboard.type("3")

    words = re.compile("Every week on .*Monday.*, 3 times")
    await expect(tab.task("Water the plants").get_by_role("img", name=words)).to_be_visible()
    await keyboard.press("Escape")
    await expect(tab.page.get_by_role("complementary", name="Details")).to_have_count(0)


async def test_a_question_gives_the_focus_back(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await add_tasks(tab, "Pack", "Call the bank")
    await tab.show_details("Pack")
    await tab.add_subtask("Passport")
    await tab.hide_details()
    delete = tab.task("Pack").get_by_role("button", name="Delete")
    await delete.focus()

    await tab.page.keyboard.press("Enter")
    await expect(tab.page.get_by_role("dialog")).to_be_visible()
    await tab.page.keyboard.press("Escape")
    await expect(delete).to_be_focused()

    await tab.page.keyboard.press("Enter")
    await move_to(tab, tab.page.get_by_role("button", name="Delete it too"))
    await tab.page.keyboard.press("Enter")
    await expect(tab.checkbox("Call the bank")).to_be_focused()


async def test_after_signing_in_a_task_can_be_typed_at_once(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await expect(tab.new_task).to_be_focused()

    await tab.page.keyboard.press("Escape")

    await expect(tab.new_task).not_to_be_focused()


async def test_in_a_new_list_a_task_can_be_typed_at_once(laptop: Device) -> None:
    tab = await laptop.sign_up()

    await tab.add_list("Garden")

    await expect(tab.page.get_by_role("heading", name="Garden", level=1)).to_be_visible()
    await expect(tab.new_task).to_be_focused()
