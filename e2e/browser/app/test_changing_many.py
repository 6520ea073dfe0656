"""A list is completed or cleared as a whole by its menu, with undo instead of a question."""

from playwright.async_api import expect

from e2e.support.app_page import AppPage, Credentials
from e2e.support.device import Device


async def add_two_lists(tab: AppPage) -> None:
    """Add two tasks to the inbox, one of them completed, and two to the list "Garden"."""
    await tab.add_task("Pay the rent")
    await tab.add_task("Call the bank")
    await tab.checkbox("Call the bank").check()
    await tab.add_list("Garden")
    await tab.add_task("Water the plants")
    await tab.add_task("Mow the lawn")


async def completed_titles(device: Device) -> set[str]:
    """Return the titles of the saved tasks that are completed."""
    return {task["title"] for task in await device.saved_tasks() if task["is_completed"]}


async def test_all_tasks_of_a_list_are_completed_and_opened_again(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await add_two_lists(tab)

    await tab.choose_in_list("List", "Complete all (2)")
    await expect(tab.checkbox("Mow the lawn")).to_be_checked()
    await tab.expect_status("Saved")
    assert await completed_titles(laptop) == {"Call the bank", "Water the plants", "Mow the lawn"}

    await tab.notice("Completed 2 tasks").get_by_role("button", name="Undo").click()
    await expect(tab.checkbox("Mow the lawn")).not_to_be_checked()
    await tab.expect_status("Saved")
    assert await completed_titles(laptop) == {"Call the bank"}


async def test_completed_tasks_of_a_list_are_cleared_and_brought_back(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await add_two_lists(tab)
    await tab.checkbox("Mow the lawn").check()

    await tab.choose_in_list("List", "Clear completed (1)")
    await tab.expect_tasks("Water the plants")
    await tab.expect_status("Saved")
    left = {"Pay the rent", "Call the bank", "Water the plants"}
    assert set(await laptop.saved_titles()) == left

    await tab.notice("Cleared 1 task").get_by_role("button", name="Undo").click()
    await tab.expect_order("Water the plants", "Mow the lawn")
    await tab.expect_status("Saved")
    assert await completed_titles(laptop) == {"Call the bank", "Mow the lawn"}


async def test_clearing_keeps_what_is_open_in_a_checklist(laptop: Device) -> None:
    tab = await laptop.sign_up()
    for title in ("Pack", "Shop"):
        await tab.add_task(title)
        await tab.show_details(title)
        for item in ("Passport", "Socks"):
            await tab.add_subtask(f"{item} ({title})")
        await tab.subtask(f"Passport ({title})").check()
        await tab.hide_details()
    await tab.checkbox("Pack").check()

    await tab.choose_in_list("Inbox", "Clear completed (1)")
    await tab.expect_tasks("Shop", "Socks (Pack)")
    await expect(tab.task("Shop").get_by_text("1 of 2")).to_be_visible()
    await tab.notice("an open subtask stays").get_by_role("button", name="Undo").click()

    await tab.expect_tasks("Pack", "Shop")
    await expect(tab.task("Pack").get_by_text("1 of 2")).to_be_visible()
    await tab.expect_status("Saved")
    assert await completed_titles(laptop) == {"Pack", "Passport (Pack)", "Passport (Shop)"}


async def test_many_are_changed_offline_by_keys_and_saved_later(laptop: Device) -> None:
    ada = Credentials()
    tab = await laptop.sign_up(ada)
    for title in ("One", "Two", "Three"):
        await tab.add_task(title)
    details = await tab.show_details("Two")
    await details.get_by_label("Repeat", exact=True).select_option(label="Daily")
    await tab.hide_details()
    await tab.expect_status("Saved")
    await tab.wait_until_offline_ready()

    await laptop.go_offline()
    await tab.expect_status("Offline")
    await tab.page.get_by_role("button", name="Inbox options").focus()
    for key in ("Enter", "Tab", "Enter"):
        await tab.page.keyboard.press(key)
    await expect(tab.notice("Completed 3 tasks, 1 of them to come again")).to_be_visible()
    await laptop.go_online()
    await tab.expect_status("Saved")

    # The next one of the task that repeats.
    await expect(tab.tasks.get_by_role("checkbox", name="Two", checked=False)).to_have_count(1)
    assert len(await laptop.saved_titles()) == 4
    assert await completed_titles(laptop) == {"One", "Two", "Three"}


async def test_there_is_nothing_to_do_with_an_empty_list(laptop: Device) -> None:
    tab = await laptop.sign_up()

    await tab.page.get_by_role("button", name="Inbox options").click()

    await expect(tab.page.get_by_role("button", name="Complete all")).to_be_disabled()
    await expect(tab.page.get_by_role("button", name="Clear completed")).to_be_disabled()
