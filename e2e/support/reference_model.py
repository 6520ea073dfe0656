"""What a right platform holds after a number of requests: nothing but what each user has written."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from httpx import Client

from e2e.support.contract import Profile, Task

Wish = dict[str, object]
"""Fields of a task, as a client sends them."""

NOTHING: Wish = {"description": None, "is_completed": False}
"""What a replacement puts in the place of fields that it does not name."""

UNPLANNED: Wish = {"list_id": None, "due": None, "priority": "none", "labels": []}
"""What is planned for a task of which nobody has said anything."""

NOBODY = "00000000-0000-4000-8000-0000000000ff"

NAMING: dict[str, tuple[str, str, dict[str, str]]] = {
    "list": ("GET", "/tasks?user_id={who}", {}),
    "read": ("GET", "/tasks/{id}?user_id={who}", {}),
    "create": ("POST", "/tasks", {"title": "Mine", "user_id": "{who}"}),
    "create by query": ("POST", "/tasks?user_id={who}", {"title": "Mine"}),
    "change": ("PATCH", "/tasks/{id}", {"title": "Mine", "user_id": "{who}"}),
    "replace": ("PUT", "/tasks/{id}", {"title": "Mine", "user_id": "{who}"}),
    "delete": ("DELETE", "/tasks/{id}", {"user_id": "{who}"}),
    "move": ("POST", "/tasks/{id}/move", {"user_id": "{who}"}),
    "rename": ("PATCH", "/lists/{id}", {"name": "Mine", "user_id": "{who}"}),
    "look": ("GET", "/users/{who}", {}),
    "be": ("PATCH", "/users/me", {"time_zone": "Asia/Tokyo", "id": "{who}"}),
}
"""All places where a request can name a user."""

Row = dict[str, object]
Tables = dict[str, list[Row]]


@dataclass
class Account:
    """One user: a client that speaks for them, and what is theirs."""

    id: str
    subject: str
    client: Client
    tasks: dict[str, Task] = field(default_factory=dict[str, Task])
    lists: dict[str, Row] = field(default_factory=dict[str, Row])
    labels: dict[str, Row] = field(default_factory=dict[str, Row])
    deleted: dict[str, int] = field(default_factory=dict[str, int])
    deleted_lists: dict[str, int] = field(default_factory=dict[str, int])
    deleted_labels: dict[str, int] = field(default_factory=dict[str, int])
    """The versions that deletions took."""

    keys: dict[str, tuple[Wish, Task]] = field(default_factory=dict[str, tuple[Wish, Task]])
    """What was created with a key, and the answer."""

    begun: int = 0
    """The version at which the account began."""

    counter: int | None = None
    """The last version; none before the first task."""

    profile: Profile | None = None
    time_zone: str = "UTC"
    is_met: bool = False
    """Whether there is a profile already."""

    def next_version(self, answered: int) -> int:
        """Take a version from the counter, which starts at a moment that only the first answer tells."""
        self.begun = self.begun or answered - 1
        self.counter = answered if self.counter is None else self.counter + 1
        return self.counter

    def try_to_create(self) -> None:
        """Expect to be known, even after a refusal."""
        if self.counter is None:
            self.begun = self.counter = int(self.client.get("/tasks/changes").json()["next"])
        self.is_met = True

    def create(self, wish: Wish, answer: Task) -> None:
        """Expect a new task; its id and time are the answer's to choose."""
        assert answer["id"] not in self.tasks.keys() | self.deleted.keys()
        now = answer["created_at"]
        times = {
            "created_at": now,
            "updated_at": now,
            "completed_at": now if wish["is_completed"] else None,
        }
        ids = {
            "id": answer["id"],
            "user_id": self.id,
            "version": self.next_version(answer["version"]),
        }
        self._keep(
            {**NOTHING, **UNPLANNED, "position": answer["position"], **wish, **times, **ids}, answer
        )
        self.is_met = True

    def replay(self, key: str, wish: Wish) -> Task | None:
        """Return the answer that the key must get once more; none if it stands for something else."""
        first, answer = self.keys[key]
        return answer if wish == first else None

    def undo(self, wish: Wish, answer: Task) -> None:
        """Expect a new task under an id that nobody has any more."""
        self.deleted.pop(answer["id"], None)
        self.create({**NOTHING, **wish}, answer)

    def change(self, wish: Wish, answer: Task) -> None:
        """Expect a changed task: a version and a time of its own, unless nothing changes."""
        before = self.tasks[answer["id"]]
        after: dict[str, object] = {**before, **wish}
        if after != before:
            after |= {
                "version": self.next_version(answer["version"]),
                "updated_at": answer["updated_at"],
            }
            completed_at = before["completed_at"] or answer["updated_at"]
            after["completed_at"] = completed_at if after["is_completed"] else None
            assert answer["updated_at"] > before["updated_at"]
        self._keep(after, answer)

    def delete(self, task_id: str) -> None:
        """Expect a tombstone in a task's place."""
        del self.tasks[task_id]
        self.deleted[task_id] = self.next_version(0)

    def create_list(self, name: str, answer: Row) -> None:
        """Expect a new list."""
        now = answer["created_at"]
        version = self.next_version(cast("int", answer["version"]))
        told = {
            "user_id": self.id,
            "name": name,
            "version": version,
            "created_at": now,
            "updated_at": now,
        }
        assert answer == {"id": answer["id"], "position": answer["position"], **told}
        self.lists[str(answer["id"])] = answer
        self.is_met = True

    def move(self, list_id: str, answer: Task) -> None:
        """Expect a task in a list: with a version of its own, unless it was the last one there."""
        before = self.tasks[answer["id"]]
        after: dict[str, object] = {**before, "list_id": list_id}
        if answer["version"] != before["version"]:
            moved = {"position": answer["position"], "updated_at": answer["updated_at"]}
            after |= {"version": self.next_version(answer["version"]), **moved}
        self._keep(after, answer)

    def delete_list(self, list_id: str) -> None:
        """Expect its tasks without a list, each with a version of its own, and a tombstone in its place."""
        self._touch(
            [task for task in self.tasks.values() if task["list_id"] == list_id],
            lambda _: {"list_id": None},
        )
        del self.lists[list_id]
        self.deleted_lists[list_id] = self.next_version(0)

    def label(self, names: set[str], answer: Task) -> list[str]:
        """Expect a task with these labels, and a new label for each new name; return the ids of those."""
        told = {str(label["name"]): label for label in self.client.get("/labels").json()}
        new = sorted(names - {str(label["name"]) for label in self.labels.values()}, reverse=True)
        for name in new:
            made = {
                "id": told[name]["id"],
                "user_id": self.id,
                "name": name,
                "version": self.next_version(0),
            }
            times = {"created_at": answer["updated_at"], "updated_at": answer["updated_at"]}
            self.labels[str(made["id"])] = {**made, **times}
        self.change({"labels": sorted(names)}, answer)
        return [str(told[name]["id"]) for name in new]

    def carriers(self, label: Row) -> list[Task]:
        """Return the tasks with a label."""
        return [task for task in self.tasks.values() if label["name"] in task["labels"]]

    def rename_label(self, name: str, answer: Row) -> None:
        """Expect the name on all its tasks, each with a version of its own, unless it has that already."""
        before = self.labels[str(answer["id"])]
        if name != before["name"]:
            self._touch(
                self.carriers(before), lambda task: {"labels": _renamed(task, before, [name])}
            )
            changed = {
                "name": name,
                "version": self.next_version(0),
                "updated_at": answer["updated_at"],
            }
            before = {**before, **changed}
        assert answer == before
        self.labels[str(answer["id"])] = before

    def delete_label(self, label_id: str) -> None:
        """Expect its tasks without it, each with a version of its own, and a tombstone in its place."""
        label = self.labels.pop(label_id)
        self._touch(self.carriers(label), lambda task: {"labels": _renamed(task, label, [])})
        self.deleted_labels[label_id] = self.next_version(0)

    def _touch(self, tasks: list[Task], change: Callable[[Task], Row]) -> None:
        """Expect tasks that look different because of something else, as they now say themselves."""
        answers: list[Task] = [self.client.get(f"/tasks/{task['id']}").json() for task in tasks]
        for answer in sorted(answers, key=lambda task: task["version"]):
            before = self.tasks[answer["id"]]
            told = {"version": self.next_version(0), "updated_at": answer["updated_at"]}
            self._keep({**before, **change(before), **told}, answer)

    def meet(self, profile: Profile, time_zone: str) -> None:
        """Expect a profile that says what the token says, and what was chosen."""
        told = {"id": self.id, "email": f"{self.subject}@example.com", "auth_subject": self.subject}
        assert (
            profile.items()
            >= {**told, "auth_issuer": "better-auth", "time_zone": time_zone}.items()
        )
        self.profile, self.time_zone, self.is_met = profile, time_zone, True

    def listed(self) -> list[Task]:
        """Return the tasks in the order of lists."""
        return sorted(self.tasks.values(), key=place_of)

    def _keep(self, expected: dict[str, object], answer: Task) -> None:
        assert answer == expected | {
            "status": "completed" if expected["is_completed"] else "pending"
        }
        self.tasks[answer["id"]] = answer


