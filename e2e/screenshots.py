"""`make screenshots`: take the pictures of the README from the app, with example data.

The clock of the page stands still, so that dates in the pictures do not change.
"""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory
from typing import Final, Literal

import httpx
from playwright.async_api import Browser, ViewportSize

from devkit.platform.databases import MigratedDatabases, database_environment
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import derive_passport_keys, generate_private_key
from devkit.platform.postgres import throwaway_postgres
from devkit.platform.processes import ProcessGroup
from devkit.platform.services import start_platform
from devkit.platform.settings import CHECKOUT
from e2e.support.app_page import AppPage, Credentials
from e2e.support.app_platform import start_app_platform
from e2e.support.chromium import run_chromium

FOLDER: Final = CHECKOUT / "docs" / "screenshots"

NOW: Final = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)

ADA: Final = Credentials("Ada Lovelace", "ada@example.com")

DESKTOP: Final = ViewportSize(width=1120, height=720)
PHONE: Final = ViewportSize(width=390, height=780)

LISTS: Final = ("Garden", "Home", "Work")

TASKS: Final[dict[str, list[dict[str, object]]]] = {
    "Garden": [
        {"title": "Water the plants", "due": {"date": "2027-03-01"}, "labels": ["daily"]},
        {
            "title": "Sow tomatoes on the window sill",
            "due": {"date": "2027-02-27"},
            "priority": "high",
            "labels": ["spring"],
        },
        {"title": "Cut back the roses", "due": {"date": "2027-03-06"}, "labels": ["spring"]},
        {"title": "Order compost", "priority": "low"},
        {"title": "Sharpen the shears", "is_completed": True},
        {"title": "Clean the bird bath", "is_completed": True},
    ],
    "Home": [
        {"title": "Call the plumber", "priority": "high"},
        {"title": "Return the library books", "due": {"date": "2027-03-04"}},
    ],
    "Work": [{"title": "Prepare the review", "due": {"date": "2027-03-02"}}],
}
"""The tasks of each list."""


async def start(stack: AsyncExitStack, folder: Path) -> str:
    """Start the platform with the app on fresh databases, and return its URL."""
    group = await stack.enter_async_context(ProcessGroup(folder))
    postgres = await stack.enter_async_context(throwaway_postgres(group))
    databases = MigratedDatabases(group, postgres)
    urls = {service: await databases.create(service) for service in ("tasks", "users")}
    environment = database_environment(urls, minimal_environment())
    environment["BETTER_AUTH_SECRET"] = token_urlsafe()
    keys = derive_passport_keys(generate_private_key())
    platform = start_platform(group, environment, keys)
    await platform.wait_until_ready()
    app_group = await stack.enter_async_context(ProcessGroup(folder / "app"))
    app = await start_app_platform(app_group, postgres, platform, keys)
    return app.url


async def make_examples(url: str) -> None:
    """Sign up, and make lists and tasks."""
    account = {"name": ADA.name, "email": ADA.email, "password": ADA.password}
    async with httpx.AsyncClient(base_url=url, headers={"Origin": url}) as client:
        response = await client.post("/api/auth/sign-up/email", json=account)
        response.raise_for_status()
        token = (await client.get("/api/auth/token")).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        for name in LISTS:
            task_list = (await client.post("/lists", json={"name": name})).raise_for_status()
            for task in TASKS[name]:
                body = task | {"list_id": task_list.json()["id"]}
                (await client.post("/tasks", json=body)).raise_for_status()


async def take_screenshot(
    browser: Browser,
    url: str,
    name: str,
    size: ViewportSize,
    color_scheme: Literal["light", "dark"],
) -> None:
    """Sign in, choose a list, and write `docs/screenshots/<name>.png`."""
    async with await browser.new_context(
        viewport=size,
        has_touch=size == PHONE,
        is_mobile=size == PHONE,
        color_scheme=color_scheme,
        timezone_id="UTC",
        reduced_motion="reduce",
    ) as context:
        await context.clock.set_fixed_time(NOW)
        tab = AppPage(await context.new_page(), url)
        await tab.sign_in(ADA)
        await tab.choose_list("Garden")
        await tab.expect_tasks(*(str(task["title"]) for task in TASKS["Garden"]))
        await tab.expect_status("Saved")
        await tab.page.mouse.move(0, 0)
        await tab.page.screenshot(path=FOLDER / f"{name}.png", animations="disabled", caret="hide")


async def main() -> None:
    """Take all screenshots."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="screenshots-") as folder:
        async with AsyncExitStack() as stack:
            url = await start(stack, Path(folder))
            browser = await stack.enter_async_context(run_chromium())
            await make_examples(url)
            await take_screenshot(browser, url, "desktop", DESKTOP, "light")
            await take_screenshot(browser, url, "phone", PHONE, "dark")


if __name__ == "__main__":
    asyncio.run(main())
