"""The form to sign up or in: what it sends, and what it says about mistakes."""

from playwright.async_api import expect

from e2e.support.app_page import Credentials
from e2e.support.device import Device


async def test_an_empty_form_marks_the_fields_in_plain_words(laptop: Device) -> None:
    tab = await laptop.open_app()
    await tab.show_form("Sign up")

    await tab.page.get_by_role("button", name="Sign up", exact=True).click()

    await expect(tab.page.get_by_text("This is not an email address.")).to_be_visible()
    for label in ("Email", "Password"):
        field = tab.page.get_by_label(label, exact=True)
        await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(tab.page.get_by_text("body.")).to_have_count(0)


async def test_switching_to_the_other_form_sends_nothing(laptop: Device) -> None:
    ada = Credentials()
    tab = await laptop.open_app()
    await tab.show_form("Sign up")
    await tab.page.get_by_label("Email", exact=True).fill(ada.email)
    await tab.page.get_by_label("Password", exact=True).fill(ada.password)

    await tab.show_form("Sign in")
    await tab.wait_for_frames()

    assert laptop.count_requests("/api/auth/sign-in/email", "POST") == 0
    await expect(tab.page.get_by_label("Email", exact=True)).to_have_value(ada.email)
    await expect(tab.page.get_by_role("alert")).to_have_count(0)
