"""A model of the platform: the data that each user must have after a number of requests."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from httpx import Client

from e2e.support.contract import Profile, Task

TaskFields = dict[str, object]
"""Fields of a task, as a client sends them."""

DEFAULT_FIELDS: TaskFields = {"description": None, "is_completed": False}
"""The values of fields that a creation or a replacement does not contain."""

DEFAULT_PLANNING: TaskFields = {
    "list_id": None,
    "due": None,
    "priority": "none",
    "labels": [],
    "recurrence": None,
}
"""The planning of a new task whose creation does not contain any."""

UNKNOWN_USER_ID = "00000000-0000-4000-8000-0000000000ff"
"""A valid id that no user has."""

Row = dict[str, object]
Tables = dict[str, list[Row]]


@dataclass(frozen=True)
class UserNamingRequest:
    """A request that names a user, with `{user}` and `{task}` where the ids go."""

    method: str
    path: str
    body: Mapping[str, str] = field(default_factory=dict[str, str])

    accepts_subject: bool = True
    """Whether the subject of a token may stand for the user id."""

    status: int = 403
    """The status of the response when it is another user's id."""


USER_NAMING_REQUESTS: dict[str, UserNamingRequest] = {
    "list": UserNamingRequest("GET", "/tasks?user_id={user}"),
    "get": UserNamingRequest("GET", "/tasks/{task}?user_id={user}"),
    "create": UserNamingRequest("POST", "/tasks", {"title": "Mine", "user_id": "{user}"}),
    "create by query": UserNamingRequest("POST", "/tasks?user_id={user}", {"title": "Mine"}),
    "change": UserNamingRequest("PATCH", "/tasks/{task}", {"title": "Mine", "user_id": "{user}"}),
    "replace": UserNamingRequest("PUT", "/tasks/{task}", {"title": "Mine", "user_id": "{user}"}),
    "delete": UserNamingRequest("DELETE", "/tasks/{task}", {"user_id": "{user}"}),
    "move": UserNamingRequest("POST", "/tasks/{task}/move", {"user_id": "{user}"}),
    "rename": UserNamingRequest("PATCH", "/lists/{task}", {"name": "Mine", "user_id": "{user}"}),
    "get profile": UserNamingRequest("GET", "/users/{user}", accepts_subject=False),
    "change profile": UserNamingRequest(
        "PATCH",
        "/users/me",
        {"time_zone": "Asia/Tokyo", "id": "{user}"},
        accepts_subject=False,
        status=422,
    ),
}
"""Every part of a request that can name a user."""