def place_of(task: Task) -> tuple[str, str]:
    """Return what plain lists are sorted by."""
    return task["created_at"], task["id"]


def q_is_in(task: Task, q: str) -> bool:
    """Tell whether a search finds a task."""
    return any(q.lower() in text.lower() for text in (task["title"], task["description"] or ""))


def _renamed(task: Task, label: Row, names: list[str]) -> list[str]:
    return sorted([*(name for name in task["labels"] if name != label["name"]), *names])


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Sort rows of any table."""
    return sorted(rows, key=lambda row: sorted(map(str, row.items())))


def tables_of(accounts: list[Account]) -> Tables:
    """Return all rows of both databases, without what no answer tells."""
    met = [each for each in accounts if each.counter is not None]
    tables: Tables = {
        "owners": [_owner_of(each) for each in met],
        "tasks": [
            _without(it, "due", "priority", "labels", "position")
            for each in met
            for it in each.tasks.values()
        ],
        "task_tombstones": [row for each in met for row in _tombstones_of(each)],
        "idempotency_keys": [
            {
                "user_id": each.id,
                "operation": "create-task",
                "key": key,
                "task_id": it["id"],
                "version": it["version"],
            }
            for each in met
            for key, (_, it) in each.keys.items()
        ],
        "task_lists": [_without(it, "position") for each in met for it in each.lists.values()],
        "labels": [label for each in met for label in each.labels.values()],
        "task_labels": [
            {"user_id": each.id, "task_id": task["id"], "label_id": label["id"]}
            for each in met
            for label in each.labels.values()
            for task in each.carriers(label)
        ],
        "imports": [],
        "staged_tasks": [],
        "users": [{**each.profile} for each in accounts if each.profile],
    }
    return {name: in_order(rows) for name, rows in tables.items()}


def _tombstones_of(account: Account) -> Iterable[Row]:
    kinds = {
        "task": account.deleted,
        "list": account.deleted_lists,
        "label": account.deleted_labels,
    }
    for kind, deleted in kinds.items():
        for deleted_id, version in deleted.items():
            yield {"user_id": account.id, "id": deleted_id, "kind": kind, "version": version}


def _without(told: Mapping[str, object], *names: str) -> Row:
    return {name: value for name, value in told.items() if name not in names}


def _owner_of(account: Account) -> Row:
    counts = {
        "task_count": len(account.tasks),
        "list_count": len(account.lists),
        "label_count": len(account.labels),
    }
    return {"id": account.id, "counter": account.counter, "pruned_version": account.begun, **counts}
