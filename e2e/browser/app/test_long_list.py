"""Ten thousand tasks: only those on the screen are in the page, and scrolling is smooth."""

from datetime import UTC, datetime, timedelta
from math import inf
from statistics import median

from playwright.async_api import expect

from e2e.support.app_page import AppPage, Credentials
from e2e.support.device import Device
from e2e.support.import_export import EXPORT_HEADER, Record, task_record, to_ndjson

TASKS = 10_000

FIRST = datetime(2020, 1, 1, tzinfo=UTC)
"""When the first task was created: tasks are shown in the order of their creation."""

TIMESTAMP = "%Y-%m-%dT%H:%M:%S.%fZ"

LOAD_SECONDS = 60
"""How long a busy machine may need until the app has read them all."""

ITEMS_MAX = 200
"""How many items may be in the page, those just outside of the screen among them."""

FRAME_MEDIAN_MAX_SECONDS = 0.1
"""A smooth frame takes 0.017 s; the machines of tests have no graphics and are busy."""

SCROLLS_MAX = 4
"""How often to scroll until it is smooth: what else runs on the machine only makes it slower."""

SCROLL = """
async () => {
  const list = document.querySelector("[aria-label=Tasks]");
  let scroller = list;
  while (scroller.scrollHeight <= scroller.clientHeight) {
    scroller = scroller.parentElement ?? document.scrollingElement;
  }
  const durations = [];
  let last = performance.now();
  for (let step = 1; step <= 60; step += 1) {
    scroller.scrollTop = (scroller.scrollHeight * step) / 60;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    durations.push((now - last) / 1000);
    last = now;
  }
  scroller.scrollTop = scroller.scrollHeight;
  return durations;
}
"""
"""Scrolls to the end in 60 steps, and returns the duration of each frame in seconds."""


async def import_tasks(tab: AppPage, count: int) -> None:
    """Import tasks by the account menu."""
    records: list[Record] = []
    for number in range(count):
        created_at = FIRST + timedelta(seconds=number)
        records.append(task_record(f"Task {number:05}", created_at=created_at.strftime(TIMESTAMP)))
    await tab.import_file(EXPORT_HEADER + to_ndjson(records))
    first = tab.tasks.get_by_role("listitem").first
    await expect(first).to_have_attribute("aria-setsize", str(count), timeout=LOAD_SECONDS * 1000)
    await expect(tab.task("Task 00000")).to_be_visible()


def is_smooth(medians: list[float]) -> bool:
    return min(medians, default=inf) <= FRAME_MEDIAN_MAX_SECONDS


async def test_ten_thousand_tasks_scroll_smoothly(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await import_tasks(tab, TASKS)

    medians: list[float] = []
    while len(medians) < SCROLLS_MAX and not is_smooth(medians):
        medians.append(median(await tab.page.evaluate(SCROLL)))

    await expect(tab.task(f"Task {TASKS - 1:05}")).to_be_visible()
    assert await tab.tasks.get_by_role("listitem").count() <= ITEMS_MAX
    assert is_smooth(medians), medians


async def test_a_task_among_ten_thousand_is_found_at_once(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await import_tasks(tab, TASKS)

    await tab.search.fill("Task 07777")

    await tab.expect_tasks("Task 07777")


async def test_long_words_stay_on_a_narrow_page(laptop: Device) -> None:
    width = 360
    title = "W" * 200
    await laptop.sign_up_without_app(Credentials(name="W" * 100))
    await laptop.create_task_without_app(title, labels=["W" * 50])
    tab = await laptop.open_tab()
    await tab.page.set_viewport_size({"width": width, "height": 640})
    await tab.open()

    for shown in (tab.checkbox(title), tab.task(title).get_by_role("link")):
        box = await shown.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
