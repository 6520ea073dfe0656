"""Devices that keep a copy of all data, and links between users that the database rejects."""

from collections.abc import Iterable
from random import Random
from typing import LiteralString

import psycopg
import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.helpers import JsonObject, create_list, create_task, json_object

STEPS = 150

Request = tuple[str, str, JsonObject | None]
"""Method, path and body."""

CROSS_USER_LINKS: list[LiteralString] = [
    "UPDATE tasks SET list_id = (SELECT id FROM task_lists WHERE user_id <> tasks.user_id)",
    """
    INSERT INTO task_labels
    SELECT tasks.user_id, tasks.id, labels.id FROM tasks, labels WHERE list_id IS NULL
    """,
    """
    INSERT INTO task_labels
    SELECT labels.user_id, tasks.id, labels.id FROM tasks, labels WHERE list_id IS NULL
    """,
    "UPDATE tasks SET parent_id = (SELECT id FROM tasks AS t WHERE t.user_id <> tasks.user_id)",
    "UPDATE tasks SET previous_id = (SELECT id FROM tasks AS t WHERE t.user_id <> tasks.user_id)",
    "UPDATE task_lists SET user_id = (SELECT id FROM owners WHERE id <> task_lists.user_id)",
]
"""One owner has a task; another one has a list and a label with a task of their own."""


@pytest.mark.scenario("S006-AC-8")
@pytest.mark.parametrize("link", CROSS_USER_LINKS)
async def test_the_database_rejects_links_between_users(
    as_isolated_user: ClientFactory, proxy: FaultProxy, link: LiteralString
) -> None:
    neighbour = as_isolated_user("neighbour")
    await create_task(as_isolated_user("owner"))
    theirs = await create_list(neighbour)
    await create_task(neighbour, list_id=theirs["id"], labels=["a"])

    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            await connection.execute(link)


class Device:
    """A copy of all data of a user, built from the changes feed alone."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._since = "0"
        self.copies: dict[str, dict[str, JsonObject]] = {"task": {}, "list": {}, "label": {}}

    async def synchronize(self) -> None:
        """Apply all changes, a few at a time."""
        has_more = True
        while has_more:
            response = await self._client.get(f"/tasks/changes?since={self._since}&limit=3")
            page = await json_object(response)
            for kind, copies in self.copies.items():
                for changed in response.json()[f"{kind}s"]:
                    copies[changed["id"]] = changed
            for deletion in response.json()["deleted"]:
                self.copies[deletion["kind"]].pop(deletion["id"], None)
            self._since = str(page["next"])
            has_more = bool(page["has_more"])

    def sorted_by_id(self, kind: str) -> list[JsonObject]:
        """Return the copies of a kind."""
        return _sorted_by_id(self.copies[kind].values())


def _sorted_by_id(items: Iterable[JsonObject]) -> list[JsonObject]:
    return sorted(items, key=lambda item: str(item["id"]))


def _list_requests(task_list: JsonObject, name: str, random: Random) -> list[Request]:
    path = f"/lists/{task_list['id']}"
    tasks = random.choice(["keep", "delete"])
    return [
        ("PATCH", path, {"name": name}),
        ("POST", f"{path}/move", {"after": None}),
        ("DELETE", f"{path}?tasks={tasks}", None),
    ]


def _task_requests(task: JsonObject, list_id: object, random: Random) -> list[Request]:
    path = f"/tasks/{task['id']}"
    target: JsonObject = {"list_id": list_id}
    if random.random() < 0.5:
        target["after"] = None
    return [
        ("POST", f"{path}/move", target),
        ("PATCH", path, {"labels": random.sample("abcdef", 2)}),
        ("PATCH", path, {"is_completed": random.random() < 0.5}),
        ("PATCH", path, {"list_id": list_id}),
        ("PATCH", path, {"parent_id": None}),
        ("DELETE", f"{path}?subtasks={random.choice(['keep', 'delete'])}", None),
    ]


async def _send_random_request(client: AsyncClient, random: Random, number: int) -> int:
    """Create, change, move or delete something, and return the status."""
    lists: list[JsonObject] = (await client.get("/lists")).json()
    labels: list[JsonObject] = (await client.get("/labels")).json()
    tasks: list[JsonObject] = (await client.get("/tasks")).json()
    name = f"name {number}"
    task_list = random.choice([*lists, None])
    task = random.choice([*tasks, None])
    list_id = None
    if task_list is not None:
        list_id = task_list["id"]
    new_task: JsonObject = {"title": name, "list_id": list_id, "labels": random.sample("abcdef", 2)}
    if task is not None and random.random() < 0.5:
        del new_task["list_id"]
        new_task["parent_id"] = task["id"]
    requests: list[Request] = []
    requests.append(("POST", "/lists", {"name": name}))
    requests.append(("POST", "/tasks", new_task))
    if task_list is not None:
        requests += _list_requests(task_list, name, random)
    if task is not None:
        requests += _task_requests(task, list_id, random)
        requests.append(
            ("PATCH", f"/tasks/{random.choice(tasks)['id']}", {"parent_id": task["id"]})
        )
    if labels:
        path = f"/labels/{random.choice(labels)['id']}"
        requests.append(("PATCH", path, {"name": name}))
        requests.append(("DELETE", path, None))
    method, path, body = random.choice(requests)
    return (await client.request(method, path, json=body)).status_code


@pytest.mark.scenario("S006-AC-12")
async def test_a_device_that_applies_all_changes_equals_the_server(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    random = Random(6)  # noqa: S311 - the same sequence in every run
    phone = Device(owner)
    laptop = Device(owner)

    for number in range(STEPS):
        assert await _send_random_request(owner, random, number) in {200, 201, 204, 422}
        if random.random() < 0.3:
            await phone.synchronize()
    await phone.synchronize()
    await laptop.synchronize()

    labels = (await owner.get("/labels")).json()
    for label in labels:
        del label["task_count"]
    stored_by_kind: dict[str, list[JsonObject]] = {
        "task": (await owner.get("/tasks")).json(),
        "list": (await owner.get("/lists")).json(),
        "label": labels,
    }
    for kind, stored in stored_by_kind.items():
        assert stored
        assert phone.sorted_by_id(kind) == _sorted_by_id(stored)
        assert laptop.sorted_by_id(kind) == _sorted_by_id(stored)
