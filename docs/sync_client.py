"""A local copy of one user's tasks, to read and edit offline (docs/sync.md). Needs only httpx."""

from dataclasses import dataclass, field
from http import HTTPStatus

import httpx

Fields = dict[str, object]
Items = dict[str, Fields]

DEFAULTS: Fields = {"title": "", "description": None, "is_completed": False}
"""The fields that a user can edit, and their values in a new task."""


@dataclass
class Edit:
    """An edit of one task and the fields that the user saw before it; None stands for no task."""

    task_id: str
    before: Fields | None
    after: Fields | None


@dataclass
class LocalCopy:
    """The server's state, edits that it has not confirmed or has rejected, and the sync token."""

    http: httpx.Client
    tasks: Items = field(default_factory=dict[str, Fields])
    lists: Items = field(default_factory=dict[str, Fields])
    labels: Items = field(default_factory=dict[str, Fields])
    outbox: list[Edit] = field(default_factory=list[Edit])
    rejected: list[Edit] = field(default_factory=list[Edit])
    since: str = "0"

    def view(self) -> Items:
        """Return what the user sees: the server's tasks with the outbox applied on top."""
        view: Items = {}
        for task_id, task in self.tasks.items():
            view[task_id] = {name: task[name] for name in DEFAULTS}
        for edit in self.outbox:
            if edit.after is None:
                view.pop(edit.task_id, None)
            else:
                current = view.get(edit.task_id, edit.before or DEFAULTS)
                view[edit.task_id] = current | edit.after
        return view

    def write(self, task_id: str, **fields: object) -> None:
        """Change a task, or create one with a new UUID. Texts must be NFC, titles trimmed."""
        before = self.view().get(task_id)
        after = fields if before else DEFAULTS | fields
        self.outbox.append(Edit(task_id, before, after))

    def delete(self, task_id: str) -> None:
        """Delete a task."""
        before = self.view()[task_id]
        self.outbox.append(Edit(task_id, before, None))

    def sync(self) -> None:
        """Read changes, send the outbox, and read again; after an httpx.HTTPError call it again."""
        self._read_changes()
        while self.outbox:
            if self._is_settled(self.outbox[0]):
                self.outbox.pop(0)
            else:
                self._read_changes()
        self._read_changes()

    def _read_changes(self) -> None:
        """Read all pages of changes; start over if the server no longer knows the sync token."""
        has_more = True
        while has_more:
            response = self.http.get("/tasks/changes", params={"since": self.since})
            if response.status_code == HTTPStatus.GONE:
                self.tasks.clear()
                self.lists.clear()
                self.labels.clear()
                self.since = "0"
                continue
            page = response.raise_for_status().json()
            deleted_ids = {deletion["id"] for deletion in page["deleted"]}
            _apply(self.tasks, page["tasks"], deleted_ids)
            _apply(self.lists, page["lists"], deleted_ids)
            _apply(self.labels, page["labels"], deleted_ids)
            self.outbox = [edit for edit in self.outbox if edit.task_id not in deleted_ids]
            self.since = page["next"]
            has_more = page["has_more"]

    def _is_settled(self, edit: Edit) -> bool:
        """Send the part of an edit that is still to do; False means: read changes and try again."""
        task = self.tasks.get(edit.task_id)
        if edit.before is None:
            return task is not None or self._send("PUT", edit, {"If-None-Match": "*"}, edit.after)
        if task is None:
            return True
        before = edit.before
        unchanged = {name for name in DEFAULTS if task[name] == before[name]}
        if_match = {"If-Match": f'"{task["version"]}"'}
        if edit.after is None:
            was_changed_elsewhere = len(unchanged) < len(DEFAULTS)
            return was_changed_elsewhere or self._send("DELETE", edit, if_match, None)
        fields = {name: value for name, value in edit.after.items() if name in unchanged}
        return not fields or self._send("PATCH", edit, if_match, fields)

    def _send(self, method: str, edit: Edit, headers: dict[str, str], body: Fields | None) -> bool:
        path = f"/tasks/{edit.task_id}"
        response = self.http.request(method, path, json=body, headers=headers)
        if response.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED):
            return False
        if response.status_code in (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY):
            self.rejected.append(edit)
        elif response.raise_for_status().content:
            self.tasks[edit.task_id] = response.json()
        else:
            del self.tasks[edit.task_id]
        return True


def _apply(items: Items, changed: list[Fields], deleted_ids: set[str]) -> None:
    """Store changed items by id, and remove deleted ones."""
    for item in changed:
        items[str(item["id"])] = item
    for item_id in deleted_ids:
        items.pop(item_id, None)
