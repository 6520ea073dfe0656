"""The page that shows the API, in a real browser."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from e2e.support.chromium import complaints_of
from e2e.support.contract import SOME_ID
from e2e.support.user_client import AsUser, Person


@pytest.fixture
def ada(as_user: AsUser) -> Person:
    """Speak for whoever reads the page."""
    return as_user("ada")


async def opened(page: Page, operation: str) -> Locator:
    """Unfold one operation of the page."""
    found = page.locator(f"#{operation}")
    await found.locator("summary").first.click()
    return found


@pytest.mark.scenario("S001-SC-005")
async def test_a_person_pastes_a_token_and_creates_a_task(
    page: Page, base_url: str, ada: Person
) -> None:
    complaints = complaints_of(page, base_url)
    await page.goto(f"{base_url}/docs")
    await page.get_by_label("Token").fill(ada.headers["authorization"].removeprefix("Bearer "))
    operation = await opened(page, "create_task")

    await operation.get_by_label("body").fill('{"title": "Water the plants"}')
    await operation.get_by_role("button", name="Try it").click()

    await expect(operation).to_contain_text("201")
    await expect(operation).to_contain_text(re.compile('"title": "Water the plants"'))
    assert [task["title"] for task in await ada.tasks()] == ["Water the plants"]
    assert complaints == []


async def test_a_person_imports_the_example_and_exports_it_again(
    page: Page, base_url: str, ada: Person
) -> None:
    await page.goto(f"{base_url}/docs")
    await page.get_by_label("Token").fill(ada.headers["authorization"].removeprefix("Bearer "))

    for name, shown in (("import_me", '"created": 1'), ("export_me", '"title":"Water the plants"')):
        operation = await opened(page, name)
        await operation.get_by_role("button", name="Try it").click()
        await expect(operation).to_contain_text(shown)

    assert (await ada.get("/users/me")).json()["time_zone"] == "Europe/Berlin"


async def test_a_refusal_is_shown_and_leads_to_its_explanation(page: Page, base_url: str) -> None:
    complaints = complaints_of(page, base_url)
    await page.goto(f"{base_url}/docs")
    operation = await opened(page, "get_task")

    await operation.get_by_label("task_id").fill(SOME_ID)
    await operation.get_by_role("button", name="Try it").click()
    await expect(operation).to_contain_text("www-authenticate: Bearer")
    await expect(operation).to_contain_text('"code": "token-missing"')
    await operation.get_by_role("link", name="task-not-found").click()

    await expect(page.get_by_role("heading", level=1)).to_have_text("task-not-found")
    assert [complaint for complaint in complaints if "status of 401" not in complaint] == []
