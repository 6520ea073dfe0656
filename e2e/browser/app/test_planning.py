"""Due dates are shown as the person's clock and calendar see them."""

from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser, expect

from e2e.support.app_page import Credentials
from e2e.support.app_platform import AppPlatform
from e2e.support.device import open_device

NOW = datetime(2027, 3, 2, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("time_zone", "is_overdue"), [("Asia/Tokyo", True), ("America/Los_Angeles", False)]
)
async def test_a_day_is_over_when_it_is_over_where_the_person_is(
    browser: Browser, app_platform: AppPlatform, time_zone: str, *, is_overdue: bool
) -> None:
    async with open_device(browser, app_platform.url, time_zone=time_zone) as laptop:
        await laptop.control_time(NOW)
        await laptop.sign_up_without_app(Credentials())
        await laptop.create_task_without_app("Water the plants", due={"date": "2027-03-01"})

        tab = await laptop.open_app()

        task = tab.task("Water the plants")
        await expect(task).to_be_visible()
        await expect(task.get_by_text("Overdue")).to_have_count(int(is_overdue))
