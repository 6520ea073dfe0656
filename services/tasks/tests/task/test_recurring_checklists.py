"""A task that repeats takes open copies of its subtasks along."""

import pytest

from devkit.testing.auth_headers import ClientFactory

from ..support.helpers import (
    IF_ABSENT,
    create_list,
    create_task,
    field_values,
    list_titles,
)
from ..support.recurring import (
    change,
    complete,
    create_recurring,
    successor_id,
)
from ..support.service import TASKS_MAX

SPELLINGS = [
    ("PATCH", {"is_completed": True}),
    ("PATCH", {"status": "completed"}),
    ("PUT", {"title": "Task", "is_completed": True}),
    ("PUT", {"title": "Task", "status": "completed"}),
]

SAME_FIELDS = ["title", "description", "list_id", "priority", "labels", "recurrence"]


@pytest.mark.scenario("S007-AC-9")
async def test_a_checklist_repeats_with_open_items(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    garden = await create_list(owner)
    parent = await create_recurring(owner, "FREQ=WEEKLY", title="parent", list_id=garden["id"])
    due = {"date": "2126-11-28", "time": "02:30", "time_zone": "Europe/Berlin"}
    fields: dict[str, object] = {"due": due, "labels": ["home"], "description": "Text"}
    fields |= {"parent_id": parent["id"], "list_id": garden["id"], "priority": "low"}
    item = await create_task(owner, "item", **fields, is_completed=True)

    successor = await complete(owner, parent)

    assert successor is not None
    [_, _, unchanged, copy] = (await owner.get("/tasks?sort=position")).json()
    assert unchanged == item
    for name in SAME_FIELDS:
        assert copy[name] == item[name]
    assert copy["due"] == {**due, "date": "2126-12-05", "at": "2126-12-05T01:30:00.000000Z"}
    assert (copy["is_completed"], copy["completed_at"]) == (False, None)
    assert (copy["id"], copy["previous_id"]) == (successor_id(item), item["id"])
    assert copy["parent_id"] == successor["id"]
    changes = (await owner.get("/tasks/changes")).json()
    assert field_values(changes["tasks"], "id")[-2:] == [successor["id"], copy["id"]]


async def test_copies_of_subtasks_follow_their_parent_into_another_list(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    garden = await create_list(owner)
    parent = await create_recurring(owner)
    subtask = await create_task(owner, parent_id=parent["id"])

    successor = await complete(owner, parent, list_id=garden["id"])

    assert successor is not None
    copy = (await owner.get(f"/tasks/{successor_id(subtask)}")).json()
    assert (successor["list_id"], copy["list_id"]) == (garden["id"], garden["id"])


async def test_completing_a_subtask_makes_no_successor(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    parent = await create_recurring(owner)
    subtask = await create_task(owner, parent_id=parent["id"])

    assert await complete(owner, subtask) is None
    assert await complete(owner, parent) is not None
    assert "link" not in (await change(owner, subtask, is_completed=True)).headers
    await change(owner, subtask, is_completed=False)
    assert len((await owner.get("/tasks")).json()) == 4


async def test_a_copy_whose_id_exists_is_left_out(as_user: ClientFactory) -> None:
    owner, neighbour = as_user("owner"), as_user("neighbour")
    parent = await create_recurring(owner)
    subtasks = [await create_task(owner, name, parent_id=parent["id"]) for name in "ab"]
    taken = f"/tasks/{successor_id(subtasks[0])}"
    await neighbour.put(taken, json={"title": "Theirs"}, headers=IF_ABSENT)

    successor = await complete(owner, parent)

    assert successor is not None
    assert (await owner.get(taken)).status_code == 404
    assert await list_titles(owner, parent_id=successor["id"]) == ["b"]
    assert len((await owner.get("/tasks")).json()) == TASKS_MAX
