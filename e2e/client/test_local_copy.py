"""The local copy of the TypeScript client in a real browser: storage, tabs, and their ends."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, Page, Playwright, Route, async_playwright, expect
from playwright.async_api import Error as PlaywrightError

from devkit.platform.processes import POLL_SECONDS
from devkit.platform.services import free_ports
from e2e.support.chromium import CHROMIUM_PATH
from e2e.support.local_copy import LocalCopyBrowser, Tab

FORBID_STORAGE: Final = """
Object.defineProperty(window, "indexedDB", {
  get() { throw new DOMException("The operation is insecure.", "SecurityError"); },
});
"""
"""Makes IndexedDB what it is where a person has forbidden it."""

DATABASE_COUNT: Final = "indexedDB.databases().then((found) => found.length)"

HOLD_DATABASE: Final = """
new Promise((resolve) => {
  indexedDB.databases().then(([{name}]) => {
    const opening = indexedDB.open(name);
    opening.onsuccess = () => { window.held = opening.result; resolve(); };
  });
})
"""
"""Opens the database like a tab that reacts to nothing."""

READ_DATABASE: Final = """
Promise.all([...held.objectStoreNames].map((name) => new Promise((resolve) => {
  const reading = held.transaction(name).objectStore(name).getAll();
  reading.onsuccess = () => resolve(reading.result);
}))).then((stores) => stores.flat())
"""

UPGRADE_DATABASE: Final = """
(version) => indexedDB.databases().then(([{name}]) => new Promise((resolve, reject) => {
  const opening = indexedDB.open(name, version);
  opening.onsuccess = () => { opening.result.close(); resolve(); };
  opening.onerror = () => reject(opening.error);
}))
"""


async def test_what_was_edited_offline_survives_a_reload(laptop: LocalCopyBrowser) -> None:
    tab = await laptop.open_store()
    await tab.create_task("Water the plants")
    await tab.expect_state("saved")
    await laptop.go_offline()
    await tab.create_task("Feed the cat")
    await tab.run("store.changeTask(store.getTasks()[0].id, {is_completed: true})")
    await tab.wait_until_stored()

    await laptop.reload(tab)

    await tab.expect_titles("Feed the cat", "Water the plants")
    status = {"state": "offline", "pending": 2, "isLoaded": True, "isKept": True}
    assert await tab.run("store.getStatus()") == status
    await laptop.go_online()
    await tab.expect_state("saved")
    assert await laptop.server_titles() == ["Feed the cat", "Water the plants"]


async def test_two_offline_tabs_share_what_they_add(laptop: LocalCopyBrowser) -> None:
    first = await laptop.open_store()
    second = await laptop.open_store()
    await laptop.go_offline()

    await asyncio.gather(first.create_task("Water the plants"), second.create_task("Feed the cat"))
    for tab in (first, second):
        await tab.expect_titles("Feed the cat", "Water the plants")
        await laptop.reload(tab)

    await laptop.go_online()
    for tab in (first, second):
        await tab.expect_titles("Feed the cat", "Water the plants")
        await tab.expect_state("saved")
    assert await laptop.server_titles() == ["Feed the cat", "Water the plants"]


async def test_edits_of_one_task_in_two_tabs_become_one_request(laptop: LocalCopyBrowser) -> None:
    first = await laptop.open_store()
    second = await laptop.open_store()
    await first.create_task("Water the plants")
    await second.expect_titles("Water the plants")
    await second.expect_state("saved")
    writes = laptop.record_requests(lambda request: request.method not in ("GET", "OPTIONS"))
    await laptop.go_offline()

    await first.run("store.changeTask(store.getTasks()[0].id, {title: 'Water the cactus'})")
    await second.run("store.changeTask(store.getTasks()[0].id, {priority: 'high'})")
    await second.expect_titles("Water the cactus")
    await first.expect("store.getTasks()[0].priority", "high")
    writes.clear()
    await laptop.go_online()

    await first.expect_state("saved")
    await second.expect_state("saved")
    assert len(writes) == 1, writes


async def test_a_tab_continues_what_another_one_could_not_finish(
    laptop: LocalCopyBrowser,
) -> None:
    first = await laptop.open_store()
    second = await laptop.open_store()

    async def never_answer(route: Route) -> None:
        """Leave a write open; a read would hold up the write that comes after it."""
        if route.request.method != "PUT":
            await route.fallback()

    await first.page.route("**/tasks/*", never_answer)
    async with first.page.expect_request(lambda request: request.method == "PUT"):
        await first.create_task("Water the plants")
    await second.expect_titles("Water the plants")
    assert await laptop.server_titles() == []

    await first.page.close()

    await second.expect_state("saved")
    assert await laptop.server_titles() == ["Water the plants"]


async def test_one_tab_reads_changes_for_all(laptop: LocalCopyBrowser) -> None:
    tabs = [await laptop.open_store() for _ in range(3)]
    await asyncio.sleep(1)
    reads = laptop.record_requests(lambda request: "/tasks/changes" in request.url)

    await asyncio.sleep(11)

    assert 1 <= len(reads) <= 4, reads
    for tab in tabs:
        await tab.expect_state("saved")


async def test_a_killed_browser_loses_nothing(
    client_environment: dict[str, str], pages: Path, tmp_path: Path
) -> None:
    user_id = ""
    titles: list[list[str]] = []
    async with async_playwright() as playwright:
        for _ in range(2):
            async with _run_killable_chromium(playwright, tmp_path) as chromium:
                [context] = chromium.contexts
                device = LocalCopyBrowser(
                    context, client_environment["PLATFORM_URL"], pages, user_id
                )
                await device.serve_pages()
                if not user_id:
                    await device.sign_up()
                    user_id = device.user_id
                await device.go_offline()
                tab = await device.open_store()
                titles.append([str(title) for title in await tab.titles()])
                await tab.create_task("Water the plants")

    assert titles == [[], ["Water the plants"]]


@asynccontextmanager
async def _run_killable_chromium(playwright: Playwright, folder: Path) -> AsyncGenerator[Browser]:
    """Run a browser that keeps its data in a folder, and kill it at the end of the block."""
    [port] = free_ports(1)
    assert CHROMIUM_PATH is not None
    command = [CHROMIUM_PATH, "--headless=new", "--no-sandbox", f"--user-data-dir={folder}"]
    command += [f"--remote-debugging-port={port}", "about:blank"]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    try:
        yield await _connect(playwright, f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        await process.wait()


async def _connect(playwright: Playwright, url: str) -> Browser:
    while True:
        try:
            return await playwright.chromium.connect_over_cdp(url)
        except PlaywrightError:
            await asyncio.sleep(POLL_SECONDS)


async def test_without_storage_everything_works_and_nothing_is_kept(
    laptop: LocalCopyBrowser,
) -> None:
    tab = await laptop.open_store(FORBID_STORAGE)

    await tab.run("void store.createTask({title: 'Water the plants'})")

    await tab.expect_titles("Water the plants")
    await tab.expect_state("saved")
    assert await tab.run("store.getStatus().isKept") is False
    assert await laptop.server_titles() == ["Water the plants"]


async def test_a_full_disk_loses_nothing_of_what_is_shown(laptop: LocalCopyBrowser) -> None:
    empty_page = await laptop.open_tab()
    session = await laptop.context.new_cdp_session(empty_page)
    await session.send(  # pyright: ignore[reportUnknownMemberType] - Playwright's type
        "Storage.overrideQuotaForOrigin", {"origin": laptop.url, "quotaSize": 1}
    )
    tab = await laptop.open_store()
    await laptop.go_offline()

    await tab.run("void store.createTask({title: 'Water the plants'})")
    await tab.run("void store.createTask({title: 'Feed the cat'})")

    await tab.expect("store.getStatus().isKept", expected=False)
    await tab.expect_titles("Feed the cat", "Water the plants")
    await laptop.go_online()
    await tab.expect_state("saved")
    assert await laptop.server_titles() == ["Feed the cat", "Water the plants"]


async def test_erasing_removes_the_copy_from_all_tabs(laptop: LocalCopyBrowser) -> None:
    first = await laptop.open_store()
    second = await laptop.open_store()
    await first.create_task("Water the plants")
    await second.expect_titles("Water the plants")
    assert len(await laptop.database_names(first)) == 1

    await first.run("store.erase()")

    await first.expect(DATABASE_COUNT, 0)  # as soon as the second tab has closed it
    await first.expect_titles()
    await second.expect_titles()
    await asyncio.sleep(1)
    assert await laptop.database_names(second) == []


async def test_erasing_leaves_nothing_to_a_tab_that_does_not_react(
    laptop: LocalCopyBrowser,
) -> None:
    tab = await laptop.open_store()
    await tab.create_task("Water the plants")
    frozen = Tab(await laptop.open_tab())
    await frozen.run(HOLD_DATABASE)

    await tab.run("store.erase()")

    assert await frozen.run(READ_DATABASE) == []
    await frozen.page.close()
    await tab.expect(DATABASE_COUNT, 0)


async def test_another_user_of_the_browser_sees_nothing(laptop: LocalCopyBrowser) -> None:
    ada_tab = await laptop.open_store()
    await ada_tab.create_task("Water the plants")
    await ada_tab.expect_state("saved")
    await ada_tab.page.close()
    await laptop.context.clear_cookies()
    await laptop.sign_up()

    bob_tab = await laptop.open_store()
    await laptop.go_offline()
    await laptop.reload(bob_tab)

    await bob_tab.expect_titles()
    assert await bob_tab.run("store.getStatus().isLoaded") is True


async def test_edits_are_not_sent_with_the_token_of_another_user(
    laptop: LocalCopyBrowser,
) -> None:
    ada_tab = await laptop.open_store()
    await laptop.go_offline()
    await ada_tab.create_task("Water the plants")
    await ada_tab.page.close()  # online it would send the edit with the token that it has
    await laptop.context.clear_cookies()
    await laptop.go_online()
    ada_id = laptop.user_id
    await laptop.sign_up()
    laptop.user_id = ada_id

    ada_tab = await laptop.open_store()

    await ada_tab.expect_state("not-saved")
    await ada_tab.expect_titles("Water the plants")
    assert await ada_tab.run("store.getStatus().pending") == 1
    assert await laptop.server_titles() == []


async def test_a_copy_of_a_newer_version_of_the_package_is_left_alone(
    laptop: LocalCopyBrowser,
) -> None:
    tab = await laptop.open_store()
    await tab.create_task("Water the plants")
    await tab.expect_state("saved")

    await tab.page.evaluate(UPGRADE_DATABASE, 99)

    await tab.expect("store.getStatus().isKept", expected=False)
    await tab.expect_titles("Water the plants")
    await laptop.reload(tab)
    await tab.expect_titles("Water the plants")
    assert await tab.run("store.getStatus().isKept") is False
    assert len(await laptop.database_names(tab)) == 1


async def wait_for_poll(page: Page) -> None:
    """Wait until the page has asked for changes, and has had time to show them."""
    async with page.expect_response(lambda response: "/tasks/changes" in response.url):
        pass
    await asyncio.sleep(1)


async def test_react_shows_the_tasks_of_the_user_without_rendering_in_circles(
    laptop: LocalCopyBrowser,
) -> None:
    page = await laptop.open_tab("react_page")
    async with page.expect_response(lambda response: response.request.method == "PUT"):
        await page.get_by_role("button", name="Add").click()
    await expect(page.get_by_role("listitem")).to_have_text(["Water the plants"])
    await wait_for_poll(page)  # it may bring the new task itself
    renders_before = await page.evaluate("renderCount")

    await wait_for_poll(page)

    # A poll that returns nothing new renders nothing.
    assert await page.evaluate("renderCount") == renders_before
    assert renders_before < 40
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("listitem")).to_have_count(0)


async def test_react_shows_how_many_subtasks_are_completed(laptop: LocalCopyBrowser) -> None:
    page = await laptop.open_tab("react_page")
    await page.get_by_role("button", name="Add").click()
    tab = await laptop.open_store()
    await tab.expect_titles("Water the plants")

    await tab.run("(window.parent_id = store.getTasks()[0].id)")
    for title in ("Fill the can", "Carry it"):
        await tab.run(f"void store.createTask({{title: '{title}', parent_id}})")
    await expect(page.get_by_role("listitem")).to_have_text(["Water the plants 0 of 2"])
    await tab.run(
        "store.changeTask(store.getTasks({parentId: parent_id})[0].id, {is_completed: true})"
    )

    await expect(page.get_by_role("listitem")).to_have_text(["Water the plants 1 of 2"])


async def test_a_closed_store_can_be_erased_in_all_tabs(laptop: LocalCopyBrowser) -> None:
    first = await laptop.open_store()
    second = await laptop.open_store()
    await first.create_task("Water the plants")
    await second.expect_titles("Water the plants")

    # As when the sign-out has ended a session, and a component that shows it.
    await first.run("(store.close(), store.erase())")

    await second.expect_titles()
    await first.expect(DATABASE_COUNT, 0)
