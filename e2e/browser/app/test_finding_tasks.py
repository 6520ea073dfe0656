"""Lists, filters and the search: which tasks are shown."""

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
