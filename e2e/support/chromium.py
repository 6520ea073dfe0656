"""A real Chromium, and a record of what a page does in it that nobody sees who only looks at it."""

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")

PROGRAM: Final = next(filter(None, map(shutil.which, _NAMES)), None)
"""The browser of this machine, if it has one."""

PATIENCE_SECONDS: Final = 15
"""How long a page may take to show what is expected of it."""


@asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    """Run the browser, without a window, until the block ends."""
    async with async_playwright() as playwright:
        yield await playwright.chromium.launch(executable_path=PROGRAM)


@asynccontextmanager
async def blank_page(browser: Browser) -> AsyncGenerator[Page]:
    """Open a page that shares neither cookies nor storage with any other."""
    async with await browser.new_context() as context:
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        yield await context.new_page()


def complaints_of(page: Page, *origins: str) -> list[str]:
    """Return a list that grows: errors of the page, and requests to other origins than these.

    What a content security policy forbids is one of the errors. So is, in Chromium, an answer of 400 or more.
    """
    complaints: list[str] = []

    def note_message(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def note_request(request: Request) -> None:
        if not request.url.startswith(tuple(f"{origin}/" for origin in origins)):
            complaints.append(f"asked for {request.url}")

    page.on("console", note_message)
    page.on("request", note_request)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints
