"""The reference app in a tab, used by roles and accessible names only, as a person would."""

import re
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Final

from playwright.async_api import FilePayload, Locator, Page, expect

SYNC_SECONDS: Final = 10
"""How long a change may take to show on another device."""

UNDO_SECONDS: Final = 8
"""How long a deletion can be undone at least."""

PROGRESS_SECONDS: Final = 60
"""How long an export or import may take."""

SYNC_STATES: Final = {
    "Saved": re.compile(r"^\s*Saved"),
    "Saving": re.compile(r"^\s*Saving"),
    "Offline": re.compile(r"^\s*Offline"),
    "Not saved yet": re.compile(r"^\s*Not saved yet"),
}
"""The beginning of the text of the status region, by state."""

START_COUNTING: Final = """
(text) => {
  const count = (resolve) => {
    let frames = 0;
    const look = () => {
      frames += 1;
      if (document.body.innerText.includes(text)) resolve(frames);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  };
  window.framesUntilShown = new Promise((resolve) => {
    document.addEventListener("keydown", () => count(resolve), {once: true, capture: true});
  });
}
"""
"""Counts the frames from the next key until the page shows a text."""


@dataclass(frozen=True)
class Credentials:
    """Who signs up or in."""

    name: str = "Ada"
    email: str = field(default_factory=lambda: f"{token_hex(8)}@example.test")
    password: str = field(default_factory=lambda: token_hex(16))