@dataclass
class UserModel:
    """The expected data of one user.

    Each method applies one successful request to the model, and compares the response with what
    the model expects.
    """

    id: str
    subject: str
    client: Client
    tasks: dict[str, Task] = field(default_factory=dict[str, Task])
    lists: dict[str, Row] = field(default_factory=dict[str, Row])
    labels: dict[str, Row] = field(default_factory=dict[str, Row])

    deleted_tasks: dict[str, int] = field(default_factory=dict[str, int])
    """The versions of the tombstones, by task id; likewise for lists and labels."""

    deleted_lists: dict[str, int] = field(default_factory=dict[str, int])
    deleted_labels: dict[str, int] = field(default_factory=dict[str, int])

    stored_responses: dict[str, tuple[TaskFields, Task]] = field(
        default_factory=dict[str, tuple[TaskFields, Task]]
    )
    """The request and the response of creations, by their idempotency key."""

    initial_version: int = 0
    """The counter of the owner when the owner was inserted."""

    counter: int | None = None
    """The counter of the owner; None while there is no owner."""

    profile: Profile | None = None
    time_zone: str = "UTC"
    has_profile: bool = False

    def next_version(self, returned_version: int = 0) -> int:
        """Increment the counter.

        Args:
            returned_version: The version in the response; it tells where a new counter starts.
        """
        if self.counter is None:
            self.initial_version = returned_version - 1
            self.counter = returned_version
        else:
            self.counter += 1
        return self.counter

    def ensure_owner(self) -> None:
        """Expect an owner and a profile: even a rejected creation inserts them."""
        if self.counter is None:
            changes = self.client.get("/tasks/changes").json()
            self.initial_version = int(changes["next"])
            self.counter = self.initial_version
        self.has_profile = True

    def create_task(self, fields: TaskFields, task: Task) -> None:
        """Expect a new task; the server chooses its id, times and position."""
        assert task["id"] not in self.tasks
        assert task["id"] not in self.deleted_tasks
        expected = DEFAULT_FIELDS | DEFAULT_PLANNING | fields
        expected["id"] = task["id"]
        expected["user_id"] = self.id
        expected["version"] = self.next_version(task["version"])
        expected["position"] = task["position"]
        expected["previous_id"] = None
        expected["parent_id"] = None
        expected["created_at"] = task["created_at"]
        expected["updated_at"] = task["created_at"]
        expected["completed_at"] = None
        if expected["is_completed"]:
            expected["completed_at"] = task["created_at"]
        self._store_task(expected, task)
        self.has_profile = True

    def replayed_task(self, key: str, fields: TaskFields) -> Task | None:
        """Return the stored response of an idempotency key; None if the request differs."""
        stored_fields, task = self.stored_responses[key]
        if fields != stored_fields:
            return None
        return task

    def restore_task(self, fields: TaskFields, task: Task) -> None:
        """Expect a new task with the id of a deleted one."""
        self.deleted_tasks.pop(task["id"], None)
        self.create_task(fields, task)

    def change_task(self, fields: TaskFields, task: Task) -> None:
        """Expect a changed task, with a new version and time unless nothing changes."""
        current = self.tasks[task["id"]]
        expected: Row = dict(current) | fields
        if expected != current:
            assert task["updated_at"] > current["updated_at"]
            expected["version"] = self.next_version(task["version"])
            expected["updated_at"] = task["updated_at"]
            expected["completed_at"] = None
            if expected["is_completed"]:
                expected["completed_at"] = current["completed_at"] or task["updated_at"]
        self._store_task(expected, task)

    def delete_task(self, task_id: str) -> None:
        """Expect a tombstone instead of a task."""
        del self.tasks[task_id]
        self.deleted_tasks[task_id] = self.next_version()

    def create_list(self, name: str, task_list: Row) -> None:
        """Expect a new list; the server chooses its id, time and position."""
        expected: Row = {
            "id": task_list["id"],
            "user_id": self.id,
            "name": name,
            "version": self.next_version(cast("int", task_list["version"])),
            "created_at": task_list["created_at"],
            "updated_at": task_list["created_at"],
            "position": task_list["position"],
        }
        assert task_list == expected
        self.lists[str(task_list["id"])] = task_list
        self.has_profile = True

    def move_task(self, list_id: str, task: Task) -> None:
        """Expect a task in a list, with a new version unless it was the last one of the list."""
        current = self.tasks[task["id"]]
        expected: Row = dict(current)
        expected["list_id"] = list_id
        if task["version"] != current["version"]:
            expected["version"] = self.next_version(task["version"])
            expected["position"] = task["position"]
            expected["updated_at"] = task["updated_at"]
        self._store_task(expected, task)

    def delete_list(self, list_id: str) -> None:
        """Expect tasks without a list, each with a new version, and a tombstone."""
        changes: dict[str, TaskFields] = {}
        for task in self.tasks.values():
            if task["list_id"] == list_id:
                changes[task["id"]] = {"list_id": None}
        self._change_indirectly(changes)
        del self.lists[list_id]
        self.deleted_lists[list_id] = self.next_version()

    def set_labels(self, names: set[str], task: Task) -> list[str]:
        """Expect a task with these labels; return the ids of the labels that are new."""
        ids: dict[str, str] = {}
        for label in self.client.get("/labels").json():
            ids[label["name"]] = label["id"]
        known_names = {str(label["name"]) for label in self.labels.values()}
        new_ids: list[str] = []
        for name in sorted(names - known_names, reverse=True):
            new_ids.append(ids[name])
            self.labels[ids[name]] = {
                "id": ids[name],
                "user_id": self.id,
                "name": name,
                "version": self.next_version(),
                "created_at": task["updated_at"],
                "updated_at": task["updated_at"],
            }
        self.change_task({"labels": sorted(names)}, task)
        return new_ids

    def labelled_tasks(self, label: Row) -> list[Task]:
        """Return the tasks with a label."""
        return [task for task in self.tasks.values() if label["name"] in task["labels"]]

    def rename_label(self, name: str, label: Row) -> None:
        """Expect the new name on all tasks of the label, each with a new version."""
        expected = self.labels[str(label["id"])]
        if name != expected["name"]:
            self._replace_label(expected, [name])
            expected = dict(expected)
            expected["name"] = name
            expected["version"] = self.next_version()
            expected["updated_at"] = label["updated_at"]
        assert label == expected
        self.labels[str(label["id"])] = expected

    def delete_label(self, label_id: str) -> None:
        """Expect tasks without the label, each with a new version, and a tombstone."""
        label = self.labels.pop(label_id)
        self._replace_label(label, [])
        self.deleted_labels[label_id] = self.next_version()

    def update_profile(self, profile: Profile, time_zone: str) -> None:
        """Expect a profile with the claims of the token, and this time zone."""
        assert profile["id"] == self.id
        assert profile["email"] == f"{self.subject}@example.com"
        assert profile["auth_subject"] == self.subject
        assert profile["auth_issuer"] == "better-auth"
        assert profile["time_zone"] == time_zone
        self.profile = profile
        self.time_zone = time_zone
        self.has_profile = True

    def sorted_tasks(self) -> list[Task]:
        """Return the tasks in the default order of lists."""
        return sorted(self.tasks.values(), key=sort_position)

    def _replace_label(self, label: Row, new_names: list[str]) -> None:
        changes: dict[str, TaskFields] = {}
        for task in self.labelled_tasks(label):
            other_names = [name for name in task["labels"] if name != label["name"]]
            changes[task["id"]] = {"labels": sorted(other_names + new_names)}
        self._change_indirectly(changes)

    def _change_indirectly(self, changes: dict[str, TaskFields]) -> None:
        """Expect tasks that a change of their list or label has changed.

        Args:
            changes: The changed fields, by task id. The server chooses the order of the versions.
        """
        tasks: list[Task] = [self.client.get(f"/tasks/{task_id}").json() for task_id in changes]
        for task in sorted(tasks, key=_version):
            expected: Row = dict(self.tasks[task["id"]]) | changes[task["id"]]
            expected["version"] = self.next_version()
            expected["updated_at"] = task["updated_at"]
            self._store_task(expected, task)

    def _store_task(self, expected: Row, task: Task) -> None:
        expected["status"] = "pending"
        if expected["is_completed"]:
            expected["status"] = "completed"
        assert task == expected
        self.tasks[task["id"]] = task


