"""Export, import, and deleting an account on both sides."""

import json
from typing import Final

import httpx
import pytest
from playwright.async_api import Route, expect

from e2e.support.app_page import SYNC_SECONDS, AppPage, Credentials
from e2e.support.device import Device

GET_ACCOUNT: Final = "localStorage.getItem('task-platform.account')"

SET_ACCOUNT: Final = """
(account) => {
  const key = "task-platform.account";
  if (account === null) localStorage.removeItem(key);
  else localStorage.setItem(key, account);
}
"""


async def test_an_export_can_be_imported_by_another_person(laptop: Device, phone: Device) -> None:
    ada_tab = await laptop.sign_up(Credentials("Ada"))
    for title in ("Water the plants", "Feed the cat"):
        await ada_tab.add_task(title)
    await ada_tab.checkbox("Feed the cat").check()
    await ada_tab.expect_status("Saved")

    exported = await ada_tab.export_file()
    bob_tab = await phone.sign_up(Credentials("Bob"))
    await bob_tab.import_file(exported)

    await bob_tab.expect_tasks("Water the plants", "Feed the cat")
    await expect(bob_tab.checkbox("Feed the cat")).to_be_checked()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"foo": 1}\n', "This is not an export of this app (line 1)."),
        ("no JSON\n", "This is not an export of this app (line 1)."),
        ('HEADER{"kind": "task"}\n', "Line 2, id: Field required."),
    ],
    ids=["other", "no-json", "task"],
)
async def test_a_file_that_cannot_be_imported_says_where_and_why(
    laptop: Device, content: str, message: str
) -> None:
    tab = await laptop.sign_up()
    await tab.expect_status("Saved")
    header = (await tab.export_file()).splitlines(keepends=True)[0]

    dialog = await tab.start_import(content.replace("HEADER", header))

    await expect(dialog.get_by_role("alert")).to_contain_text(message)


async def test_deleting_an_account_with_a_wrong_password_says_so(laptop: Device) -> None:
    ada = Credentials()
    tab = await laptop.sign_up(ada)
    await tab.choose_in_account("Delete account")
    dialog = tab.page.get_by_role("dialog")

    await dialog.get_by_label("Password", exact=True).fill("another password")
    await dialog.get_by_role("button", name="Delete account", exact=True).click()

    await expect(dialog.get_by_role("alert")).to_have_text("The password is wrong.")


async def test_a_deleted_account_is_confirmed_and_ends_on_other_devices(
    tabs: tuple[AppPage, AppPage], ada: Credentials
) -> None:
    laptop_tab, phone_tab = tabs

    await laptop_tab.delete_account(ada)

    confirmation = "Your account and its tasks are deleted."
    await expect(laptop_tab.page.get_by_text(confirmation)).to_be_visible()
    await expect(phone_tab.page.get_by_label("Password", exact=True)).to_be_visible(
        timeout=2 * SYNC_SECONDS * 1000
    )


async def test_a_deleted_account_is_gone_on_both_sides(laptop: Device, phone: Device) -> None:
    ada = Credentials()
    tab = await laptop.sign_up(ada)
    await tab.add_task("Water the plants")
    await tab.expect_status("Saved")
    headers = await laptop.token_headers()

    await tab.delete_account(ada)

    await laptop.expect_forgotten(tab, ada.email)
    async with httpx.AsyncClient(base_url=laptop.url, headers=headers) as client:
        tasks = await client.get("/tasks")
    assert tasks.json() == []
    phone_tab = await phone.open_app()
    await phone_tab.try_to_sign_in(ada)
    await expect(phone_tab.page.get_by_role("alert")).to_be_visible()
    await phone_tab.expect_signed_out()


async def sign_up_and_lose_session(laptop: Device, credentials: Credentials) -> AppPage:
    """Sign up, add "Water the plants" offline, and let the session end before it is saved."""
    tab = await laptop.sign_up(credentials)
    await laptop.go_offline()
    await tab.add_task("Water the plants")
    await laptop.context.clear_cookies()

    async def fail(route: Route) -> None:
        await route.abort()

    # Online the page would save the task at once, with the token that it still has.
    await laptop.on_writes(fail)
    await laptop.go_online()
    await tab.page.reload()
    await tab.expect_signed_out()
    await laptop.stop_responding()
    return tab


