"""Where the gateway has no folder with the app, `/` shows what there is instead."""

from playwright.async_api import Page, expect

from e2e.support.chromium import record_page_errors


async def test_the_page_at_the_root_names_what_there_is(page: Page, base_url: str) -> None:
    errors = record_page_errors(page, [base_url])

    response = await page.goto(f"{base_url}/")

    assert response
    assert response.status == 200
    await expect(page.locator("a[href='/docs']")).to_be_visible()
    await expect(page.get_by_text("make token")).to_be_visible()
    await expect(page.get_by_text("docs/front-ends")).to_be_visible()
    assert errors == []