def _version(task: Task) -> int:
    return task["version"]


def sort_position(task: Task) -> tuple[str, str]:
    """Return the key of the default order of lists."""
    return task["created_at"], task["id"]


def contains_text(task: Task, text: str) -> bool:
    """Tell whether a search finds a task."""
    texts = (task["title"], task["description"] or "")
    return any(text.lower() in searched.lower() for searched in texts)


def sort_rows(rows: Iterable[Row]) -> list[Row]:
    """Sort the rows of any table, so that two lists of rows can be compared."""
    return sorted(rows, key=_row_key)


def _row_key(row: Row) -> list[str]:
    return sorted(str(item) for item in row.items())


def expected_tables(users: list[UserModel]) -> Tables:
    """Return all rows that both databases must contain, without columns that are not exposed."""
    tables: Tables = {
        "owners": [],
        "tasks": [],
        "task_tombstones": [],
        "idempotency_keys": [],
        "task_lists": [],
        "labels": [],
        "task_labels": [],
        "imports": [],
        "staged_tasks": [],
        "users": [],
    }
    for user in users:
        if user.counter is not None:
            _add_task_rows(tables, user)
        if user.profile is not None:
            tables["users"].append(dict(user.profile))
    return {name: sort_rows(rows) for name, rows in tables.items()}


def _add_task_rows(tables: Tables, user: UserModel) -> None:
    tables["owners"].append(_owner_row(user))
    tables["task_tombstones"].extend(_tombstone_rows(user))
    tables["idempotency_keys"].extend(_idempotency_key_rows(user))
    for task in user.tasks.values():
        row = _without(task, {"due", "priority", "labels", "position", "recurrence"})
        tables["tasks"].append(row)
    for task_list in user.lists.values():
        tables["task_lists"].append(_without(task_list, {"position"}))
    for label in user.labels.values():
        tables["labels"].append(label)
        for task in user.labelled_tasks(label):
            row: Row = {"user_id": user.id, "task_id": task["id"], "label_id": label["id"]}
            tables["task_labels"].append(row)


def _owner_row(user: UserModel) -> Row:
    return {
        "id": user.id,
        "counter": user.counter,
        "pruned_version": user.initial_version,
        "task_count": len(user.tasks),
        "list_count": len(user.lists),
        "label_count": len(user.labels),
    }


def _tombstone_rows(user: UserModel) -> Iterator[Row]:
    versions_by_kind = {
        "task": user.deleted_tasks,
        "list": user.deleted_lists,
        "label": user.deleted_labels,
    }
    for kind, versions in versions_by_kind.items():
        for deleted_id, version in versions.items():
            yield {"user_id": user.id, "id": deleted_id, "kind": kind, "version": version}


def _idempotency_key_rows(user: UserModel) -> Iterator[Row]:
    for key, (_, task) in user.stored_responses.items():
        yield {
            "user_id": user.id,
            "operation": "create-task",
            "key": key,
            "task_id": task["id"],
            "version": task["version"],
        }


def _without(row: Mapping[str, object], omitted: set[str]) -> Row:
    return {name: value for name, value in row.items() if name not in omitted}
