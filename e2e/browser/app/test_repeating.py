"""Repeating tasks: the picker says what it means, and completing a task shows the next one."""

from playwright.async_api import Locator, expect

from e2e.support.app_page import AppPage, Credentials
from e2e.support.device import Device

MONDAY = "2096-01-02"
"""So late that every task is completed before it is due, whenever the tests run."""


async def add_repeating_task(tab: AppPage, title: str, preset: str) -> Locator:
    """Add a task that is due on `MONDAY` and repeats, and return its details."""
    await tab.add_task(title)
    await tab.expect_status("Saved")
    details = await tab.show_details(title)
    await details.get_by_label("Due date").fill(MONDAY)
    await details.get_by_label("Repeat", exact=True).select_option(label=preset)
    return details


def open_checkbox(tab: AppPage, title: str) -> Locator:
    """Return the checkbox of the occurrence that is not completed."""
    return tab.tasks.get_by_role("checkbox", name=title, exact=True, checked=False)


def repeat_sign(tab: AppPage, words: str) -> Locator:
    """Return the signs of repeating tasks by what they are named."""
    return tab.tasks.get_by_role("img", name=words, exact=True)


async def shown_dates(details: Locator) -> list[str]:
    """Return the next dates that the picker shows."""
    times = details.get_by_role("list", name="Next dates").get_by_role("time")
    await expect(times).to_have_count(3)
    return [await time.get_attribute("datetime") or "" for time in await times.all()]


async def test_a_rule_is_told_in_words_and_dates(laptop: Device) -> None:
    tab = await laptop.sign_up()
    details = await add_repeating_task(tab, "Water the plants", "Custom")

    await details.get_by_role("spinbutton", name="Interval").fill("2")
    await details.get_by_role("checkbox", name="Thursday").check()
    await details.get_by_label("Ends").select_option(label="Until")
    await details.get_by_label("End date").fill("2096-12-31")

    words = "Every 2 weeks on Monday and Thursday, until December 31, 2096"
    await expect(details.get_by_text(words)).to_be_visible()
    await expect(repeat_sign(tab, words)).to_be_visible()
    assert await shown_dates(details) == ["2096-01-05", "2096-01-16", "2096-01-19"]
    await tab.expect_status("Saved")
    [task] = await laptop.saved_tasks()
    rule = "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;UNTIL=20961231"
    assert task["recurrence"] == {"rule": rule, "from": "due"}

    await tab.page.reload()
    await expect(repeat_sign(tab, words)).to_be_visible()


async def test_the_next_tasks_have_the_dates_that_were_shown(laptop: Device) -> None:
    tab = await laptop.sign_up()
    for preset in ("Every weekday", "Monthly", "Yearly"):
        await tab.add_list(preset)
        details = await add_repeating_task(tab, preset, preset)
        if preset == "Monthly":
            await details.get_by_label("On", exact=True).select_option(label="On the last day")
        dates = await shown_dates(details)
        await tab.expect_status("Saved")

        for date in dates:
            await open_checkbox(tab, preset).check()
            await expect(tab.tasks.locator(f'time[datetime="{date}"]')).to_be_visible()
        await tab.hide_details()


async def test_the_next_task_stands_where_the_completed_one_stood(laptop: Device) -> None:
    tab = await laptop.sign_up()
    for title in ("One", "Two", "Three"):
        await tab.add_task(title)
    details = await tab.show_details("Two")
    await details.get_by_label("Due date").fill(MONDAY)
    await details.get_by_label("Repeat", exact=True).select_option(label="Weekly")
    await tab.expect_status("Saved")

    await tab.checkbox("Two").check()

    await expect(tab.notice("Next: Monday, January 9, 2096")).to_be_visible()
    assert await tab.task_titles() == ["One", "Two", "Three", "Two"]

    await tab.notice("Next:").get_by_role("button", name="Undo").click()
    await expect(tab.notice("Next:")).to_have_count(0)
    await expect(tab.tasks.get_by_role("listitem")).to_have_count(3)
    await tab.expect_status("Saved")
    assert [task["is_completed"] for task in await laptop.saved_tasks()] == [False] * 3