@dataclass(frozen=True)
class AppPage:
    """A tab with the app."""

    page: Page
    url: str

    @property
    def tasks(self) -> Locator:
        """The list of tasks."""
        return self.page.get_by_role("list", name="Tasks", exact=True)

    @property
    def new_task(self) -> Locator:
        """The field for the title of a new task."""
        return self.page.get_by_role("textbox", name="New task", exact=True)

    @property
    def title(self) -> Locator:
        """The field with the title of the task that is being edited."""
        return self.page.get_by_role("textbox", name="Title", exact=True)

    @property
    def search(self) -> Locator:
        """The field that searches tasks."""
        return self.page.get_by_role("searchbox", name="Search", exact=True)

    @property
    def lists(self) -> Locator:
        """The navigation between lists."""
        return self.page.get_by_role("navigation", name="Lists", exact=True)

    @property
    def conflict(self) -> Locator:
        """The dialog that shows the two versions of a field."""
        return self.page.get_by_role("dialog", name="Conflict")

    @property
    def undo(self) -> Locator:
        """The button that brings back what was deleted."""
        return self.page.get_by_role("button", name="Undo")

    def task(self, title: str) -> Locator:
        """Return the item of the task with this title."""
        checkbox = self.page.get_by_role("checkbox", name=title, exact=True)
        return self.tasks.get_by_role("listitem").filter(has=checkbox)

    def checkbox(self, title: str) -> Locator:
        """Return the checkbox that completes a task."""
        return self.tasks.get_by_role("checkbox", name=title, exact=True)

    def status(self, state: str) -> Locator:
        """Return the status region, if it shows this key of `SYNC_STATES`."""
        return self.page.get_by_role("status").filter(has_text=SYNC_STATES[state])

    def notice(self, text: str) -> Locator:
        """Return the message at the bottom that has this text."""
        return self.page.locator(".notice-card").filter(has_text=text)

    @property
    def subtasks(self) -> Locator:
        """The list of subtasks in the details."""
        return self.page.get_by_role("list", name="Subtasks", exact=True)

    def subtask(self, title: str) -> Locator:
        """Return the checkbox of a subtask in the details."""
        return self.subtasks.get_by_role("checkbox", name=title, exact=True)

    async def open(self) -> None:
        """Open the app, or load it anew."""
        await self.page.goto(self.url)

    async def sign_up(self, credentials: Credentials) -> None:
        """Open the app and sign up; the app then shows the user's tasks."""
        await self.open()
        await self.show_form("Sign up")
        await self._textbox("Name").fill(credentials.name)
        await self._submit("Sign up", credentials)
        await expect(self.new_task).to_be_visible()

    async def sign_in(self, credentials: Credentials) -> None:
        """Open the app and sign in; the app then shows the user's tasks."""
        await self.open()
        await self.try_to_sign_in(credentials)
        await expect(self.new_task).to_be_visible()

    async def try_to_sign_in(self, credentials: Credentials) -> None:
        """Fill in the form to sign in, and send it."""
        await self.show_form("Sign in")
        await self._submit("Sign in", credentials)

    async def show_form(self, action: str) -> None:
        """Switch between signing up and signing in, if the other form is shown."""
        is_sign_up = action == "Sign up"
        await expect(self._textbox("Email")).to_be_visible()
        if await self._textbox("Name").is_visible() == is_sign_up:
            return
        switch = self.page.get_by_role("button", name=action)
        await switch.or_(self.page.get_by_role("link", name=action)).first.click()
        await expect(self._textbox("Name")).to_have_count(int(is_sign_up))

    async def choose_in_account(self, name: str) -> None:
        """Choose an entry of the account menu, such as "Sign out"."""
        await self.page.get_by_role("button", name="Account", exact=True).click()
        entry = self.page.get_by_role("button", name=name, exact=True)
        await entry.or_(self.page.get_by_role("menuitem", name=name, exact=True)).click()

    async def sign_out(self) -> None:
        """Sign out; the app then shows the form to sign in."""
        await self.choose_in_account("Sign out")
        await self.expect_signed_out()

    async def delete_account(self, credentials: Credentials) -> None:
        """Delete the account; the app then shows the form to sign in."""
        await self.choose_in_account("Delete account")
        dialog = self.page.get_by_role("dialog")
        await dialog.get_by_label("Password", exact=True).fill(credentials.password)
        await dialog.get_by_role("button", name="Delete account", exact=True).click()
        await expect(dialog).to_have_count(0)
        await self.expect_signed_out()

    async def add_task(self, title: str) -> None:
        """Add a task."""
        await self.new_task.fill(title)
        await self.new_task.press("Enter")
        await expect(self.task(title)).to_be_visible()

    async def edit_title(self, title: str, new_title: str) -> None:
        """Give a task another title."""
        await self.start_editing(title)
        await self.finish_editing(new_title)
        await expect(self.task(new_title)).to_be_visible()

    async def start_editing(self, title: str) -> None:
        """Make the title of a task a field."""
        await self.task(title).get_by_role("button", name="Edit").click()
        await expect(self.title).to_have_value(title)

    async def finish_editing(self, new_title: str) -> None:
        """Change the field with the title, and leave it by Enter."""
        await self.title.fill(new_title)
        await self.title.press("Enter")

    async def delete_task(self, title: str) -> None:
        """Delete a task."""
        await self.task(title).get_by_role("button", name="Delete").click()
        await expect(self.task(title)).to_have_count(0)

    async def show_details(self, title: str) -> Locator:
        """Show the details of a task, and return their region."""
        await self.task(title).get_by_role("button", name="Details").click()
        details = self.page.get_by_role("complementary", name="Details")
        await expect(details.get_by_role("textbox", name="Task name")).to_have_value(title)
        return details

    async def hide_details(self) -> None:
        """Close the details."""
        details = self.page.get_by_role("complementary", name="Details")
        await details.get_by_role("button", name="Close").click()

    async def add_subtask(self, title: str) -> None:
        """Add a subtask in the details that are shown."""
        field = self.page.get_by_role("textbox", name="New subtask", exact=True)
        await field.fill(title)
        await field.press("Enter")
        await expect(self.subtask(title)).to_be_visible()

    async def choose_in_list(self, list_name: str, entry: str) -> None:
        """Choose an entry of the menu of "Inbox", or of another list whose menu is "List"."""
        await self.page.get_by_role("button", name=f"{list_name} options", exact=True).click()
        await self.page.get_by_role("button", name=entry, exact=True).click()

    async def add_list(self, name: str) -> None:
        """Add a list."""
        field = self.lists.get_by_role("textbox", name="New list", exact=True)
        await field.fill(name)
        await field.press("Enter")
        await expect(self._list_entry(name)).to_be_visible()

    async def choose_list(self, name: str) -> None:
        """Show the tasks of a list, or of "Inbox"."""
        await self._list_entry(name).click()

    async def choose_filter(self, name: str) -> None:
        """Show "All", "Open" or "Completed" tasks."""
        radio = self.page.get_by_role("radio", name=name, exact=True)
        await radio.or_(self.page.get_by_role("tab", name=name, exact=True)).click()

    def move_handle(self, title: str) -> Locator:
        """Return the button that moves a task, by the mouse or by keys."""
        return self.task(title).get_by_role("button", name="Reorder", exact=True)

    async def task_titles(self) -> list[str]:
        """Return the titles of the shown tasks in their order."""
        return re.findall('checkbox "([^"]*)"', await self.tasks.aria_snapshot())

    async def expect_order(self, *titles: str) -> None:
        """Expect exactly these tasks in this order."""
        await self.expect_tasks(*titles)
        for index, title in enumerate(titles):
            item = self.tasks.get_by_role("listitem").nth(index)
            await expect(item.get_by_role("checkbox", name=title, exact=True)).to_be_visible()

    async def wait_until_offline_ready(self) -> None:
        """Wait until the browser has the app's files, so that a reload needs no network."""
        await self.page.wait_for_function("navigator.serviceWorker.controller !== null")

    async def stop_clock(self) -> None:
        """Let time pass only as the test says; `Device.control_time` came before the tab."""
        now: float = await self.page.evaluate("Date.now() / 1000")
        await self.page.clock.pause_at(now + 1)

    async def wait_for_frames(self) -> None:
        """Wait until the page has been painted after what was done last."""
        await self.page.evaluate(
            "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    async def export_file(self) -> str:
        """Export the user's data by the account menu, and return them."""
        async with self.page.expect_download() as downloading:
            await self.choose_in_account("Export")
        download = await downloading.value
        path = await download.path()
        await self._close_dialog("Export")
        return path.read_text()

    async def import_file(self, content: str) -> None:
        """Import data by the account menu."""
        await self.start_import(content)
        await self._close_dialog("Import")

    async def start_import(self, content: str) -> Locator:
        """Choose a file with this content, and return the dialog that shows what comes of it."""
        async with self.page.expect_file_chooser() as choosing:
            await self.choose_in_account("Import")
        chooser = await choosing.value
        file = FilePayload(
            name="tasks.ndjson", mimeType="application/x-ndjson", buffer=content.encode()
        )
        await chooser.set_files(file)
        return self.page.get_by_role("dialog", name="Import", exact=True)

    async def expect_tasks(self, *titles: str) -> None:
        """Expect exactly these tasks, in any order."""
        for title in titles:
            await expect(self.task(title)).to_have_count(1)
        await expect(self.tasks.get_by_role("listitem")).to_have_count(len(titles))

    async def expect_status(self, state: str) -> None:
        """Expect that the app shows this key of `SYNC_STATES`."""
        await expect(self.status(state)).to_be_visible()

    async def expect_signed_in(self) -> None:
        """Expect the user's tasks, not the form to sign in."""
        await expect(self.new_task).to_be_visible()
        await expect(self.page.get_by_label("Password")).to_have_count(0)

    async def expect_signed_out(self) -> None:
        """Expect the form to sign in, without any task."""
        await expect(self.page.get_by_label("Password", exact=True)).to_be_visible()
        await expect(self.tasks).to_have_count(0)

    async def count_frames_until_shown(self, title: str) -> int:
        """Add a task, and return how many frames after the key Enter it was shown."""
        await self.new_task.fill(title)
        await self.page.evaluate(START_COUNTING, title)
        await self.new_task.press("Enter")
        frames: int = await self.page.evaluate("framesUntilShown")
        return frames

    def _list_entry(self, name: str) -> Locator:
        link = self.lists.get_by_role("link", name=name, exact=True)
        return link.or_(self.lists.get_by_role("button", name=name, exact=True))

    def _textbox(self, name: str) -> Locator:
        return self.page.get_by_role("textbox", name=name, exact=True)

    async def _close_dialog(self, name: str) -> None:
        """Close a dialog that shows progress, when it has come to its end."""
        dialog = self.page.get_by_role("dialog", name=name, exact=True)
        done = dialog.get_by_role("button", name="Done", exact=True)
        await expect(done).to_be_visible(timeout=PROGRESS_SECONDS * 1000)
        alerts = await dialog.get_by_role("alert").all_inner_texts()
        assert alerts == [], alerts
        await done.click()
        await expect(dialog).to_have_count(0)

    async def _submit(self, action: str, credentials: Credentials) -> None:
        await self._textbox("Email").fill(credentials.email)
        await self.page.get_by_label("Password", exact=True).fill(credentials.password)
        await self.page.get_by_role("button", name=action, exact=True).click()
