"""Writes that lock what others need, or that change thousands of rows."""

import asyncio
from itertools import cycle
from typing import Final

from bench.fairness.attack import Attack, Run, disconnect_early, repeat_on_connections, send_at_rate
from bench.fairness.client import Attacker, Request, post
from bench.fairness.dataset import LABELS, Dataset, label_id, list_id

_CREATE: Final = post("/tasks", {"title": "Water the plants"})
_KEYED: Final = Request(
    "POST",
    "/tasks",
    _CREATE.body,
    ("Content-Type: application/json", "Idempotency-Key: the-same-key"),
)
_LARGE: Final = post("/tasks", {"title": "Water the plants", "description": "\U0001f335" * 10_000})
_PROFILE: Final = Request("PATCH", "/users/me", b'{"time_zone": "Europe/Berlin"}')
_ERASE: Final = Request("DELETE", "/users/me")


def _rename_label(per_second: float) -> Run:
    """Rename a label of 10,000 tasks, at a rate: each change gives all of them a new version."""

    async def run(attacker: Attacker) -> None:
        number = 0
        async with asyncio.TaskGroup() as group:
            while True:
                number += 1
                target = f"/labels/{label_id(attacker.owner_id, 1)}"
                body = post(target, {"name": f"label-one-{number}"}).body
                group.create_task(attacker.send(Request("PATCH", target, body)))
                await asyncio.sleep(1 / per_second)

    return run


async def _delete_labels(attacker: Attacker) -> None:
    """Delete all labels, one after the other."""
    for number in range(1, LABELS + 1):
        await attacker.send(Request("DELETE", f"/labels/{label_id(attacker.owner_id, number)}"))


async def _delete_list(attacker: Attacker) -> None:
    """Delete the list of 10,000 tasks, with its tasks."""
    await attacker.send(Request("DELETE", f"/lists/{list_id(attacker.owner_id)}?tasks=delete"))


def _move(per_second: float) -> Run:
    """Move tasks to the front of their list, at a rate: a hundred tasks in turn."""

    async def run(attacker: Attacker) -> None:
        async with asyncio.TaskGroup() as group:
            for task_id in cycle(attacker.task_ids[:100]):
                group.create_task(attacker.send(post(f"/tasks/{task_id}/move", {"after": None})))
                await asyncio.sleep(1 / per_second)

    return run


ATTACKS: Final[tuple[Attack, ...]] = (
    Attack("writes", "creates, 64 at once", repeat_on_connections(64, _CREATE)),
    Attack("writes", "creates with one key, 64 at once", repeat_on_connections(64, _KEYED)),
    Attack(
        "writes", "creates, 90/s, disconnecting after 5 ms", disconnect_early(90, _CREATE, 0.005)
    ),
    Attack("writes", "creates of 40 KB, 50/s", send_at_rate(50, _LARGE)),
    Attack("writes", "a label on 10,000 tasks renamed, 2/s", _rename_label(2), Dataset.LABELLED),
    Attack(
        "writes", "labels on 10,000 tasks deleted, one by one", _delete_labels, Dataset.LABELLED
    ),
    Attack("writes", "a list of 10,000 tasks deleted with them", _delete_list, Dataset.SMALL),
    Attack(
        "writes",
        "an owner of 10,000 long tasks erased, and again",
        repeat_on_connections(1, _ERASE),
        Dataset.LONG,
    ),
    Attack(
        "writes",
        "an owner of 10,000 long tasks erased, 64 at once",
        repeat_on_connections(64, _ERASE),
        Dataset.LONG,
    ),
    Attack("writes", "tasks moved among 10,000, 50/s", _move(50), Dataset.SMALL),
    Attack("writes", "the profile changed, 64 at once", repeat_on_connections(64, _PROFILE)),
)
