"""Devices that keep a copy, and rows that somebody writes by hand."""

from random import Random
from typing import LiteralString

import psycopg
import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from .support.helpers import JsonObject, create_list, create_task, json_object

STEPS = 150

LINKS: list[LiteralString] = [
    "UPDATE tasks SET list_id = (SELECT id FROM task_lists WHERE user_id <> tasks.user_id)",
    "INSERT INTO task_labels SELECT tasks.user_id, tasks.id, labels.id FROM tasks, labels WHERE list_id IS NULL",
    "INSERT INTO task_labels SELECT labels.user_id, tasks.id, labels.id FROM tasks, labels WHERE list_id IS NULL",
    "UPDATE task_lists SET user_id = (SELECT id FROM owners WHERE id <> task_lists.user_id)",
]
"""A task of one owner; a list and a label of another one, whose task is in it and carries it."""


@pytest.mark.scenario("S006-AC-8")
@pytest.mark.parametrize("link", LINKS)
async def test_a_link_to_another_user_written_by_hand_is_refused(
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
    """A copy of everything, made of changes alone."""

    def __init__(self, owner: AsyncClient) -> None:
        self._owner, self._since = owner, "0"
        self.kept: dict[str, dict[str, JsonObject]] = {"task": {}, "list": {}, "label": {}}

    async def catch_up(self) -> None:
        """Apply what happened, a few changes at a time."""
        more = True
        while more:
            answer = await self._owner.get(f"/tasks/changes?since={self._since}&limit=3")
            changes = await json_object(answer)
            for kind, kept in self.kept.items():
                kept |= {each["id"]: each for each in answer.json()[f"{kind}s"]}
            for each in answer.json()["deleted"]:
                self.kept[each["kind"]].pop(each["id"], None)
            self._since, more = str(changes["next"]), bool(changes["has_more"])

    def of_kind(self, kind: str) -> list[JsonObject]:
        """Return everything of a kind, by id."""
        return sorted(self.kept[kind].values(), key=lambda each: str(each["id"]))


async def _act(owner: AsyncClient, random: Random, number: int) -> int:
    """Do something with what there is."""
    lists, labels, tasks = [
        (await owner.get(f"/{each}")).json() for each in ("lists", "labels", "tasks")
    ]
    one, task = random.choice([*lists, None]), random.choice([*tasks, None])
    name, list_id = f"name {number}", one and one["id"]
    requests = [
        ("POST", "/lists", {"name": name}),
        (
            "POST",
            "/tasks",
            {"title": name, "list_id": list_id, "labels": random.sample("abcdef", 2)},
        ),
    ]
    if one:
        requests += [
            ("PATCH", f"/lists/{list_id}", {"name": name}),
            ("POST", f"/lists/{list_id}/move", {"after": None}),
        ]
        requests += [
            ("DELETE", f"/lists/{list_id}?tasks={random.choice(['keep', 'delete'])}", None)
        ]
    if task:
        address, to = (
            f"/tasks/{task['id']}",
            {"list_id": list_id, **random.choice([{}, {"after": None}])},
        )
        requests += [
            ("POST", f"{address}/move", to),
            ("PATCH", address, {"labels": random.sample("abcdef", 2)}),
        ]
        requests += [
            ("PATCH", address, {"is_completed": random.random() < 0.5}),
            ("DELETE", address, None),
        ]
    if labels:
        address = f"/labels/{random.choice(labels)['id']}"
        requests += [("PATCH", address, {"name": name}), ("DELETE", address, None)]
    verb, address, body = random.choice(requests)
    return (await owner.request(verb, address, json=body)).status_code


@pytest.mark.scenario("S006-AC-12")
async def test_a_device_that_only_applies_changes_equals_the_server(as_user: ClientFactory) -> None:
    owner, random = as_user("owner"), Random(6)  # noqa: S311 - the same story each time
    phone, laptop = Device(owner), Device(owner)

    for number in range(STEPS):
        assert await _act(owner, random, number) in {200, 201, 204, 422}
        if random.random() < 0.3:
            await phone.catch_up()
    await phone.catch_up()
    await laptop.catch_up()

    labels = [
        {name: it[name] for name in it if name != "task_count"}
        for it in (await owner.get("/labels")).json()
    ]
    there = {
        "task": (await owner.get("/tasks")).json(),
        "list": (await owner.get("/lists")).json(),
        "label": labels,
    }
    for kind, stored in there.items():
        assert (
            phone.of_kind(kind)
            == laptop.of_kind(kind)
            == sorted(stored, key=lambda each: str(each["id"]))
        )
        assert stored