async def test_an_ended_session_keeps_what_is_not_saved(laptop: Device) -> None:
    ada = Credentials()
    tab = await sign_up_and_lose_session(laptop, ada)

    await tab.sign_in(ada)

    await tab.expect_tasks("Water the plants")
    await tab.expect_status("Saved")


async def test_edits_of_an_ended_session_outlast_another_person(laptop: Device) -> None:
    ada = Credentials("Ada")
    tab = await sign_up_and_lose_session(laptop, ada)

    await tab.sign_up(Credentials("Bob"))
    await tab.expect_tasks()
    await tab.expect_status("Saved")
    await tab.sign_out()
    await tab.sign_in(ada)

    await tab.expect_tasks("Water the plants")
    await tab.expect_status("Saved")


async def end_session_late(laptop: Device, account: str | None) -> str | None:
    """Tell a tab of an ended session only after another tab has left this account, or none.

    Returns:
        The account that is stored afterwards.
    """
    tab = await laptop.sign_up(Credentials())
    await tab.expect_status("Saved")
    await tab.page.evaluate(SET_ACCOUNT, account)
    await laptop.respond_with(401, "/tasks/changes*")
    await laptop.respond_with(401, "/api/auth/token")
    await tab.expect_signed_out()
    stored: str | None = await tab.page.evaluate(GET_ACCOUNT)
    return stored


async def test_an_ended_session_does_not_bring_back_what_another_tab_removed(
    laptop: Device,
) -> None:
    assert await end_session_late(laptop, None) is None


async def test_an_ended_session_does_not_take_the_place_of_another_user(laptop: Device) -> None:
    bob = '{"id": "bob", "name": "Bob", "email": "bob@example.test"}'

    account = await end_session_late(laptop, bob)

    assert account
    assert json.loads(account)["id"] == "bob"


async def test_a_tab_that_is_late_does_not_bring_back_who_signed_out(laptop: Device) -> None:
    """It may hear that the copy is erased before it sees that the account is forgotten."""
    tab = await laptop.sign_up()
    late = (await laptop.open_tab()).page
    await late.goto(f"{laptop.url}/healthz")
    account = json.loads(await tab.page.evaluate(GET_ACCOUNT))
    await tab.sign_out()

    await late.evaluate(SET_ACCOUNT, json.dumps(account | {"isEnded": True}))

    await late.wait_for_function(f"{GET_ACCOUNT} === null")
    await tab.expect_signed_out()


@pytest.mark.parametrize("has_other_tab", [True, False], ids=["another tab", "no other tab"])
@pytest.mark.parametrize("is_online", [True, False], ids=["online", "offline"])
async def test_the_next_page_finishes_a_sign_out_whose_page_was_closed(
    laptop: Device, *, is_online: bool, has_other_tab: bool
) -> None:
    ada = Credentials()
    tab = await laptop.sign_up(ada)
    await tab.add_task("Water the plants")
    await tab.expect_status("Saved")
    if has_other_tab:
        other_tab = await laptop.open_app()
        await other_tab.expect_tasks("Water the plants")

    async def never_answer(_route: Route) -> None:
        """Leave the request open, as a slow network does."""

    await tab.page.route("**/api/auth/sign-out", never_answer)
    async with tab.page.expect_request("**/api/auth/sign-out"):
        await tab.choose_in_account("Sign out")
    await tab.page.close()

    if not is_online:
        await laptop.respond_with(503, "/api/auth/sign-out")
    next_tab = await laptop.open_app()
    await next_tab.expect_signed_out()
    await laptop.expect_forgotten(next_tab, "Water the plants", ada.email)

    await laptop.stop_responding()
    await next_tab.page.reload()
    await next_tab.expect_signed_out()
    session = await laptop.context.request.get(f"{laptop.url}/api/auth/get-session")
    assert await session.json() is None


async def test_a_sign_out_that_fails_keeps_everything(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await tab.add_task("Water the plants")
    await tab.expect_status("Saved")
    await laptop.respond_with(503, "/api/auth/sign-out")

    await tab.choose_in_account("Sign out")
    await expect(tab.page.get_by_text("you are still signed in")).to_be_visible()
    await tab.page.reload()

    await tab.expect_signed_in()
    await tab.expect_tasks("Water the plants")
