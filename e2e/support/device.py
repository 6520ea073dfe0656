"""A browser of one person: its tabs share cookies, storage and the network."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final, TypeAlias

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Request,
    Response,
    Route,
    WebError,
)

from devkit.platform.processes import POLL_SECONDS
from e2e.support.app_page import AppPage, Credentials
from e2e.support.chromium import TIMEOUT_SECONDS

SIGN_IN_FORM: Final = "a form to sign in is shown"

WATCH_PAGE: Final = f"""
document.addEventListener("securitypolicyviolation", (event) => {{
  console.error("policy violated", event.violatedDirective, event.blockedURI, event.sourceFile);
}});
new MutationObserver(() => {{
  if (document.querySelector("input[type=password]")) console.debug("{SIGN_IN_FORM}");
}}).observe(document, {{childList: true, subtree: true}});
"""
"""Runs in every page before its own scripts.

It writes to the console each violation of the page's policy, and when there is a form to sign in,
however briefly.
"""

DUMP_STORAGE: Final = """
async () => {
  const found = [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie];
  for (const {name} of await indexedDB.databases()) {
    const database = await new Promise((resolve, reject) => {
      const opening = indexedDB.open(name);
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => reject(opening.error);
    });
    found.push(name);
    for (const store of database.objectStoreNames) {
      const reading = database.transaction(store).objectStore(store).getAll();
      const rows = await new Promise((resolve) => {
        reading.onsuccess = () => resolve(reading.result);
      });
      found.push(JSON.stringify(rows));
    }
    database.close();
  }
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const response = await cache.match(request);
      found.push(request.url, await response.text());
    }
  }
  return found;
}
"""
"""Returns everything that the origin keeps in this browser, as texts."""

HARMLESS_MESSAGE: Final = "Failed to load resource"
"""Chromium writes this to the console for each failed request, whatever the page does about it."""


@dataclass
class Device:
    """A browser, and a record of what its tabs did."""

    context: BrowserContext
    url: str
    requests: list[Request] = field(default_factory=list[Request])
    tokens: set[str] = field(default_factory=set[str])
    """Every token that the identity server has issued to this browser."""

    console: list[str] = field(default_factory=list[str])
    """Everything that a page wrote to its console."""

    faults: list[str] = field(default_factory=list[str])
    """Violations of the content security policy, exceptions, and errors in the console."""

    async def open_tab(self) -> AppPage:
        """Open an empty tab."""
        return AppPage(await self.context.new_page(), self.url)

    async def sign_up(self, credentials: Credentials | None = None) -> AppPage:
        """Sign up in a new tab, and wait until the app is ready."""
        tab = await self.open_tab()
        await tab.sign_up(credentials or Credentials())
        return tab

    async def sign_up_without_app(self, credentials: Credentials) -> None:
        """Sign up by a request of its own; all tabs are then signed in."""
        account = {
            "name": credentials.name,
            "email": credentials.email,
            "password": credentials.password,
        }
        response = await self.context.request.post(
            f"{self.url}/api/auth/sign-up/email", data=account, headers={"Origin": self.url}
        )
        assert response.ok, await response.text()

    async def create_task_without_app(self, title: str, **fields: object) -> None:
        """Create a task of the signed-in user by a request of its own."""
        response = await self.context.request.post(
            f"{self.url}/tasks",
            data={"title": title, **fields},
            headers=await self.token_headers(),
        )
        assert response.ok, await response.text()

    async def saved_titles(self) -> list[str]:
        """Return the titles of the tasks that the platform has of the signed-in user."""
        return [task["title"] for task in await self.saved_tasks()]

    async def saved_tasks(self) -> list[dict[str, Any]]:
        """Return the tasks that the platform has of the signed-in user."""
        response = await self.context.request.get(
            f"{self.url}/tasks?limit=100", headers=await self.token_headers()
        )
        tasks: list[dict[str, Any]] = await response.json()
        return tasks

    async def token_headers(self) -> dict[str, str]:
        """Return headers with a token of the signed-in user."""
        response = await self.context.request.get(f"{self.url}/api/auth/token")
        token = (await response.json())["token"]
        return {"Authorization": f"Bearer {token}"}

    async def sign_in(self, credentials: Credentials) -> AppPage:
        """Sign in in a new tab, and wait until the app is ready."""
        tab = await self.open_tab()
        await tab.sign_in(credentials)
        return tab

    async def open_app(self) -> AppPage:
        """Open the app in a new tab."""
        tab = await self.open_tab()
        await tab.open()
        return tab

    async def go_offline(self) -> None:
        """Cut the network of all tabs and of the service worker."""
        await self.context.set_offline(offline=True)

    async def go_online(self) -> None:
        """Connect the network again."""
        await self.context.set_offline(offline=False)

    async def control_time(self, now: datetime | None = None) -> None:
        """Let the test move the clock of pages that are opened from now on; it keeps running.

        Args:
            now: What the clock shows now; None for the time.
        """
        await self.context.clock.install(time=now or datetime.now(UTC))

    async def on_writes(self, handle: Callable[[Route], Awaitable[None]]) -> None:
        """Let a function decide what becomes of each write of tasks, lists and labels."""

        async def handle_write(route: Route) -> None:
            if route.request.method == "GET":
                await route.fallback()
            else:
                await handle(route)

        await self.context.route(re.compile(rf"^{self.url}/(tasks|lists|labels)\b"), handle_write)

    async def respond_with(self, status: int, path: str) -> None:
        """Let requests of a path fail with a status, until `stop_responding`."""

        async def respond(route: Route) -> None:
            await route.fulfill(status=status, body="")

        await self.context.route(self.url + path, respond)

    async def stop_responding(self) -> None:
        """Let all requests reach the servers again."""
        await self.context.unroute_all()

    def count_requests(self, path: str, method: str = "GET") -> int:
        """Return how many requests of a path all tabs have sent."""
        url = self.url + path
        return sum(request.method == method and request.url == url for request in self.requests)

    def count_sign_in_forms(self) -> int:
        """Return how often a page changed while it showed a form to sign in."""
        return self.console.count(SIGN_IN_FORM)

    async def stored_text(self, tab: AppPage) -> str:
        """Return everything that the browser keeps for the app, without cookies of HTTP only."""
        texts: list[str] = await tab.page.evaluate(DUMP_STORAGE)
        return "\n".join(texts)

    async def database_names(self, tab: AppPage) -> list[str]:
        """Return the names of the databases in the browser."""
        databases: list[dict[str, str]] = await tab.page.evaluate("indexedDB.databases()")
        return [database["name"] for database in databases]

    async def expect_forgotten(self, tab: AppPage, *texts: str) -> None:
        """Expect no database, and none of these texts in storage.

        Both end as soon as the other tabs have closed the database and have seen what is stored,
        which may be a moment after a tab shows the form to sign in.
        """
        deadline = monotonic() + TIMEOUT_SECONDS
        while left := await self._left(tab, texts):
            assert monotonic() < deadline, left
            await asyncio.sleep(POLL_SECONDS)

    async def _left(self, tab: AppPage, texts: Sequence[str]) -> list[str]:
        """Return the names of databases, and those of the texts that are stored."""
        # First, because looking into a database would create one that is being removed.
        if names := await self.database_names(tab):
            return names
        stored = await self.stored_text(tab)
        return [text for text in texts if text in stored]

    async def start_recording(self) -> None:
        """Record what all tabs do from now on."""
        await self.context.add_init_script(WATCH_PAGE)
        self.context.on("request", self._record_request)
        self.context.on("response", self._record_token)
        self.context.on("console", self._record_console)
        self.context.on("weberror", self._record_error)

    def _record_request(self, request: Request) -> None:
        self.requests.append(request)

    def _record_console(self, message: ConsoleMessage) -> None:
        self.console.append(message.text)
        if message.type in ("error", "warning") and HARMLESS_MESSAGE not in message.text:
            self.faults.append(message.text)

    def _record_error(self, error: WebError) -> None:
        self.faults.append(str(error.error))

    async def _record_token(self, response: Response) -> None:
        if "/api/auth/" not in response.url:
            return
        token = response.headers.get("set-auth-jwt")
        if token:
            self.tokens.add(token)
        if response.url.endswith("/api/auth/token") and response.ok:
            with suppress(Error):  # the page has been left meanwhile
                self.tokens.add(json.loads(await response.text())["token"])


DeviceFactory: TypeAlias = Callable[[], Awaitable[Device]]
"""Opens a browser without cookies and storage."""


@asynccontextmanager
async def open_device(
    browser: Browser, url: str, *, time_zone: str | None = None
) -> AsyncGenerator[Device]:
    """Open a browser without cookies and storage until the block ends.

    Args:
        browser: The program.
        url: The public URL.
        time_zone: The person's; None for the machine's.

    Raises:
        AssertionError: A page violated the content security policy, or reported an error.
    """
    async with await browser.new_context(reduced_motion="reduce", timezone_id=time_zone) as context:
        context.set_default_timeout(TIMEOUT_SECONDS * 1000)
        device = Device(context, url)
        await device.start_recording()
        yield device
        assert device.faults == []
