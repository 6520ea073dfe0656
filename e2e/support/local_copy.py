"""Browsers whose tabs open the local copy of the TypeScript client, without the app."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Final

from playwright.async_api import BrowserContext, Page, Request, Response, Route

from devkit.platform.node import NODE, install_packages, installed_program, node_environment
from devkit.platform.processes import POLL_SECONDS, ProcessGroup
from devkit.platform.settings import CHECKOUT

_FOLDER: Final = CHECKOUT / "e2e" / "client" / "local_copy"

_PATH: Final = "/local-copy/"
"""Where the pages are: at the platform's origin, which answers 404 there."""

PATIENCE_SECONDS: Final = 15
"""How long a test waits for what it expects."""


async def build_pages(group: ProcessGroup, folder: Path) -> None:
    """Build the scripts of the pages into an empty folder."""
    await install_packages(group)
    command = [NODE, installed_program("vite"), "build"]
    command += ["--config", _FOLDER / "vite.config.ts", "--outDir", folder]
    await group.run("local-copy-pages", command, node_environment())


@dataclass
class Tab:
    """A tab that shows the local copy of a user."""

    page: Page

    async def run(self, script: str) -> object:
        """Return the result of a script, for example `store.getStatus()`."""
        return await self.page.evaluate(script)

    async def expect(self, script: str, expected: object) -> None:
        """Wait until a script returns what is expected.

        Raises:
            AssertionError: It did not within `PATIENCE_SECONDS`.
        """
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while await self.run(script) != expected:
            if asyncio.get_running_loop().time() > deadline:
                assert await self.run(script) == expected, script
            await asyncio.sleep(POLL_SECONDS)

    async def titles(self) -> list[str]:
        """Return the titles of the tasks that are shown."""
        return list(await self.page.evaluate("titles()"))

    async def expect_titles(self, *titles: str) -> None:
        """Wait until these tasks are shown, in any order."""
        await self.expect("titles().sort()", sorted(titles))

    async def expect_state(self, state: str) -> None:
        """Wait until the status says this."""
        await self.expect("store.getStatus().state", state)

    async def create_task(self, title: str) -> None:
        """Create a task, and wait until storage has it."""
        await self.page.evaluate("title => void store.createTask({title})", title)
        await self.wait_until_stored()

    async def wait_until_stored(self) -> None:
        """Wait until storage has all edits: its transactions are in order."""
        await self.page.evaluate("databaseIsIdle()")


@dataclass
class LocalCopyBrowser:
    """A browser whose tabs share cookies, storage and the network."""

    context: BrowserContext
    url: str
    pages: Path
    user_id: str = ""

    async def serve_pages(self) -> None:
        """Add the pages to the platform's origin, also offline."""

        async def serve(route: Route) -> None:
            name = route.request.url.split("?")[0].removeprefix(self.url + _PATH)
            if name.endswith(".js"):
                await route.fulfill(path=self.pages / name, content_type="text/javascript")
                return
            html = f'<!doctype html><script type="module" src="{_PATH}{name}.js"></script>'
            await route.fulfill(body=html, content_type="text/html")

        await self.context.route(f"{self.url}{_PATH}**", serve)

    async def sign_up(self) -> None:
        """Sign up a new user; all tabs are then signed in."""
        account = {
            "name": "Ada",
            "email": f"{token_hex(8)}@example.test",
            "password": token_hex(16),
        }
        response = await self.context.request.post(
            f"{self.url}/api/auth/sign-up/email", data=account, headers={"Origin": self.url}
        )
        assert response.ok, await response.text()
        self.user_id = (await response.json())["user"]["id"]

    async def open_tab(self, name: str = "page", script: str = "") -> Page:
        """Open a page in a new tab; `script` runs before its own."""
        page = await self.context.new_page()
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        if script:
            await page.add_init_script(script)
        await page.goto(f"{self.url}{_PATH}{name}?user={self.user_id}")
        return page

    async def open_store(self, script: str = "") -> Tab:
        """Open the local copy of the user in a new tab."""
        tab = Tab(await self.open_tab(script=script))
        await tab.run("openUserStore()")
        return tab

    async def reload(self, tab: Tab) -> None:
        """Load the page anew, and open the local copy."""
        await tab.page.reload()
        await tab.run("openUserStore()")

    async def database_names(self, tab: Tab) -> list[str]:
        """Return the names of the databases in the browser."""
        databases = await tab.page.evaluate("indexedDB.databases()")
        return [database["name"] for database in databases]

    async def server_titles(self) -> list[str]:
        """Return the titles of the user's tasks on the server."""
        tokens = await self.context.request.get(f"{self.url}/api/auth/token")
        token = (await tokens.json())["token"]
        response = await self.context.request.get(
            f"{self.url}/tasks", headers={"Authorization": f"Bearer {token}"}
        )
        return sorted(task["title"] for task in await response.json())

    async def go_offline(self) -> None:
        """Cut the network of all tabs."""
        await self.context.set_offline(offline=True)

    async def go_online(self) -> None:
        """Connect the network again."""
        await self.context.set_offline(offline=False)

    def record_requests(self, matches: Callable[[Request], bool]) -> list[str]:
        """Return a list that grows by the method and URL of each answered request that matches."""
        requests: list[str] = []

        def record(response: Response) -> None:
            request = response.request
            if matches(request):
                requests.append(f"{request.method} {request.url}")

        self.context.on("response", record)
        return requests
