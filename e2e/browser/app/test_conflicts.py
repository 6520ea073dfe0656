"""Changes that are made in several places at once: nothing is lost, nothing is there twice."""

import asyncio

import pytest
from playwright.async_api import Locator, Route, expect

from e2e.support.app_page import AppPage, Credentials
from e2e.support.chromium import TIMEOUT_SECONDS
from e2e.support.device import Device

LAPTOP_TITLE = "Water the roses"
PHONE_TITLE = "Water the cactus"


async def edit_on_both_devices(laptop: Device, tabs: tuple[AppPage, AppPage], title: str) -> None:
    """Edit a title on the laptop while it is offline, and on the phone before that comes back."""
    laptop_tab, phone_tab = tabs
    await laptop.go_offline()
    await laptop_tab.edit_title(title, LAPTOP_TITLE)
    await phone_tab.edit_title(title, PHONE_TITLE)
    await phone_tab.expect_status("Saved")
    await laptop.go_online()


async def test_a_lost_response_makes_no_second_task(laptop: Device, phone: Device) -> None:
    ada = Credentials()
    tab = await laptop.sign_up(ada)
    lost_urls: list[str] = []

    async def lose_first_response(route: Route) -> None:
        if lost_urls:
            await route.continue_()
            return
        lost_urls.append(route.request.url)
        response = await route.fetch()
        assert response.ok
        await route.abort()

    await laptop.on_writes(lose_first_response)
    await tab.add_task("Water the plants")
    await tab.expect_status("Saved")

    assert len(lost_urls) == 1
    await tab.expect_tasks("Water the plants")
    phone_tab = await phone.sign_in(ada)
    await phone_tab.expect_tasks("Water the plants")


async def test_different_fields_that_two_devices_change_offline_both_arrive(
    laptop: Device, phone: Device, tabs: tuple[AppPage, AppPage]
) -> None:
    laptop_tab, phone_tab = tabs
    for device in (laptop, phone):
        await device.go_offline()
    await laptop_tab.edit_title("Water the plants", LAPTOP_TITLE)
    await phone_tab.checkbox("Water the plants").check()

    for device in (laptop, phone):
        await device.go_online()

    for tab in tabs:
        await tab.expect_tasks(LAPTOP_TITLE)
        await expect(tab.checkbox(LAPTOP_TITLE)).to_be_checked()
        await tab.expect_status("Saved")
        await expect(tab.conflict).to_have_count(0)


async def test_different_fields_that_two_tabs_change_offline_both_arrive(
    laptop: Device, phone: Device
) -> None:
    ada = Credentials()
    first_tab = await laptop.sign_up(ada)
    await first_tab.add_task("Water the plants")
    await first_tab.expect_status("Saved")
    second_tab = await laptop.open_app()
    await second_tab.expect_tasks("Water the plants")

    await laptop.go_offline()
    await second_tab.start_editing("Water the plants")
    await first_tab.checkbox("Water the plants").check()
    await second_tab.finish_editing(LAPTOP_TITLE)
    await laptop.go_online()
    await first_tab.expect_status("Saved")
    await second_tab.expect_status("Saved")

    phone_tab = await phone.sign_in(ada)
    for tab in (first_tab, second_tab, phone_tab):
        await tab.expect_tasks(LAPTOP_TITLE)
        await expect(tab.checkbox(LAPTOP_TITLE)).to_be_checked()


@pytest.mark.parametrize(
    ("button", "title"), [("Keep mine", LAPTOP_TITLE), ("Keep theirs", PHONE_TITLE)]
)
async def test_the_same_field_changed_on_two_devices_is_for_the_user_to_decide(
    laptop: Device, phone: Device, tabs: tuple[AppPage, AppPage], button: str, title: str
) -> None:
    laptop_tab, phone_tab = tabs
    for device in (laptop, phone):
        await device.go_offline()
    await laptop_tab.edit_title("Water the plants", LAPTOP_TITLE)
    await phone_tab.edit_title("Water the plants", PHONE_TITLE)
    await phone.go_online()
    await phone_tab.expect_status("Saved")
    await laptop.go_online()

    await expect(laptop_tab.conflict).to_contain_text(LAPTOP_TITLE)
    await expect(laptop_tab.conflict).to_contain_text(PHONE_TITLE)
    await laptop_tab.conflict.get_by_role("button", name=button).click()

    await expect(laptop_tab.conflict).to_have_count(0)
    for tab in tabs:
        await tab.expect_tasks(title)
        await tab.expect_status("Saved")
    await laptop_tab.page.reload()
    await laptop_tab.expect_tasks(title)


async def test_a_conflict_is_still_there_after_a_reload(
    laptop: Device, tabs: tuple[AppPage, AppPage]
) -> None:
    laptop_tab, _ = tabs
    await edit_on_both_devices(laptop, tabs, "Water the plants")
    await expect(laptop_tab.conflict).to_be_visible()

    await laptop_tab.page.reload()

    await expect(laptop_tab.conflict).to_contain_text(LAPTOP_TITLE)
    await expect(laptop_tab.conflict).to_contain_text(PHONE_TITLE)


async def is_above(upper: Locator, lower: Locator) -> bool:
    """Return whether the first of two elements ends where the second begins, or before."""
    upper_box = await upper.bounding_box()
    lower_box = await lower.bounding_box()
    assert upper_box
    assert lower_box
    return upper_box["y"] + upper_box["height"] <= lower_box["y"]


