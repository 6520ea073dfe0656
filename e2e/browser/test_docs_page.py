"""The API reference in a real browser."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from e2e.support.chromium import record_page_errors
from e2e.support.contract import UNKNOWN_ID
from e2e.support.user_client import UserClient, UserClientFactory


@pytest.fixture
def ada(as_user: UserClientFactory) -> UserClient:
    """Return the client of the user who reads the page."""
    return as_user("ada")


async def unfold(page: Page, operation_id: str) -> Locator:
    """Unfold an operation of the page and return it."""
    operation = page.locator(f"#{operation_id}")
    await operation.locator("summary").first.click()
    return operation


async def enter_token(page: Page, user: UserClient) -> None:
    token = user.headers["authorization"].removeprefix("Bearer ")
    await page.get_by_label("Token").fill(token)


@pytest.mark.scenario("S001-SC-005")
async def test_a_user_enters_a_token_and_creates_a_task(
    page: Page, base_url: str, ada: UserClient
) -> None:
    errors = record_page_errors(page, [base_url])
    await page.goto(f"{base_url}/docs")
    await enter_token(page, ada)
    operation = await unfold(page, "create_task")

    await operation.get_by_label("body").fill('{"title": "Water the plants"}')
    await operation.get_by_role("button", name="Try it").click()

    await expect(operation).to_contain_text("201")
    await expect(operation).to_contain_text(re.compile('"title": "Water the plants"'))
    assert [task["title"] for task in await ada.list_tasks()] == ["Water the plants"]
    assert errors == []


async def test_a_user_imports_the_example_and_exports_it(
    page: Page, base_url: str, ada: UserClient
) -> None:
    await page.goto(f"{base_url}/docs")
    await enter_token(page, ada)

    import_operation = await unfold(page, "import_me")
    await import_operation.get_by_role("button", name="Try it").click()
    await expect(import_operation).to_contain_text('"created": 1')
    export_operation = await unfold(page, "export_me")
    await export_operation.get_by_role("button", name="Try it").click()
    await expect(export_operation).to_contain_text('"title":"Water the plants"')

    profile = await ada.get("/users/me")
    assert profile.json()["time_zone"] == "Europe/Berlin"


async def test_a_problem_links_to_its_documentation(page: Page, base_url: str) -> None:
    errors = record_page_errors(page, [base_url])
    await page.goto(f"{base_url}/docs")
    operation = await unfold(page, "get_task")

    await operation.get_by_label("task_id").fill(UNKNOWN_ID)
    await operation.get_by_role("button", name="Try it").click()
    await expect(operation).to_contain_text("www-authenticate: Bearer")
    await expect(operation).to_contain_text('"code": "token-missing"')
    await operation.get_by_role("link", name="task-not-found").click()

    await expect(page.get_by_role("heading", level=1)).to_have_text("task-not-found")
    assert [error for error in errors if "status of 401" not in error] == []
