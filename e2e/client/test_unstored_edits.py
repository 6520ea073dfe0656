"""Edits of pages that were left before IndexedDB had stored them."""

import asyncio
import json
from typing import Final

from e2e.support.local_copy import LocalCopyBrowser, Tab

HOLD_DATABASE: Final = """
async () => {
  const [{name}] = await indexedDB.databases();
  const opening = indexedDB.open(name);
  const database = await new Promise((resolve) => {
    opening.onsuccess = () => resolve(opening.result);
  });
  const items = database.transaction([...database.objectStoreNames], "readwrite")
    .objectStore("items");
  const hold = () => {
    items.get("").onsuccess = hold;
  };
  hold();
}
"""
"""Lets everything that is written wait until the page is left, as on a very slow machine."""

HANG_AFTER_EDIT: Final = """
(milliseconds) => {
  store.createTask({title: "Water the plants"});
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}
"""

KEPT_NAMES: Final = "Object.keys(localStorage).filter((name) => name.includes('unstored'))"

KEEP_EDIT: Final = """
(user) => localStorage.setItem(`task-platform ${location.origin} ${user} unstored 1`, "[]")
"""

COME_BACK: Final = """
() => void dispatchEvent(new PageTransitionEvent("pageshow", {persisted: true}))
"""
"""What a page sees that was left, and is shown again as it was."""

OPEN_AND_CLOSE_STORE: Final = """
async () => {
  const opening = openUserStore();
  store.close();
  await opening.catch(() => undefined);
}
"""
"""What React does with an effect in StrictMode, and an app when the user changes at once."""

KEEP_EDITS_OF_OTHERS: Final = """
async () => {
  for (const user of ["gone", "ended"]) {
    localStorage.setItem(`task-platform ${user} unstored 1`, "[]");
  }
  const opening = indexedDB.open("task-platform ended");
  await new Promise((resolve) => {
    opening.onsuccess = resolve;
  });
  opening.result.close();
}
"""
"""Keeps edits of a user whose copy is gone, and of one whose session has ended."""

HANG_SECONDS: Final = 4
"""Longer than signing out waits for other tabs."""


async def leave_with_unstored_edit(laptop: LocalCopyBrowser, title: str) -> Tab:
    """Create a task in a new tab, and leave the page before it is stored.

    Returns:
        Another tab, without a store, that sees what the page has kept: a page is left in the
        background, and tabs see each other's storage a moment later.
    """
    tab = await laptop.open_store()
    await tab.page.evaluate(HOLD_DATABASE)
    await tab.page.evaluate("title => void store.createTask({title})", title)
    await tab.page.goto("about:blank")
    next_tab = Tab(await laptop.open_tab())
    await next_tab.expect(
        f"JSON.stringify(localStorage).includes({json.dumps(title)})", expected=True
    )
    return next_tab


async def test_the_next_page_does_what_two_pages_could_not_store(laptop: LocalCopyBrowser) -> None:
    await leave_with_unstored_edit(laptop, "Water the plants")
    tab = await leave_with_unstored_edit(laptop, "Feed the cat")

    await tab.run("openUserStore()")

    await tab.expect_titles("Feed the cat", "Water the plants")
    await tab.expect(KEPT_NAMES, [])
    await tab.expect_state("saved")
    assert await laptop.server_titles() == ["Feed the cat", "Water the plants"]


async def test_a_page_that_comes_back_leaves_the_edits_of_another_one(
    laptop: LocalCopyBrowser,
) -> None:
    returning = await laptop.open_store()
    tab = await leave_with_unstored_edit(laptop, "Water the plants")

    await returning.page.evaluate(COME_BACK)

    await tab.run("openUserStore()")
    await tab.expect_titles("Water the plants")


async def test_a_store_that_is_closed_at_once_leaves_the_edits_to_the_next_one(
    laptop: LocalCopyBrowser,
) -> None:
    tab = await leave_with_unstored_edit(laptop, "Water the plants")
    await tab.page.evaluate(OPEN_AND_CLOSE_STORE)
    await tab.wait_until_stored()

    await tab.run("openUserStore()")

    await tab.expect_titles("Water the plants")


async def test_a_tab_that_hangs_during_the_sign_out_leaves_no_edit_behind(
    laptop: LocalCopyBrowser,
) -> None:
    tab = await laptop.open_store()
    hanging = await laptop.open_store()
    hang = asyncio.create_task(hanging.page.evaluate(HANG_AFTER_EDIT, HANG_SECONDS * 1000))
    await asyncio.sleep(0.3)
    leaving = asyncio.create_task(hanging.page.goto("about:blank"))
    await asyncio.sleep(0.3)

    await tab.run("store.erase()")

    await asyncio.gather(hang, leaving, return_exceptions=True)
    await tab.expect("indexedDB.databases().then((databases) => databases.length)", 0)
    await tab.expect(KEPT_NAMES, [])


async def test_edits_that_become_visible_after_the_sign_out_are_removed(
    laptop: LocalCopyBrowser,
) -> None:
    """What one process writes reaches another one later than that a database was closed."""
    tab = await laptop.open_store()
    late = Tab(await laptop.open_tab())
    await tab.run("store.erase()")

    await late.page.evaluate(KEEP_EDIT, laptop.user_id)

    # The other tab may not see them yet: only this one knows when they are removed.
    await late.expect(KEPT_NAMES, [])


async def test_edits_whose_copy_is_gone_are_removed(laptop: LocalCopyBrowser) -> None:
    """They are those of somebody who has signed out."""
    tab = Tab(await laptop.open_tab())
    await tab.page.evaluate(KEEP_EDITS_OF_OTHERS)

    await tab.run("openUserStore()")

    await tab.expect(KEPT_NAMES, ["task-platform ended unstored 1"])
