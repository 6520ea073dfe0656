"""`make run`: one command, and a person has a task in a browser."""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Final

from playwright.async_api import Browser, expect

from devkit.platform.environment import minimal_environment
from devkit.platform.node import node_environment
from devkit.platform.services import free_ports
from devkit.platform.settings import RunSettings
from devkit.platform.web_app import BUILD
from e2e.support.app_page import Credentials
from e2e.support.device import open_device

UNSET: Final = {name.upper(): "" for name in RunSettings.model_fields}
"""Empty values, so that a developer's own `.env` has no effect."""

START_SECONDS: Final = 180
"""How long the first start may take: it installs packages and builds the app."""

END_OF_UPDATE: Final = """
async () => {
  const registration = await navigator.serviceWorker.ready;
  await registration.update();
  const worker = registration.installing ?? registration.waiting ?? registration.active;
  while (!["activated", "redundant"].includes(worker.state)) {
    await new Promise((resolve) => worker.addEventListener("statechange", resolve, { once: true }));
  }
  return worker.state;
}
"""
"""The state in which the update of the service worker ends."""

HAS_WORKER: Final = "navigator.serviceWorker.controller !== null"


def make_mixed_version(folder: Path) -> None:
    """Write an app whose page names a file that its service worker does not know."""
    copytree(BUILD, folder)
    [style] = (folder / "assets").glob("style-*.css")
    style.with_name("style-of-another-version.css").write_bytes(style.read_bytes())
    page = folder / "index.html"
    page.write_text(page.read_text().replace(style.name, "style-of-another-version.css"))
    worker = folder / "sw.js"
    worker.write_text(worker.read_text() + "\n// another version")


@asynccontextmanager
async def running(folder: Path, port: int, **settings: str) -> AsyncGenerator[None]:
    """Run the platform until the block ends, then stop it as Ctrl-C does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "devkit.cli.run",
        f"--folder={folder}",
        env=minimal_environment() | node_environment() | UNSET | settings | {"PORT": str(port)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout
    output: list[str] = []
    try:
        async with asyncio.timeout(START_SECONDS):
            async for line in process.stdout:
                output.append(line.decode())
                if b"Ctrl-C stops everything" in line:
                    break
        assert process.returncode is None, "".join(output)
        yield
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await process.communicate()


async def test_a_task_is_still_there_after_the_second_start(browser: Browser) -> None:
    ada = Credentials()
    [port] = free_ports(1)
    url = f"http://localhost:{port}"
    with TemporaryDirectory() as name:
        folder = Path(name)
        async with running(folder, port), open_device(browser, url) as laptop:
            tab = await laptop.sign_up(ada)
            await tab.add_task("Water the plants")
            await tab.expect_status("Saved")
            await tab.page.reload()
            await tab.expect_tasks("Water the plants")

        async with running(folder, port), open_device(browser, url) as phone:
            tab = await phone.sign_in(ada)
            await tab.expect_tasks("Water the plants")


async def test_a_service_worker_takes_no_page_of_another_version(browser: Browser) -> None:
    [port] = free_ports(1)
    url = f"http://localhost:{port}"
    with TemporaryDirectory() as name:
        folder = Path(name) / "var"
        app = Path(name) / "app"
        async with open_device(browser, url) as laptop:
            async with running(folder, port):
                tab = await laptop.sign_up()
                await tab.page.wait_for_function(HAS_WORKER)
            make_mixed_version(app)

            async with running(folder, port, APP_FOLDER=str(app)):
                assert await tab.page.evaluate(END_OF_UPDATE) == "redundant"
                await tab.page.reload()
                await tab.add_task("Water the plants")
                await tab.expect_status("Saved")


async def test_a_browser_that_has_the_app_sees_when_it_is_switched_off(browser: Browser) -> None:
    [port] = free_ports(1)
    url = f"http://localhost:{port}"
    start_page = "The task platform is running"
    with TemporaryDirectory() as name:
        folder = Path(name)
        async with open_device(browser, url) as laptop:
            async with running(folder, port):
                page = (await laptop.sign_up()).page
                await page.wait_for_function(HAS_WORKER)

            async with running(folder, port, APP="off"):
                await page.reload()
                await expect(page.get_by_role("heading", name=start_page)).to_be_visible()
                await page.reload()
                await expect(page.get_by_role("heading", name=start_page)).to_be_visible()
                assert await page.evaluate("caches.keys()") == []
