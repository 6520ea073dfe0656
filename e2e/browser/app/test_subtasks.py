"""Subtasks: a checklist in the details of a task, and its progress on the row."""

from playwright.async_api import Locator, expect

from e2e.support.app_page import SYNC_SECONDS, AppPage, Credentials
from e2e.support.device import Device

ITEMS = ("Passport", "Charger", "Socks")


async def add_checklist(tab: AppPage) -> Locator:
    """Add a task with the subtasks `ITEMS`, and return its details."""
    await tab.add_task("Pack")
    details = await tab.show_details("Pack")
    for title in ITEMS:
        await tab.add_subtask(title)
    return details


async def expect_progress(tab: AppPage, progress: str) -> None:
    """Expect how far the checklist is, on the row."""
    await expect(tab.task("Pack").get_by_text(f"{progress} subtasks completed")).to_be_visible()


async def expect_subtasks(tab: AppPage, *titles: str) -> None:
    """Expect exactly these subtasks in this order in the details."""
    checkboxes = tab.subtasks.get_by_role("checkbox")
    await expect(checkboxes).to_have_count(len(titles))
    for index, title in enumerate(titles):
        await expect(checkboxes.nth(index)).to_have_accessible_name(title)


async def parents_of_saved_tasks(device: Device) -> dict[str, str | None]:
    """Return the title of the parent of each saved task by its own title."""
    tasks = await device.saved_tasks()
    titles = {task["id"]: task["title"] for task in tasks}
    return {task["title"]: titles.get(task["parent_id"]) for task in tasks}


async def test_a_checklist_is_filled_and_ticked_off(laptop: Device, phone: Device) -> None:
    ada = Credentials()
    tab = await laptop.sign_up(ada)
    phone_tab = await phone.sign_in(ada)
    await add_checklist(tab)

    await tab.subtask("Charger").check()

    await expect_subtasks(tab, *ITEMS)
    await expect_progress(tab, "1 of 3")
    await tab.expect_tasks("Pack")
    await tab.expect_status("Saved")
    assert await parents_of_saved_tasks(laptop) == {"Pack": None, **dict.fromkeys(ITEMS, "Pack")}
    progress = phone_tab.task("Pack").get_by_text("1 of 3")
    await expect(progress).to_be_visible(timeout=SYNC_SECONDS * 1000)


async def test_a_checklist_is_edited_by_keys_only(laptop: Device) -> None:
    tab = await laptop.sign_up()
    details = await add_checklist(tab)
    await expect(details.get_by_role("textbox", name="New subtask")).to_be_focused()
    keyboard = tab.page.keyboard

    await details.get_by_role("button", name="Reorder Passport").focus()
    for key, spoken in (
        ("Space", "Passport is at position 1 of 3."),
        ("ArrowDown", "Passport is at position 2 of 3."),
        ("Space", "Dropped Passport"),
    ):
        await keyboard.press(key)
        # A key that comes before the last one has had its effect is lost.
        await expect(tab.page.get_by_text(spoken)).to_be_attached()
        await tab.wait_for_frames()
    await expect_subtasks(tab, "Charger", "Passport", "Socks")

    await tab.subtask("Socks").focus()
    await keyboard.press("Space")
    await keyboard.press("Tab")
    await keyboard.press("End")
    await keyboard.type(" (warm)")
    await keyboard.press("Enter")
    await expect(tab.subtask("Socks (warm)")).to_be_checked()

    await details.get_by_role("button", name="Delete Passport").focus()
    await keyboard.press("Enter")
    await expect_subtasks(tab, "Charger", "Socks (warm)")
    await expect(tab.subtask("Socks (warm)")).to_be_focused()
    await tab.undo.press("Enter")
    await expect_subtasks(tab, "Charger", "Passport", "Socks (warm)")

    await tab.expect_status("Saved")
    await tab.page.reload()
    await tab.show_details("Pack")
    await expect_subtasks(tab, "Charger", "Passport", "Socks (warm)")


async def test_what_is_done_to_a_checklist_offline_is_saved_later(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await add_checklist(tab)
    await tab.expect_status("Saved")
    await tab.wait_until_offline_ready()

    await laptop.go_offline()
    await tab.expect_status("Offline")
    await tab.add_subtask("Book")
    await tab.subtask("Passport").check()
    await tab.page.reload()
    await expect_progress(tab, "1 of 4")
    await laptop.go_online()
    await tab.expect_status("Saved")

    assert (await parents_of_saved_tasks(laptop))["Book"] == "Pack"


async def test_subtasks_of_a_deleted_task_stay_if_the_user_says_so(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await add_checklist(tab)
    await tab.expect_status("Saved")

    await tab.task("Pack").get_by_role("button", name="Delete").click()
    await tab.page.get_by_role("button", name="Keep them as tasks").click()
    await tab.expect_tasks(*ITEMS)
    await tab.expect_status("Saved")
    assert await parents_of_saved_tasks(laptop) == dict.fromkeys(ITEMS)

    await tab.undo.click()
    await tab.expect_tasks("Pack")
    await tab.expect_status("Saved")
    assert await parents_of_saved_tasks(laptop) == {"Pack": None, **dict.fromkeys(ITEMS, "Pack")}


async def test_subtasks_are_deleted_and_brought_back_with_their_task(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await add_checklist(tab)
    await tab.subtask("Passport").check()
    await tab.expect_status("Saved")

    await tab.task("Pack").get_by_role("button", name="Delete").click()
    await tab.page.get_by_role("button", name="Delete them too").click()
    await tab.expect_tasks()
    await tab.expect_status("Saved")
    assert await laptop.saved_tasks() == []

    await tab.undo.click()
    await tab.expect_tasks("Pack")
    await expect_progress(tab, "1 of 3")
    await tab.expect_status("Saved")
    assert await parents_of_saved_tasks(laptop) == {"Pack": None, **dict.fromkeys(ITEMS, "Pack")}


async def test_a_task_without_subtasks_is_deleted_without_a_question(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await tab.add_task("Pack")

    await tab.delete_task("Pack")

    await expect(tab.page.get_by_role("dialog")).to_have_count(0)


async def test_a_subtask_is_found_and_taken_out(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await add_checklist(tab)

    await tab.search.fill("charger")
    await tab.expect_tasks("Charger")
    await expect(tab.task("Charger").get_by_text("Part of")).to_be_attached()
    details = await tab.show_details("Charger")
    await details.get_by_role("button", name="Take it out").click()
    await tab.search.fill("")

    await tab.expect_tasks("Pack", "Charger")
    await tab.expect_status("Saved")
    assert (await parents_of_saved_tasks(laptop))["Charger"] is None


async def test_a_checklist_repeats_with_open_items(laptop: Device) -> None:
    tab = await laptop.sign_up()
    details = await add_checklist(tab)
    await details.get_by_label("Repeat", exact=True).select_option(label="Weekly")
    for title in ITEMS:
        await tab.subtask(title).check()
    await tab.expect_status("Saved")

    await tab.checkbox("Pack").check()

    rows = tab.tasks.get_by_role("listitem")
    await expect(rows.first.get_by_text("0 of 3")).to_be_visible()
    await expect(rows.last.get_by_text("3 of 3")).to_be_visible()
