"""A copy of one user's tasks that can be read and edited offline; docs/sync.md explains it. It needs httpx only."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple

import httpx

Fields = dict[str, object]
NEW: Fields = {"title": "", "description": None, "is_completed": False}
"""What a user can edit, and how it begins."""


class Edit(NamedTuple):
    """What the user did to a task, and what they saw before that; None stands for no task."""

    task_id: str
    before: Fields | None
    after: Fields | None


@dataclass
class Copy:
    """What the server has, edits that it did not confirm, those that it refused, and how far its changes were read."""

    http: httpx.Client
    tasks: dict[str, Fields] = field(default_factory=dict[str, Fields])
    lists: dict[str, Fields] = field(default_factory=dict[str, Fields])
    labels: dict[str, Fields] = field(default_factory=dict[str, Fields])
    outbox: list[Edit] = field(default_factory=list[Edit])
    refused: list[Edit] = field(default_factory=list[Edit])
    since: str = "0"

    def shown(self) -> dict[str, Fields]:
        """Return what the user sees: the server's tasks with their own edits on top."""
        shown = {
            task_id: {name: task[name] for name in NEW} for task_id, task in self.tasks.items()
        }
        for task_id, before, after in self.outbox:
            if after is None:
                shown.pop(task_id, None)
            else:
                shown[task_id] = {**shown.get(task_id, before or NEW), **after}
        return shown

    def write(self, task_id: str, **fields: object) -> None:
        """Change a task, or make one under a new UUID; texts are NFC and titles trimmed, as the server keeps them."""
        before = self.shown().get(task_id)
        self.outbox.append(Edit(task_id, before, fields if before else {**NEW, **fields}))

    def delete(self, task_id: str) -> None:
        """Delete a task."""
        self.outbox.append(Edit(task_id, self.shown()[task_id], None))

    def sync(self) -> None:
        """Read what happened elsewhere, send what was done here, and read again; after an HTTPError call it again."""
        self._read()
        while self.outbox:
            if self._is_settled(*self.outbox[0]):
                self.outbox.pop(0)
            else:
                self._read()
        self._read()

    def _read(self) -> None:
        """Follow the changes to their end, or begin anew where the server has forgotten too much."""
        has_more = True
        while has_more:
            answer = self.http.get("/tasks/changes", params={"since": self.since})
            if answer.status_code == HTTPStatus.GONE:
                self.tasks, self.lists, self.labels, self.since = {}, {}, {}, "0"
                continue
            changes = answer.raise_for_status().json()
            gone = {each["id"] for each in changes["deleted"]}
            for kept, changed in (
                (self.tasks, "tasks"),
                (self.lists, "lists"),
                (self.labels, "labels"),
            ):
                kept.update(
                    {each["id"]: each for each in changes[changed] if each["id"] not in gone}
                )
                for each in gone & kept.keys():
                    del kept[each]
            self.outbox = [edit for edit in self.outbox if edit.task_id not in gone]
            self.since, has_more = changes["next"], changes["has_more"]

    def _is_settled(self, task_id: str, before: Fields | None, after: Fields | None) -> bool:
        """Send what is left to do of an edit; what others changed meanwhile stays. False: read again first."""
        task = self.tasks.get(task_id)
        if before is None:
            return task is not None or self._send("PUT", task_id, {"If-None-Match": "*"}, after)
        if task is None:
            return True
        seen = {"If-Match": f'"{task["version"]}"'}
        if after is None:
            return any(task[name] != before[name] for name in NEW) or self._send(
                "DELETE", task_id, seen, None
            )
        fields = {name: value for name, value in after.items() if task[name] == before[name]}
        return not fields or self._send("PATCH", task_id, seen, fields)

    def _send(
        self, verb: str, task_id: str, condition: dict[str, str], body: Fields | None
    ) -> bool:
        answer = self.http.request(verb, f"/tasks/{task_id}", json=body, headers=condition)
        if answer.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED):
            return False
        if answer.status_code in (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY):
            self.refused.append(self.outbox[0])
        elif answer.raise_for_status().content:
            self.tasks[task_id] = answer.json()
        else:
            del self.tasks[task_id]
        return True
