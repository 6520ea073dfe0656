"""What a right platform holds after a number of requests: nothing but what each user has written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from httpx import Client
from wire import Profile, Task

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
    deleted: dict[str, int] = field(default_factory=dict[str, int])
    deleted_lists: dict[str, int] = field(default_factory=dict[str, int])
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
        times = {"created_at": now, "updated_at": now, "completed_at": now if wish["is_completed"] else None}
        ids = {"id": answer["id"], "user_id": self.id, "version": self.next_version(answer["version"])}
        self._keep({**NOTHING, **UNPLANNED, "position": answer["position"], **wish, **times, **ids}, answer)
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
            after |= {"version": self.next_version(answer["version"]), "updated_at": answer["updated_at"]}
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
        told = {"user_id": self.id, "name": name, "version": version, "created_at": now, "updated_at": now}
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
        inside = [
            self.client.get(f"/tasks/{each['id']}").json() for each in self.tasks.values() if each["list_id"] == list_id
        ]
        for answer in sorted(inside, key=lambda task: task["version"]):
            told = {"list_id": None, "version": self.next_version(0), "updated_at": answer["updated_at"]}
            self._keep({**self.tasks[answer["id"]], **told}, answer)
        del self.lists[list_id]
        self.deleted_lists[list_id] = self.next_version(0)

    def meet(self, profile: Profile, time_zone: str) -> None:
        """Expect a profile that says what the token says, and what was chosen."""
        told = {"id": self.id, "email": f"{self.subject}@example.com", "auth_subject": self.subject}
        assert profile.items() >= {**told, "auth_issuer": "better-auth", "time_zone": time_zone}.items()
        self.profile, self.time_zone, self.is_met = profile, time_zone, True

    def listed(self) -> list[Task]:
        """Return the tasks in the order of lists."""
        return sorted(self.tasks.values(), key=lambda task: (task["created_at"], task["id"]))

    def _keep(self, expected: dict[str, object], answer: Task) -> None:
        assert answer == expected | {"status": "completed" if expected["is_completed"] else "pending"}
        self.tasks[answer["id"]] = answer


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Sort rows of any table."""
    return sorted(rows, key=lambda row: sorted(map(str, row.items())))


def tables_of(accounts: list[Account]) -> Tables:
    """Return all rows of both databases, without what no answer tells."""
    met = [each for each in accounts if each.counter is not None]
    tables: Tables = {
        "owners": [_owner_of(each) for each in met],
        "tasks": [_without(it, "due", "priority", "labels", "position") for each in met for it in each.tasks.values()],
        "task_tombstones": [
            {"user_id": each.id, "id": deleted_id, "kind": kind, "version": version}
            for each in met
            for kind, deleted in (("task", each.deleted), ("list", each.deleted_lists))
            for deleted_id, version in deleted.items()
        ],
        "idempotency_keys": [
            {"user_id": each.id, "operation": "create-task", "key": key, "task_id": it["id"], "version": it["version"]}
            for each in met
            for key, (_, it) in each.keys.items()
        ],
        "task_lists": [_without(it, "position") for each in met for it in each.lists.values()],
        "labels": [],
        "task_labels": [],
        "users": [{**each.profile} for each in accounts if each.profile],
    }
    return {name: in_order(rows) for name, rows in tables.items()}


def _without(told: Mapping[str, object], *names: str) -> Row:
    return {name: value for name, value in told.items() if name not in names}


def _owner_of(account: Account) -> Row:
    counts = {"task_count": len(account.tasks), "list_count": len(account.lists), "label_count": 0}
    return {"id": account.id, "counter": account.counter, "pruned_version": account.begun, **counts}
