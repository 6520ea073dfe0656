"""Whose local copy a React page shows, whatever the sign-in answers and however late."""

from collections.abc import Mapping
from typing import Final

from playwright.async_api import Page, expect

from e2e.client.conftest import DeviceFactory

PENDING: Final = {"data": None, "isPending": True, "error": None}

NOBODY: Final = {"data": None, "isPending": False, "error": None}

UNREACHABLE: Final = {"data": None, "isPending": False, "error": {"status": 0}}

UNAUTHORIZED: Final = {"data": None, "isPending": False, "error": {"status": 401}}

RECORD_SHOWN: Final = """
() => {
  window.shown = [];
  const output = document.querySelector("output");
  const record = () => {
    shown.push([output.textContent, localStorage.getItem("task-platform.user")]);
  };
  new MutationObserver(record).observe(output, { characterData: true, subtree: true });
}
"""


def session_of(user: str, session_id: str = "first") -> dict[str, object]:
    """Return what Better Auth says while a user is signed in."""
    data = {"user": {"id": user}, "session": {"id": session_id}}
    return {"data": data, "isPending": False, "error": None}


async def answer(page: Page, session: Mapping[str, object]) -> None:
    """Let the sign-in answer, once the page asks: React runs effects after it has shown a page."""
    await page.wait_for_function("'setSession' in window")
    await page.evaluate("session => setSession(session)", session)


async def expect_shown(page: Page, text: str) -> None:
    """Wait until the page shows a user, `nobody` or `pending`."""
    await expect(page.locator("output")).to_have_text(text)


async def test_a_user_is_remembered_until_the_sign_in_says_otherwise(
    open_device: DeviceFactory,
) -> None:
    device = await open_device()
    page = await device.open_tab("remembered_page")
    await expect_shown(page, "pending")
    await answer(page, session_of("ada"))
    await expect_shown(page, "ada")
    await page.reload()

    await expect_shown(page, "ada")
    for session in (UNREACHABLE, PENDING, UNREACHABLE):
        await answer(page, session)
        await expect_shown(page, "ada")
    stored = await page.evaluate("JSON.stringify(localStorage)")
    assert stored == '{"task-platform.user":"ada"}'

    for session in (NOBODY, UNAUTHORIZED):
        await answer(page, session_of("ada"))
        await expect_shown(page, "ada")
        await answer(page, session)
        await expect_shown(page, "nobody")
        await page.reload()
        await expect_shown(page, "pending")


async def test_an_answer_is_kept_by_the_time_that_it_is_shown(open_device: DeviceFactory) -> None:
    device = await open_device()
    page = await device.open_tab("remembered_page")
    await expect_shown(page, "pending")
    await page.evaluate(RECORD_SHOWN)
    await answer(page, session_of("ada"))
    await expect_shown(page, "ada")
    await answer(page, NOBODY)
    await expect_shown(page, "nobody")
    await answer(page, session_of("ben", "second"))
    await expect_shown(page, "ben")
    assert await page.evaluate("shown") == [["ada", "ada"], ["nobody", None], ["ben", "ben"]]


async def test_a_form_stays_while_the_sign_in_is_asked_again(open_device: DeviceFactory) -> None:
    device = await open_device()
    page = await device.open_tab("remembered_page")
    for session in (UNREACHABLE, PENDING, NOBODY, PENDING):
        await answer(page, session)
        await expect_shown(page, "nobody")


async def test_an_answer_that_was_on_its_way_does_not_undo_a_sign_out(
    open_device: DeviceFactory,
) -> None:
    device = await open_device()
    page = await device.open_tab("remembered_page")
    await answer(page, session_of("ada"))
    await expect_shown(page, "ada")

    await page.evaluate("forgetUser()")
    await expect_shown(page, "nobody")
    for session in (session_of("ada"), UNREACHABLE, PENDING, session_of("ada")):
        await answer(page, session)
        await expect_shown(page, "nobody")
    await page.reload()
    await expect_shown(page, "pending")

    await answer(page, session_of("ada", "second"))
    await expect_shown(page, "ada")


async def test_a_user_who_signs_in_in_another_tab_replaces_the_remembered_one(
    open_device: DeviceFactory,
) -> None:
    device = await open_device()
    first = await device.open_tab("remembered_page")
    second = await device.open_tab("remembered_page")
    await answer(first, session_of("ada"))
    await expect_shown(second, "ada")

    await answer(second, session_of("ben", "second"))
    await expect_shown(second, "ben")
    # Tabs see each other's storage a moment later; until then the first cannot know of Ben.
    await first.wait_for_function("localStorage.getItem('task-platform.user') === 'ben'")
    await first.evaluate("forgetUser()")  # learns late that the session of Ada has ended

    await expect_shown(first, "ben")
    await second.reload()
    await expect_shown(second, "ben")
    await answer(second, session_of("ben", "second"))
    await second.evaluate("forgetUser()")
    await expect_shown(second, "nobody")
    await expect_shown(first, "nobody")


async def test_a_page_without_storage_remembers_until_it_is_left(
    open_device: DeviceFactory,
) -> None:
    device = await open_device()
    forbid = """
    Object.defineProperty(window, "localStorage", {
      get() { throw new DOMException("The operation is insecure.", "SecurityError"); },
    });
    """
    page = await device.open_tab("remembered_page", forbid)
    await answer(page, session_of("ada"))
    await answer(page, UNREACHABLE)
    await expect_shown(page, "ada")
    await page.evaluate("forgetUser()")
    await expect_shown(page, "nobody")
