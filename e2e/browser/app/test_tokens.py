"""How the app and the client package use tokens: few requests, no copies."""

import re
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

import pytest

from devkit.platform.processes import ProcessGroup
from e2e.support.app_page import Credentials
from e2e.support.app_platform import AppPlatform
from e2e.support.client_bundle import build_client_bundle
from e2e.support.device import Device

PATH: Final = "/api/auth/token"

TOKEN: Final = re.compile(r"eyJ[\w-]{10,}\.[\w-]{10,}\.")
"""The beginning of any JSON Web Token."""

CALLS: Final = 20

LIFETIME_MIN_SECONDS: Final = 1.5
"""How long a token of three seconds is used at least.

Its times are whole seconds, so up to one is lost; and it is renewed somewhat early.
"""

TAB_COUNT: Final = 3

MAKE_CALLS: Final = """
async ({calls, roundsMin, secondsMin}) => {
  const client = window.createTestClient();
  const start = performance.now();
  let seconds = 0;
  let rounds = 0;
  do {
    await Promise.all(Array.from({length: calls}, () => client.tasks.list({limit: 1})));
    rounds += 1;
    seconds = (performance.now() - start) / 1000;
  } while (rounds < roundsMin || seconds < secondsMin);
  return [rounds, seconds];
}
"""
"""Sends calls of the package at once, again and again; returns how often and for how long."""


@pytest.fixture(scope="module")
async def client_bundle(processes: ProcessGroup, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a script that makes the client package available in a page."""
    return await build_client_bundle(processes, tmp_path_factory.mktemp("client"))


@pytest.fixture
async def _short_tokens(app_platform: AppPlatform) -> AsyncGenerator[None]:
    """Let tokens be valid for three seconds only."""
    async with app_platform.short_tokens(seconds=3):
        yield


@pytest.mark.usefixtures("_short_tokens")
async def test_calls_at_once_share_one_token_for_its_lifetime(
    laptop: Device, client_bundle: str
) -> None:
    await laptop.sign_up_without_app(Credentials())
    tab = await laptop.open_tab()
    await tab.page.goto(f"{laptop.url}/healthz")  # nothing else there sends requests
    await tab.page.evaluate(client_bundle)
    requests_before = laptop.count_requests(PATH)

    rounds, seconds = await tab.page.evaluate(
        MAKE_CALLS, {"calls": CALLS, "roundsMin": 8, "secondsMin": 7}
    )

    token_requests = laptop.count_requests(PATH) - requests_before
    calls = laptop.count_requests("/tasks?limit=1")
    # What arrives too late for its token is sent again, with the next token.
    assert rounds * CALLS <= calls <= (rounds + token_requests) * CALLS
    assert token_requests <= seconds / LIFETIME_MIN_SECONDS + 1


@pytest.mark.usefixtures("_short_tokens")
async def test_tasks_that_are_added_quickly_are_saved_with_short_tokens(laptop: Device) -> None:
    tab = await laptop.sign_up()
    titles = [f"Task {number}" for number in range(CALLS)]

    started_at = monotonic()
    for title in titles:
        await tab.add_task(title)
    await tab.expect_status("Saved")
    seconds = monotonic() - started_at

    token_requests = laptop.count_requests(PATH)
    assert token_requests <= seconds / LIFETIME_MIN_SECONDS + 2
    assert await laptop.saved_titles() == titles


async def test_tabs_share_one_token(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await tab.add_task("Water the plants")
    await tab.expect_status("Saved")

    for title in ("Feed the cat", "Buy milk"):
        other_tab = await laptop.open_app()
        await other_tab.add_task(title)
        await other_tab.expect_status("Saved")

    assert laptop.count_requests(PATH) <= TAB_COUNT


async def test_a_write_after_sixteen_minutes_needs_one_new_token(laptop: Device) -> None:
    await laptop.control_time()
    tab = await laptop.sign_up()
    await tab.add_task("Water the plants")
    await tab.expect_status("Saved")
    requests_before = laptop.count_requests(PATH)

    await tab.page.clock.fast_forward("16:00")
    await tab.add_task("Feed the cat")
    await tab.expect_status("Saved")

    assert laptop.count_requests(PATH) == requests_before + 1


@pytest.mark.parametrize("hours", [-25, 25])
async def test_a_wrong_clock_costs_no_further_token_request(laptop: Device, hours: int) -> None:
    await laptop.control_time(datetime.now(UTC) + timedelta(hours=hours))
    tab = await laptop.sign_up()

    for title in ("Water the plants", "Feed the cat", "Buy milk"):
        await tab.add_task(title)
        await tab.expect_status("Saved")

    assert laptop.count_requests(PATH) == 1


async def test_no_token_is_stored_or_shown_anywhere(laptop: Device) -> None:
    tab = await laptop.sign_up()
    await tab.add_task("Water the plants")
    await tab.expect_status("Saved")
    await tab.page.reload()
    await tab.checkbox("Water the plants").check()
    await tab.expect_status("Saved")
    await laptop.go_offline()
    await tab.add_task("Feed the cat")
    await laptop.go_online()
    await tab.expect_status("Saved")

    stored = await laptop.stored_text(tab)
    urls = "\n".join(request.url for request in laptop.requests)
    console = "\n".join(laptop.console)
    page = await tab.page.content()
    assert laptop.tokens
    assert "Water the plants" in stored
    for text in (stored, urls, console, page):
        assert not TOKEN.search(text)
        assert not any(token in text for token in laptop.tokens)