async def test_completing_a_task_that_is_deleted_then_cannot_be_undone(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await add_repeating_task(tab, "Water the plants", "Weekly")
    await tab.expect_status("Saved")
    await tab.checkbox("Water the plants").check()
    await expect(tab.notice("Next:")).to_be_visible()
    await tab.choose_in_list("Inbox", "Clear completed (1)")

    await tab.notice("Next:").get_by_role("button", name="Undo").click()

    await tab.expect_tasks("Water the plants")
    await tab.expect_status("Saved")


async def test_the_last_occurrence_has_no_next(laptop: Device) -> None:
    tab = await laptop.sign_up()
    details = await add_repeating_task(tab, "Water the plants", "Daily")
    await details.get_by_label("Ends").select_option(label="A number of times")
    await details.get_by_role("spinbutton", name="Times").fill("1")
    await expect(details.get_by_text("This is the last one.")).to_be_visible()
    await tab.expect_status("Saved")

    await tab.checkbox("Water the plants").check()

    await expect(tab.notice("There is no next one")).to_be_visible()
    await tab.expect_tasks("Water the plants")


async def test_a_repeating_task_needs_a_date_and_gets_today(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await tab.add_task("Water the plants")
    details = await tab.show_details("Water the plants")

    await details.get_by_label("Repeat", exact=True).select_option(label="Daily")

    await expect(details.get_by_text("Due today now")).to_be_visible()
    await expect(tab.task("Water the plants").get_by_text("Today")).to_be_visible()
    await tab.expect_status("Saved")
    await details.get_by_label("Repeat", exact=True).select_option(label="Weekly")
    # The date was the app's guess: the rule follows the one that the user chooses.
    await details.get_by_label("Due date").fill(MONDAY)
    await expect(details.get_by_text("Every week on Monday", exact=True)).to_be_visible()
    await tab.expect_status("Saved")

    await details.get_by_role("button", name="Clear").click()
    await expect(details.get_by_label("Repeat", exact=True)).to_have_value("none")
    await tab.notice("Cleared the due date").get_by_role("button", name="Undo").click()
    await expect(details.get_by_label("Repeat", exact=True)).to_have_value("weekly")
    await tab.expect_status("Saved")
    [task] = await laptop.saved_tasks()
    assert task["recurrence"] == {"rule": "FREQ=WEEKLY;BYDAY=MO", "from": "due"}
    assert task["due"]["date"] == MONDAY


async def test_a_task_counted_from_completion_comes_when_the_picker_says(laptop: Device) -> None:
    tab = await laptop.sign_up()
    details = await add_repeating_task(tab, "Water the plants", "Custom")
    await details.get_by_label("Due date").fill("2026-01-05")
    await details.get_by_role("spinbutton", name="Interval").fill("10")
    await details.get_by_label("Unit").select_option(label="days")
    await details.get_by_label("Counted from").select_option(label="Counted from completion")
    await expect(details.get_by_text("Every 10 days after completion")).to_be_visible()
    date, *_ = await shown_dates(details)
    await tab.expect_status("Saved")

    await tab.checkbox("Water the plants").check()

    await expect(tab.tasks.locator(f'time[datetime="{date}"]')).to_be_visible()


async def test_a_rule_of_another_client_is_left_alone(laptop: Device) -> None:
    rule = "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"
    tab = await laptop.sign_up()
    await laptop.create_task_without_app(
        "Pay the rent", due={"date": MONDAY}, recurrence={"rule": rule}
    )
    await tab.page.reload()
    await expect(repeat_sign(tab, f"By the rule {rule}")).to_be_visible()
    details = await tab.show_details("Pay the rent")
    await expect(details.get_by_label("Repeat", exact=True)).to_have_value("other")
    await expect(details.get_by_text(rule)).to_be_visible()

    await details.get_by_label("Due date").fill("2096-01-31")
    await tab.edit_title("Pay the rent", "Pay the high rent")

    await tab.expect_status("Saved")
    [task] = await laptop.saved_tasks()
    assert task["due"]["date"] == "2096-01-31"
    assert task["recurrence"]["rule"] == rule


async def test_two_devices_that_complete_a_task_offline_get_one_next_task(
    laptop: Device, phone: Device
) -> None:
    ada = Credentials()
    laptop_tab = await laptop.sign_up(ada)
    await add_repeating_task(laptop_tab, "Water the plants", "Weekly")
    await laptop_tab.expect_status("Saved")
    phone_tab = await phone.sign_in(ada)
    await phone_tab.expect_tasks("Water the plants")

    for device, tab in ((laptop, laptop_tab), (phone, phone_tab)):
        await device.go_offline()
        await tab.expect_status("Offline")
        await tab.checkbox("Water the plants").check()
        await expect(tab.notice("when you are online again")).to_be_visible()
    for device, tab in ((laptop, laptop_tab), (phone, phone_tab)):
        await device.go_online()
        await tab.expect_status("Saved")

    for tab in (laptop_tab, phone_tab):
        await expect(tab.tasks.get_by_role("listitem")).to_have_count(2)
        await expect(open_checkbox(tab, "Water the plants")).to_have_count(1)
        await expect(tab.notice("Next: Monday, January 9, 2096")).to_be_visible()
