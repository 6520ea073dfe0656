"""Lists, filters and the search: which tasks are shown."""

import pytest
from playwright.async_api import expect

from e2e.support.app_page import Credentials
from e2e.support.device import Device


async def test_a_list_has_tasks_of_its_own(laptop: Device, phone: Device) -> None:
    ada = Credentials()
    tab = await laptop.sign_up(ada)
    await tab.add_task("Buy milk")

    await tab.add_list("Garden")
    await tab.choose_list("Garden")
    await tab.expect_tasks()
    await tab.add_task("Water the plants")

    await tab.expect_tasks("Water the plants")
    await tab.choose_list("Inbox")
    await tab.expect_tasks("Buy milk")
    await tab.expect_status("Saved")
    phone_tab = await phone.sign_in(ada)
    await phone_tab.choose_list("Garden")
    await phone_tab.expect_tasks("Water the plants")


async def test_a_reload_shows_the_same_list(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await tab.add_list("Garden")
    await tab.choose_list("Garden")
    await tab.add_task("Water the plants")

    await tab.page.reload()

    await tab.expect_tasks("Water the plants")


@pytest.mark.parametrize("list_id", ["01900000-0000-7000-8000-000000000000", "nope"])
async def test_a_list_that_is_not_there_says_so_and_takes_no_task(
    laptop: Device, list_id: str
) -> None:
    tab = await laptop.sign_up()
    await tab.expect_status("Saved")

    await tab.page.goto(f"{laptop.url}/#/lists/{list_id}")

    main = tab.page.get_by_role("main")
    await expect(main.get_by_text("This list does not exist any more")).to_be_visible()
    await expect(tab.new_task).to_have_count(0)
    await main.get_by_role("link", name="Inbox").click()
    await expect(tab.new_task).to_be_visible()


async def test_a_task_for_a_list_that_was_deleted_meanwhile_is_kept(
    laptop: Device, phone: Device
) -> None:
    ada = Credentials()
    tab = await laptop.sign_up(ada)
    await tab.add_list("Garden")
    await tab.expect_status("Saved")
    phone_tab = await phone.sign_in(ada)
    await phone_tab.choose_list("Garden")
    await phone.go_offline()
    await phone_tab.add_task("Water the plants")
    await tab.choose_list("Garden")
    await tab.page.get_by_role("button", name="List options").click()
    await tab.page.get_by_role("button", name="Delete list").click()
    await tab.page.get_by_role("dialog").get_by_role("button", name="Delete list").click()
    await tab.expect_status("Saved")

    await phone.go_online()

    await expect(phone_tab.page.get_by_text("The list is gone")).to_be_visible()
    await expect(phone_tab.page.get_by_text("refused")).to_have_count(0)
    await phone_tab.choose_list("Inbox")
    await phone_tab.expect_tasks("Water the plants")


async def test_an_address_that_names_nothing_becomes_that_of_the_inbox(laptop: Device) -> None:
    tab = await laptop.sign_up()

    await tab.page.goto(f"{laptop.url}/#/nonsense")

    await expect(tab.page.get_by_role("heading", name="Inbox", level=1)).to_be_visible()
    await expect(tab.page).to_have_url(f"{laptop.url}/#/")


async def test_the_heading_counts_open_tasks_whatever_is_filtered(laptop: Device) -> None:
    tab = await laptop.sign_up()
    for title in ("Water the plants", "Feed the cat"):
        await tab.add_task(title)
    count = tab.page.get_by_role("main").get_by_text("2 open")
    await expect(count).to_be_visible()

    await tab.search.fill("zzz")
    await tab.expect_tasks()
    await expect(count).to_be_visible()
    await tab.search.fill("")
    await tab.choose_filter("Completed")
    await tab.expect_tasks()
    await expect(count).to_be_visible()


async def test_filters_show_open_or_completed_tasks(laptop: Device) -> None:
    tab = await laptop.sign_up()
    for title in ("Water the plants", "Feed the cat"):
        await tab.add_task(title)
    await tab.checkbox("Feed the cat").check()

    await tab.choose_filter("Open")
    await tab.expect_tasks("Water the plants")
    await tab.choose_filter("Completed")
    await tab.expect_tasks("Feed the cat")
    await tab.choose_filter("All")
    await tab.expect_tasks("Water the plants", "Feed the cat")


async def test_the_search_finds_tasks_by_a_part_of_the_title(laptop: Device) -> None:
    tab = await laptop.sign_up()
    for title in ("Water the plants", "Feed the cat"):
        await tab.add_task(title)

    await tab.search.fill("PLANT")
    await tab.expect_tasks("Water the plants")
    await tab.search.fill("")
    await tab.expect_tasks("Water the plants", "Feed the cat")


async def test_a_title_that_the_platform_refuses_is_explained(laptop: Device) -> None:
    tab = await laptop.sign_up()

    await tab.new_task.fill("x" * 201)
    await tab.new_task.press("Enter")

    await expect(tab.page.get_by_text("200")).to_be_visible()
