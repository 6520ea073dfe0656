"""Where the successor of a completed task, and the copies of its subtasks, are put in their list.

They stand directly behind what they follow, at positions of their own: a later move beside them
writes one row, as any other.
"""

from decimal import Context, Decimal
from itertools import pairwise

import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.helpers import (
    JsonObject,
    create_list,
    create_task,
    field_values,
    json_object,
    list_titles,
    move_task,
)
from ..support.import_export import run_sql
from ..support.recurring import change, complete, create_recurring, successor_id

SET_POSITION = "UPDATE tasks SET position = %s WHERE title = %s"
EXACT = Context(prec=300)
ALMOST_FULL = EXACT.power(2, -229)
FULL = EXACT.power(2, -230)
MAKE_ROOM = "UPDATE owners SET task_count = task_count - 1000"


@pytest.fixture
async def roomy_owner(as_isolated_user: ClientFactory, proxy: FaultProxy) -> AsyncClient:
    """Return a client whose user can have more tasks than the quota of these tests allows."""
    owner = as_isolated_user("owner")
    await create_list(owner, "Other")
    await run_sql(proxy, MAKE_ROOM)
    return owner


async def _complete(owner: AsyncClient, task: JsonObject, **fields: object) -> JsonObject:
    successor = await complete(owner, task, **fields)
    assert successor is not None
    return successor


def _position(task: JsonObject) -> Decimal:
    return Decimal(str(task["position"]))


@pytest.mark.parametrize("in_list", [False, True])
@pytest.mark.parametrize("behind", ["task", "successor"])
async def test_a_move_beside_a_successor_writes_one_row(
    as_user: ClientFactory, behind: str, *, in_list: bool
) -> None:
    owner = as_user("owner")
    list_id = (await create_list(owner))["id"] if in_list else None
    task = await create_recurring(owner, list_id=list_id)
    await create_task(owner, list_id=list_id)
    moved = await create_task(owner, list_id=list_id)
    successor = await _complete(owner, task)
    since = (await owner.get("/tasks/changes")).json()["next"]

    after = {"task": task, "successor": successor}[behind]
    await move_task(owner, moved, after=after["id"])

    changes = (await owner.get(f"/tasks/changes?since={since}")).json()
    assert field_values(changes["tasks"], "id") == [moved["id"]]
    await change(owner, task, is_completed=False)
    assert (await owner.get(f"/tasks/{successor['id']}")).status_code == 404


@pytest.mark.parametrize("in_list", [False, True])
async def test_thirty_completions_keep_the_order_of_list_and_checklist(
    roomy_owner: AsyncClient, *, in_list: bool
) -> None:
    owner = roomy_owner
    list_id = (await create_list(owner))["id"] if in_list else None
    await create_task(owner, "first", list_id=list_id)
    first = await create_recurring(owner, title="repeats", list_id=list_id)
    items = [await create_task(owner, title, parent_id=first["id"]) for title in "abc"]
    await create_task(owner, "last", list_id=list_id)

    task = first
    for _ in range(30):
        task = await _complete(owner, task)

    copies = (await owner.get(f"/tasks?parent_id={task['id']}")).json()
    assert field_values(copies, "title") == ["a", "b", "c"]
    moved_by = [
        _position(new) - _position(old)
        for old, new in zip([first, *items], [task, *copies], strict=True)
    ]
    assert moved_by == [30] * 4
    tasks = (await owner.get(f"/tasks?list_id={list_id or 'none'}&limit=200")).json()
    titles = ["first", *["repeats"] * 31, *["a"] * 31, *["b"] * 31, *["c"] * 31, "last"]
    assert field_values(tasks, "title") == titles
    for one, next_one in pairwise(tasks):
        assert _position(one) < _position(next_one)


@pytest.mark.parametrize(
    ("gap", "distance"),
    [
        (Decimal("0.5"), Decimal("0.25")),
        (Decimal("1.5"), Decimal("0.75")),
        (Decimal(2), Decimal(1)),
        (Decimal(3), Decimal(1)),
        (ALMOST_FULL, FULL),
        (FULL, Decimal(0)),
    ],
)
@pytest.mark.parametrize("in_list", [False, True])
async def test_a_narrow_gap_is_halved_until_it_is_full(
    roomy_owner: AsyncClient,
    proxy: FaultProxy,
    gap: Decimal,
    distance: Decimal,
    *,
    in_list: bool,
) -> None:
    owner = roomy_owner
    garden = await create_list(owner)
    list_id, other_list_id = (garden["id"], None) if in_list else (None, garden["id"])
    task = await create_recurring(owner, title="repeats", list_id=list_id)
    item = await create_task(owner, "item", parent_id=task["id"])
    await create_task(owner, "after task", list_id=list_id)
    await create_task(owner, "after item", list_id=list_id)
    await create_task(owner, "elsewhere", list_id=other_list_id)
    places = {
        "repeats": Decimal(100),
        "after task": EXACT.add(100, gap),
        "elsewhere": Decimal("100.0001"),
        "item": Decimal(200),
        "after item": EXACT.add(200, gap),
    }
    for title, position in places.items():
        await run_sql(proxy, SET_POSITION, position, title)

    successor = await _complete(owner, task)

    copy = await json_object(await owner.get(f"/tasks/{successor_id(item)}"))
    assert EXACT.subtract(_position(successor), 100) == distance
    assert EXACT.subtract(_position(copy), 200) == distance


async def test_a_position_stays_below_the_limit(
    roomy_owner: AsyncClient, proxy: FaultProxy
) -> None:
    owner = roomy_owner
    task = await create_recurring(owner)
    await run_sql(proxy, "UPDATE tasks SET position = %s", Decimal(10**20 - 1))

    assert _position(await _complete(owner, task)) == 10**20 - 1


async def test_what_follows_tasks_at_one_position_does_not_tie(
    roomy_owner: AsyncClient, proxy: FaultProxy
) -> None:
    owner = roomy_owner
    task = await create_recurring(owner, title="repeats")
    for title in "abcd":
        await create_task(owner, title, parent_id=task["id"])
    await create_task(owner, "last")
    await run_sql(proxy, "UPDATE tasks SET position = 7.5 WHERE title <> 'last'")
    order = await list_titles(owner, is_completed=False, sort="position")

    successor = await _complete(owner, task)

    made = (await owner.get("/tasks?sort=position")).json()[5:]
    assert field_values(made, "title") == order
    assert successor in made
    for one, next_one in pairwise(made):
        assert 7.5 < _position(one) < _position(next_one)


async def test_the_gap_is_that_of_the_list_to_which_the_task_goes(
    roomy_owner: AsyncClient, proxy: FaultProxy
) -> None:
    owner = roomy_owner
    garden = await create_list(owner)
    task = await create_recurring(owner, title="repeats")
    await create_task(owner, "item", parent_id=task["id"])
    await create_task(owner, "stays")
    await create_task(owner, "there", list_id=garden["id"])
    for title, position in {"repeats": 10, "stays": 10.25, "item": 10.5, "there": 11}.items():
        await run_sql(proxy, SET_POSITION, position, title)

    await _complete(owner, task, list_id=garden["id"])

    tasks = (await owner.get(f"/tasks?list_id={garden['id']}")).json()
    assert field_values(tasks, "title") == ["repeats", "repeats", "item", "item", "there"]
    assert field_values(tasks, "position")[1:4:2] == [
        "00000000000000000010.25",
        "00000000000000000010.75",
    ]
