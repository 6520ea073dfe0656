"""Completing many tasks makes the successors of those that repeat."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.helpers import create_list, create_task, field_values, json_object, problem_code
from ..support.import_export import run_sql
from ..support.service import TASKS_MAX

DAILY = {"rule": "FREQ=DAILY", "from": "due"}
FAR = {"date": "2100-01-01"}

INSERT_RECURRING = """
INSERT INTO tasks (
    id, user_id, title, is_completed, created_at, updated_at, version,
    due_date, recurrence_rule, recurrence_from
)
SELECT gen_random_uuid(), id, 'Daily', false, now(), now(), n, '2100-01-01', %s, 'due'
FROM owners, generate_series(1, %s) AS n
"""


async def _complete(owner: AsyncClient, query: str = "status=pending", **fields: object) -> object:
    response = await owner.patch(f"/tasks?{query}", json={"is_completed": True, **fields})
    result = await json_object(response)
    return result["matched"], result["changed"]


def _successor_id(task_id: object) -> str:
    return str(uuid5(UUID(str(task_id)), "successor"))


async def test_each_task_that_repeats_gets_its_successor_with_copies_of_its_subtasks(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    garden = await create_list(owner)
    daily = await create_task(
        owner, "daily", due=FAR, recurrence={"rule": "FREQ=DAILY;COUNT=3"}, labels=["x", "y"]
    )
    item = await create_task(owner, "item", parent_id=daily["id"], labels=["z"], due=FAR)
    once = await create_task(owner, "once")
    since = (await owner.get("/tasks/changes")).json()["next"]

    counts = await _complete(
        owner, f"id={daily['id']}&id={once['id']}", list_id=garden["id"], labels_remove=["x"]
    )

    assert counts == (2, 2)
    changes = (await owner.get(f"/tasks/changes?since={since}")).json()
    tasks = {task["id"]: task for task in changes["tasks"]}
    assert len(tasks) == len(set(field_values(changes["tasks"], "version"))) == 5
    successor = tasks[_successor_id(daily["id"])]
    completed = tasks[daily["id"]]
    assert completed["is_completed"]
    assert tasks[once["id"]]["is_completed"]
    assert successor == completed | {
        "id": successor["id"],
        "is_completed": False,
        "status": "pending",
        "completed_at": None,
        "created_at": successor["created_at"],
        "version": successor["version"],
        "position": successor["position"],
        "due": completed["due"] | {"date": "2100-01-02"},
        "recurrence": {"rule": "FREQ=DAILY;COUNT=2", "from": "due"},
        "previous_id": daily["id"],
    }
    assert (successor["labels"], successor["list_id"]) == (["y"], garden["id"])
    copy = tasks[_successor_id(item["id"])]
    assert (copy["parent_id"], copy["previous_id"]) == (successor["id"], item["id"])
    assert (copy["labels"], copy["list_id"]) == (["z"], garden["id"])
    assert copy["due"]["date"] == "2100-01-02"
    assert tasks[item["id"]]["list_id"] == garden["id"]


async def test_completing_again_makes_no_second_successor(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    daily = await create_task(owner, due=FAR, recurrence=DAILY)

    assert await _complete(owner, f"id={daily['id']}") == (1, 1)
    assert await _complete(owner, f"id={daily['id']}") == (1, 0)
    await owner.patch(f"/tasks/{_successor_id(daily['id'])}", json={"title": "Touched"})
    await owner.patch(f"/tasks/{daily['id']}", json={"is_completed": False})
    assert await _complete(owner, f"id={daily['id']}") == (1, 1)

    ids = field_values((await owner.get("/tasks")).json(), "id")
    assert set(ids) == {daily["id"], _successor_id(daily["id"])}
    assert len(ids) == 2


async def test_the_new_due_date_counts(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    daily = await create_task(owner, due=FAR, recurrence=DAILY)

    await _complete(owner, due={"date": "2120-05-05"})

    successor = (await owner.get(f"/tasks/{_successor_id(daily['id'])}")).json()
    assert successor["due"]["date"] == "2120-05-06"


@pytest.mark.parametrize("is_matched", [True, False])
async def test_a_copy_is_like_its_subtask_afterwards(
    as_user: ClientFactory, *, is_matched: bool
) -> None:
    owner = as_user("owner")
    daily = await create_task(owner, due={"date": "2127-01-31"}, recurrence=DAILY)
    item = await create_task(
        owner, parent_id=daily["id"], due={"date": "2127-01-05"}, labels=["old", "kept"]
    )
    query = f"id={daily['id']}" + (f"&id={item['id']}" if is_matched else "")
    fields = {
        "due": {"date": "2128-02-28", "time": "08:00", "time_zone": "Europe/Berlin"},
        "priority": "high",
        "labels_add": ["new"],
        "labels_remove": ["old"],
    }

    await _complete(owner, query, **fields)

    copy = (await owner.get(f"/tasks/{_successor_id(item['id'])}")).json()
    due = copy["due"]
    found = (due["date"], due["time"], copy["priority"], copy["labels"], copy["status"])
    if is_matched:
        assert found == ("2128-02-29", "08:00", "high", ["kept", "new"], "pending")
        assert due["at"] == "2128-02-29T07:00:00.000000Z"
    else:
        assert found == ("2127-01-06", None, "none", ["kept", "old"], "pending")


async def test_a_copy_has_a_due_date_if_its_subtask_gets_one(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    daily = await create_task(owner, due=FAR, recurrence=DAILY)
    item = await create_task(owner, parent_id=daily["id"])

    await _complete(owner, f"id={daily['id']}&id={item['id']}", due={"date": "2120-05-05"})

    copy = (await owner.get(f"/tasks/{_successor_id(item['id'])}")).json()
    assert copy["due"]["date"] == "2120-05-06"


async def test_a_task_completed_late_is_due_in_the_future(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    daily = await create_task(owner, due={"date": "2020-01-01"}, recurrence=DAILY)
    today = datetime.now(UTC).date()

    await _complete(owner)

    successor = (await owner.get(f"/tasks/{_successor_id(daily['id'])}")).json()
    assert successor["due"]["date"] in {str(today + timedelta(days=days)) for days in (1, 2)}


@pytest.mark.parametrize("rule", ["FREQ=DAILY;COUNT=1", "FREQ=DAILY;UNTIL=21000101"])
async def test_a_rule_that_is_over_makes_none(as_user: ClientFactory, rule: str) -> None:
    owner = as_user("owner")
    await create_task(owner, due=FAR, recurrence={"rule": rule})

    assert await _complete(owner) == (1, 1)
    assert len((await owner.get("/tasks")).json()) == 1


async def test_successors_are_made_in_order_until_there_is_no_room(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    tasks = [
        await create_task(owner, str(number), due=FAR, recurrence=DAILY)
        for number in range(TASKS_MAX - 1)
    ]

    assert await _complete(owner) == (4, 4)

    remaining = (await owner.get("/tasks?status=pending")).json()
    assert field_values(remaining, "id") == [_successor_id(tasks[0]["id"])]
    full = await owner.post("/tasks", json={"title": "One more"})
    assert problem_code(full) == (422, "quota-exceeded")


async def test_more_than_a_hundred_are_too_many(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task(owner, due=FAR, recurrence=DAILY)
    await run_sql(proxy, INSERT_RECURRING, "FREQ=DAILY", 99)
    await run_sql(proxy, "UPDATE tasks SET version = 5000 - version WHERE version < 200")
    await run_sql(proxy, INSERT_RECURRING, "FREQ=DAILY;COUNT=1", 200)
    await run_sql(proxy, "UPDATE tasks SET version = version + 10000 WHERE version < 300")
    await run_sql(proxy, INSERT_RECURRING, "FREQ=DAILY", 1)

    response = await owner.patch("/tasks?status=pending", json={"is_completed": True})
    assert problem_code(response) == (422, "too-many-recurring")
    assert await run_sql(proxy, "SELECT count(*) FROM tasks WHERE is_completed") == [(0,)]

    await run_sql(proxy, "DELETE FROM tasks WHERE version = 1")
    assert await _complete(owner) == (300, 300)


async def test_completing_tasks_that_repeat_takes_four_round_trips_at_most(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    counts: list[int] = []
    for _ in range(8):
        await create_task(owner, due=FAR, recurrence=DAILY)
        proxy.round_trips = 0
        await _complete(owner)
        counts.append(proxy.round_trips)
        await owner.delete("/tasks?is_completed=true")
        await owner.delete("/tasks?is_completed=false")

    assert counts[-1] <= 4


async def test_other_changes_take_one_round_trip(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task(owner, labels=["x"])
    counts: list[list[int]] = []
    for number in range(8):
        round_trips: list[int] = []
        priority = "high" if number % 2 else "low"
        for fields in ({"priority": priority}, {"labels_add": ["y"]}, {"list_id": None}):
            proxy.round_trips = 0
            await json_object(await owner.patch("/tasks?status=pending", json=fields))
            round_trips.append(proxy.round_trips)
        proxy.round_trips = 0
        await json_object(await owner.delete("/tasks?status=completed"))
        round_trips.append(proxy.round_trips)
        counts.append(round_trips)

    assert counts[-1] == [1, 1, 1, 1]


async def test_only_tasks_that_get_a_successor_count(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    """There are no due dates after the year 2200."""
    owner = as_isolated_user("owner")
    await create_task(owner, due={"date": "2200-12-31"}, recurrence=DAILY)
    await run_sql(proxy, INSERT_RECURRING, "FREQ=DAILY", 150)
    await run_sql(proxy, "UPDATE tasks SET due_date = '2200-12-31'")

    assert await _complete(owner) == (151, 151)
    assert (await owner.get("/tasks?status=pending")).json() == []


async def test_a_task_that_lost_its_due_date_gets_no_successor(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    """Releases before recurrence clear the due date and leave the rule."""
    owner = as_isolated_user("owner")
    await create_task(owner, due=FAR, recurrence=DAILY)
    await run_sql(proxy, "UPDATE tasks SET due_date = NULL")

    assert await _complete(owner) == (1, 1)
    assert (await owner.get("/tasks?status=pending")).json() == []
