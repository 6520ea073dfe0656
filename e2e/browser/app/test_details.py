"""The details of a task: what its fields save, and what they do not."""

from playwright.async_api import expect

from e2e.support.device import Device


async def test_a_date_out_of_range_is_told_beside_the_field(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await tab.add_task("Water the plants")
    await tab.expect_status("Saved")
    details = await tab.show_details("Water the plants")
    date = details.get_by_label("Due date")

    await date.fill("2300-01-01")
    await date.blur()

    await expect(details.get_by_role("alert")).to_contain_text("between 1970 and 2200")
    await tab.expect_status("Saved")
    await expect(tab.page.get_by_text("refused")).to_have_count(0)
    await date.fill("2027-01-01")
    await expect(details.get_by_role("alert")).to_have_count(0)
    await expect(tab.task("Water the plants").get_by_role("time")).to_be_visible()


async def test_a_label_that_was_not_added_is_none_after_closing(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await tab.add_task("Water the plants")
    await tab.expect_status("Saved")
    details = await tab.show_details("Water the plants")
    field = details.get_by_role("combobox", name="Labels")
    await field.fill("garden")
    await field.press("Enter")

    await field.fill("something else")
    await details.get_by_role("button", name="Close").click()

    await tab.expect_status("Saved")
    await expect(tab.lists.get_by_role("link", name="garden")).to_be_visible()
    await expect(tab.page.get_by_text("something else")).to_have_count(0)