async def test_the_box_of_a_conflict_names_its_task_and_does_not_cover_it(
    laptop: Device, phone: Device, tabs: tuple[AppPage, AppPage]
) -> None:
    laptop_tab, phone_tab = tabs
    for number in range(12):
        await phone.create_task_without_app(f"Task {number}")
    last_title = "Task 11"
    await expect(laptop_tab.task(last_title)).to_be_visible()
    await expect(phone_tab.task(last_title)).to_be_visible()

    await edit_on_both_devices(laptop, tabs, last_title)

    await expect(laptop_tab.conflict).to_contain_text(f"The title of “{last_title}”")
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not await is_above(laptop_tab.task(LAPTOP_TITLE), laptop_tab.conflict):
            await laptop_tab.wait_for_frames()  # the list scrolls in several steps


async def test_signing_out_names_what_an_undecided_conflict_would_lose(
    laptop: Device, tabs: tuple[AppPage, AppPage]
) -> None:
    laptop_tab, _ = tabs
    await edit_on_both_devices(laptop, tabs, "Water the plants")
    await expect(laptop_tab.conflict).to_be_visible()

    await laptop.go_offline()
    await laptop_tab.expect_status("Offline")
    # It waits for the user, not for the network.
    await expect(laptop_tab.page.get_by_text("edit waits")).to_have_count(0)
    await laptop_tab.choose_in_account("Sign out")

    dialog = laptop_tab.page.get_by_role("dialog", name="Sign out?")
    await expect(dialog).to_contain_text("One edit is not saved yet")
    await expect(dialog.get_by_role("listitem")).to_contain_text([LAPTOP_TITLE])
    await dialog.get_by_role("button", name="Stay").click()
    await expect(laptop_tab.conflict).to_contain_text(LAPTOP_TITLE)


async def test_a_session_that_ends_during_a_conflict_says_that_an_edit_waits(
    laptop: Device, tabs: tuple[AppPage, AppPage]
) -> None:
    laptop_tab, _ = tabs
    await edit_on_both_devices(laptop, tabs, "Water the plants")
    await expect(laptop_tab.conflict).to_be_visible()

    await laptop.context.clear_cookies()
    await laptop_tab.page.reload()

    await laptop_tab.expect_signed_out()
    await expect(laptop_tab.page.get_by_text("One edit is not saved yet")).to_be_visible()


async def test_the_same_field_changed_in_two_tabs_is_for_the_user_to_decide(
    laptop: Device,
) -> None:
    first_tab = await laptop.sign_up()
    await first_tab.add_task("Water the plants")
    await first_tab.expect_status("Saved")
    second_tab = await laptop.open_app()
    await laptop.go_offline()

    await first_tab.start_editing("Water the plants")
    await second_tab.start_editing("Water the plants")
    await first_tab.finish_editing(LAPTOP_TITLE)
    await second_tab.finish_editing(PHONE_TITLE)
    await laptop.go_online()

    await expect(second_tab.conflict).to_contain_text(LAPTOP_TITLE)
    await expect(second_tab.conflict).to_contain_text(PHONE_TITLE)
    await second_tab.conflict.get_by_role("button", name="Keep mine").click()
    for tab in (first_tab, second_tab):
        await expect(tab.conflict).to_have_count(0)
        await tab.expect_tasks(PHONE_TITLE)
        await tab.expect_status("Saved")


async def test_leaving_a_title_alone_keeps_what_another_tab_has_made_of_it(laptop: Device) -> None:
    first_tab = await laptop.sign_up()
    await first_tab.add_task("Water the plants")
    second_tab = await laptop.open_app()
    await second_tab.start_editing("Water the plants")

    await first_tab.edit_title("Water the plants", LAPTOP_TITLE)
    await expect(second_tab.checkbox(LAPTOP_TITLE)).to_be_visible()
    await second_tab.title.press("Enter")

    for tab in (second_tab, first_tab):
        await tab.expect_tasks(LAPTOP_TITLE)
        await tab.expect_status("Saved")
        await expect(tab.conflict).to_have_count(0)


async def test_what_two_offline_tabs_add_is_there_after_both_reload(
    laptop: Device, phone: Device
) -> None:
    ada = Credentials()
    first_tab = await laptop.sign_up(ada)
    second_tab = await laptop.open_app()
    await second_tab.expect_signed_in()
    await second_tab.wait_until_offline_ready()
    titles = ("Water the plants", "Feed the cat")

    await laptop.go_offline()
    for tab, title in zip((first_tab, second_tab), titles, strict=True):
        await tab.add_task(title)
    for tab in (first_tab, second_tab):
        await tab.page.reload()
        await tab.expect_tasks(*titles)
        await tab.expect_status("Offline")
    await laptop.go_online()

    phone_tab = await phone.sign_in(ada)
    for tab in (first_tab, second_tab, phone_tab):
        await tab.expect_tasks(*titles)
        await tab.expect_status("Saved")


async def test_an_edit_needs_at_most_two_requests(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await tab.add_task("Task 0")
    await tab.expect_status("Saved")
    edits = 6
    requests_before = len(laptop.requests)

    for number in range(edits):
        await tab.edit_title(f"Task {number}", f"Task {number + 1}")
        await tab.expect_status("Saved")

    urls = [request.url for request in laptop.requests[requests_before:]]
    assert edits <= len(urls) <= 2 * edits, urls
