"""Where the gateway has no folder with the app, `/` shows what there is instead."""

import pytest
from playwright.async_api import Page, expect

from e2e.support.chromium import record_page_errors


@pytest.mark.parametrize("name", ["/docs", "make token"])
async def test_the_page_at_the_root_names_what_there_is(
    page: Page, base_url: str, name: str
) -> None:
    errors = record_page_errors(page, [base_url])

    response = await page.goto(f"{base_url}/")

    assert response
    assert response.status == 200
    await expect(page.get_by_text(name).first).to_be_visible()
    assert errors == []


async def test_there_is_no_service_worker_to_install(page: Page, base_url: str) -> None:
    response = await page.goto(f"{base_url}/sw.js")

    assert response
    assert response.status == 404
