"""A real Chromium, and a record of errors and requests of the pages in it."""

import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    async_playwright,
    expect,
)

_PROGRAM_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")

TIMEOUT_SECONDS: Final = 15
"""How long a page may take to show what a test expects."""


def _find_chromium() -> str | None:
    for name in _PROGRAM_NAMES:
        path = shutil.which(name)
        if path:
            return path
    return None


CHROMIUM_PATH: Final = _find_chromium()
"""The browser of this machine; None if there is none."""


@asynccontextmanager
async def run_chromium() -> AsyncGenerator[Browser]:
    """Run a headless browser until the block ends."""
    expect.set_options(timeout=TIMEOUT_SECONDS * 1000)
    async with async_playwright() as playwright:
        yield await playwright.chromium.launch(executable_path=CHROMIUM_PATH)


@asynccontextmanager
async def open_page(browser: Browser) -> AsyncGenerator[Page]:
    """Open a page that shares neither cookies nor storage with any other."""
    async with await browser.new_context() as context:
        context.set_default_timeout(TIMEOUT_SECONDS * 1000)
        yield await context.new_page()


def record_page_errors(page: Page, allowed_origins: Sequence[str]) -> list[str]:
    """Return a list that grows by each error of the page and each request to another origin.

    Violations of the content security policy are errors, and so are, in Chromium, responses
    with a status of 400 or more.
    """
    errors: list[str] = []
    allowed_prefixes = tuple(f"{origin}/" for origin in allowed_origins)

    def record_message(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            errors.append(message.text)

    def record_request(request: Request) -> None:
        if not request.url.startswith(allowed_prefixes):
            errors.append(f"requested {request.url}")

    def record_exception(error: Exception) -> None:
        errors.append(str(error))

    page.on("console", record_message)
    page.on("request", record_request)
    page.on("pageerror", record_exception)
    return errors
