"""Where the successors of many completed tasks are put in their lists."""

from decimal import Decimal
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
    move_task,
)
from ..support.import_export import run_sql
from ..support.recurring import create_recurring

COUNT = 10

SPREAD = "UPDATE tasks SET position = 1000 + title::numeric * %s"

MAKE_ROOM = "UPDATE owners SET task_count = task_count - 30000"

FILL = """
WITH parents AS (
    INSERT INTO tasks (
        id, user_id, title, is_completed, created_at, updated_at, version,
        due_date, recurrence_rule, recurrence_from, position
    )
    SELECT gen_random_uuid(), id, n, false, now(), now(), n, '2100-01-01', 'FREQ=DAILY', 'due', 7
    FROM owners, generate_series(1, 100) AS n
    RETURNING *
)
INSERT INTO tasks (
    id, user_id, title, is_completed, created_at, updated_at, version, position, parent_id
)
SELECT gen_random_uuid(), user_id, title || '-' || n, false, now(), now(), 100 * version + n, 7, id
FROM parents, generate_series(1, 10) AS n
"""


@pytest.fixture
async def roomy_owner(as_isolated_user: ClientFactory, proxy: FaultProxy) -> AsyncClient:
    """Return a client whose user can have more tasks than the quota of these tests allows."""
    owner = as_isolated_user("owner")
    await create_list(owner, "Other")
    await run_sql(proxy, MAKE_ROOM)
    return owner


async def _complete_all(owner: AsyncClient, **fields: object) -> list[JsonObject]:
    """Complete all tasks, and return the tasks of all lists in the order of their positions."""
    body = {"is_completed": True, **fields}
    await json_object(await owner.patch("/tasks?is_completed=false", json=body))
    tasks: list[JsonObject] = (await owner.get("/tasks?sort=position")).json()
    return tasks


def _check_positions(tasks: list[JsonObject]) -> None:
    for one, next_one in pairwise(field_values(tasks, "position")):
        assert one < next_one


@pytest.mark.parametrize("distance", ["1000", "2", "1", "0.125"])
async def test_neighbours_and_their_successors_keep_their_order(
    roomy_owner: AsyncClient, proxy: FaultProxy, distance: str
) -> None:
    owner = roomy_owner
    tasks = [await create_recurring(owner, title=str(number)) for number in range(COUNT)]
    await run_sql(proxy, SPREAD, Decimal(distance))

    listed = await _complete_all(owner)

    _check_positions(listed)
    titles = [str(number) for number in range(COUNT) for _ in range(2)]
    assert field_values(listed, "title") == titles
    assert field_values(listed, "is_completed") == [True, False] * COUNT
    since = (await owner.get("/tasks/changes")).json()["next"]
    await move_task(owner, tasks[0], after=listed[7]["id"])
    changes = (await owner.get(f"/tasks/changes?since={since}")).json()
    assert field_values(changes["tasks"], "id") == [tasks[0]["id"]]


async def test_successors_of_tasks_at_one_position_keep_their_order(
    roomy_owner: AsyncClient, proxy: FaultProxy
) -> None:
    owner = roomy_owner
    for number in range(COUNT):
        await create_recurring(owner, title=str(number))
    await create_task(owner, "last")
    await run_sql(proxy, "UPDATE tasks SET position = 7 WHERE title <> 'last'")

    listed = await _complete_all(owner)

    completed, made, [last] = listed[:COUNT], listed[COUNT:-1], listed[-1:]
    assert field_values(made, "title") == field_values(completed, "title")
    assert last["title"] == "last"
    _check_positions(made)
    assert Decimal(str(made[0]["position"])) > 7


async def test_the_gaps_are_those_of_the_list_to_which_the_tasks_go(
    roomy_owner: AsyncClient, proxy: FaultProxy
) -> None:
    owner = roomy_owner
    garden, house = await create_list(owner), await create_list(owner, "House")
    await create_recurring(owner, title="0")
    await create_task(owner, "2", list_id=house["id"])
    await create_recurring(owner, title="4", list_id=house["id"])
    parent = await create_task(owner, "5", list_id=house["id"])
    await create_task(owner, "6", parent_id=parent["id"])
    await create_task(owner, "8", list_id=garden["id"], is_completed=True)
    await run_sql(proxy, SPREAD, Decimal("0.125"))
    await run_sql(proxy, "UPDATE tasks SET position = 1000.25 WHERE title = '6'")

    listed = await _complete_all(owner, list_id=garden["id"])

    numbers = {task["title"]: task["position"] for task in listed if not task["is_completed"]}
    assert numbers == {"0": _text("1000.125"), "4": _text("1000.5625")}


def _text(position: str) -> str:
    whole, _, fraction = position.partition(".")
    return f"{int(whole):020}.{fraction}"


async def test_a_hundred_successors_and_their_copies_do_not_tie(
    roomy_owner: AsyncClient, proxy: FaultProxy
) -> None:
    await run_sql(proxy, FILL)

    body = {"is_completed": True}
    await json_object(await roomy_owner.patch("/tasks?is_completed=false", json=body))

    distinct = "SELECT count(DISTINCT position), max(position) < 9 FROM tasks WHERE position <> 7"
    assert await run_sql(proxy, distinct) == [(1_100, True)]
