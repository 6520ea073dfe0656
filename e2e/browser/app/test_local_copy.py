"""What the app keeps in the browser: nothing after signing out, nothing for another person."""

from typing import Final

import pytest
from playwright.async_api import expect

from e2e.support.app_page import Credentials
from e2e.support.device import Device, DeviceFactory

FORBID_STORAGE: Final = """
for (const name of ["indexedDB", "localStorage", "sessionStorage", "caches"]) {
  Object.defineProperty(window, name, {
    get() {
      throw new DOMException("The operation is insecure.", "SecurityError");
    },
  });
}
"""
"""Makes storage what it is where a person has forbidden it, as in some private modes."""

HOLD_DATABASE: Final = """
async () => {
  const [{ name }] = await indexedDB.databases();
  const opening = indexedDB.open(name);
  const database = await new Promise((resolve) => {
    opening.onsuccess = () => resolve(opening.result);
  });
  const transaction = database.transaction([...database.objectStoreNames], "readwrite");
  const items = transaction.objectStore("items");
  const hold = () => {
    items.get("").onsuccess = hold;
  };
  hold();
}
"""
"""Lets everything that the app writes wait until the page is left, as on a very slow machine."""


async def fill_storage(device: Device) -> None:
    """Leave the app no space for its data, as on a full disk."""
    tab = await device.open_tab()
    session = await device.context.new_cdp_session(tab.page)
    await session.send(  # pyright: ignore[reportUnknownMemberType] - Playwright's type
        "Storage.overrideQuotaForOrigin", {"origin": device.url, "quotaSize": 1}
    )


async def test_signing_out_removes_the_local_copy(laptop: Device) -> None:
    ada = Credentials()
    tab = await laptop.sign_up(ada)
    await tab.add_task("Water the plants")
    await tab.expect_status("Saved")
    assert "Water the plants" in await laptop.stored_text(tab)

    await tab.sign_out()

    await laptop.expect_forgotten(tab, "Water the plants", ada.email)


async def test_another_person_in_the_same_browser_sees_nothing(laptop: Device) -> None:
    ada_tab = await laptop.sign_up(Credentials("Ada"))
    await ada_tab.add_task("Water the plants")
    await ada_tab.expect_status("Saved")
    await ada_tab.sign_out()

    bob_tab = await laptop.sign_up(Credentials("Bob"))
    await bob_tab.expect_tasks()
    await bob_tab.wait_until_offline_ready()
    await laptop.go_offline()
    await bob_tab.page.reload()

    await bob_tab.expect_signed_in()
    await bob_tab.expect_tasks()
    await expect(bob_tab.page.get_by_text("Water the plants")).to_have_count(0)
    assert "Water the plants" not in await laptop.stored_text(bob_tab)


async def test_another_tab_notices_that_its_user_has_signed_out(laptop: Device) -> None:
    first_tab = await laptop.sign_up()
    await first_tab.add_task("Water the plants")
    await first_tab.expect_status("Saved")
    second_tab = await laptop.open_app()
    await second_tab.expect_tasks("Water the plants")

    await first_tab.sign_out()

    await second_tab.expect_signed_out()
    await laptop.expect_forgotten(second_tab)


async def test_tasks_of_a_person_who_signs_in_again_come_back(laptop: Device) -> None:
    ada = Credentials()
    tab = await laptop.sign_up(ada)
    await tab.add_task("Water the plants")
    await tab.expect_status("Saved")
    await tab.sign_out()

    tab = await laptop.sign_in(ada)

    await tab.expect_tasks("Water the plants")


@pytest.mark.parametrize("is_forbidden", [True, False], ids=["forbidden", "full"])
async def test_without_storage_the_app_works_and_says_that_nothing_is_kept(
    laptop: Device, *, is_forbidden: bool
) -> None:
    if is_forbidden:
        await laptop.context.add_init_script(FORBID_STORAGE)
    else:
        await fill_storage(laptop)
    tab = await laptop.sign_up()

    await tab.add_task("Water the plants")
    await tab.expect_status("Saved")
    await expect(tab.page.get_by_text("This browser keeps nothing")).to_be_visible()
    await tab.page.reload()

    await tab.expect_signed_in()
    await tab.expect_tasks("Water the plants")


async def test_with_storage_the_app_does_not_say_that_nothing_is_kept(
    open_browser: DeviceFactory,
) -> None:
    laptop = await open_browser()
    tab = await laptop.sign_up()
    await tab.expect_status("Saved")

    await expect(tab.page.get_by_text("This browser keeps nothing")).to_have_count(0)


async def test_what_was_shown_is_there_after_leaving_at_once(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await tab.add_task("Feed the cat")
    await tab.expect_status("Saved")
    await tab.page.evaluate(HOLD_DATABASE)

    await tab.add_task("Water the plants")
    await tab.edit_title("Feed the cat", "Feed the dog")
    await tab.page.reload()

    await tab.expect_tasks("Feed the dog", "Water the plants")
    await tab.expect_status("Saved")
    assert sorted(await laptop.saved_titles()) == ["Feed the dog", "Water the plants"]
    kept_names: list[str] = await tab.page.evaluate("Object.keys(localStorage)")
    assert [name for name in kept_names if "unstored" in name] == []
