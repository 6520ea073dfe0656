"""`make run`: one command, and a person has a task in a browser."""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from playwright.async_api import Browser

from devkit.platform.environment import minimal_environment
from devkit.platform.node import node_environment
from devkit.platform.services import free_ports
from devkit.platform.settings import RunSettings
from e2e.support.app_page import Credentials
from e2e.support.device import open_device

UNSET: Final = {name.upper(): "" for name in RunSettings.model_fields}
"""Empty values, so that a developer's own `.env` has no effect."""

START_SECONDS: Final = 180
"""How long the first start may take: it installs packages and builds the app."""


@asynccontextmanager
async def running(folder: Path, port: int) -> AsyncGenerator[None]:
    """Run the platform until the block ends, then stop it as Ctrl-C does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "devkit.cli.run",
        f"--folder={folder}",
        env=minimal_environment() | node_environment() | UNSET | {"PORT": str(port)},
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
