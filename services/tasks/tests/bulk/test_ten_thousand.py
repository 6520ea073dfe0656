"""Thousands of tasks are changed, deleted and taken back within the deadline of a request."""

import pytest

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.helpers import create_list, create_task, json_object
from ..support.import_export import run_sql

COUNT = 10_000

FILL = """
WITH owner AS (UPDATE owners SET task_count = 10000 RETURNING id, counter)
INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version, parent_id)
SELECT gen_random_uuid(), id, 'Task', false, now(), now(), counter - n,
       CASE WHEN mod(n, 2) = 0 AND n < 200 THEN (SELECT id FROM tasks LIMIT 1) END
FROM owner, generate_series(1, 9999) AS n
"""


@pytest.mark.parametrize("subtasks", ["keep", "delete"])
async def test_ten_thousand_tasks_are_changed_and_deleted(
    as_isolated_user: ClientFactory, proxy: FaultProxy, subtasks: str
) -> None:
    owner = as_isolated_user("owner")
    garden = await create_list(owner)
    await create_task(owner)
    await run_sql(proxy, FILL)
    fields = {
        "is_completed": True,
        "list_id": garden["id"],
        "priority": "high",
        "due": {"date": "2026-11-30"},
        "labels_add": ["x"],
        "labels_remove": ["y"],
    }

    changed = await json_object(await owner.patch("/tasks?list_id=none", json=fields))
    query = f"list_id={garden['id']}&subtasks={subtasks}"
    deleted = await json_object(await owner.delete(f"/tasks?{query}"))

    assert (changed["matched"], changed["changed"]) == (COUNT, COUNT)
    assert (deleted["matched"], deleted["deleted"]) == (COUNT, COUNT)
    counts = "SELECT task_count, (SELECT count(*) FROM tasks) FROM owners"
    assert await run_sql(proxy, counts) == [(0, 0)]
    [(tombstones,)] = await run_sql(proxy, "SELECT count(DISTINCT version) FROM task_tombstones")
    assert tombstones == COUNT


FILL_COMPLETED = """
WITH owner AS (UPDATE owners SET task_count = 10000 RETURNING id, counter),
completed AS (
    INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version,
                       completed_at, due_date, recurrence_rule, recurrence_from)
    SELECT gen_random_uuid(), id, 'Done', true, now(), now(), counter - 10000 + n, now(),
           '2100-01-01', 'FREQ=DAILY', 'due'
    FROM owner, generate_series(1, 9000) AS n
    RETURNING id, user_id, version
)
INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version,
                   due_date, recurrence_rule, recurrence_from,
                   previous_id, made_version, made_subtask_count)
SELECT gen_random_uuid(), user_id, 'Next', false, now(), now(), version - 20000,
       '2100-01-02', 'FREQ=DAILY', 'due', id, version - 20000, 0
FROM completed ORDER BY version LIMIT 1000
"""


async def test_a_thousand_successors_are_taken_back(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task(owner)
    await run_sql(proxy, "DELETE FROM tasks")
    await run_sql(proxy, FILL_COMPLETED)

    body = {"is_completed": False}
    changed = await json_object(await owner.patch("/tasks?is_completed=true", json=body))

    assert (changed["matched"], changed["changed"]) == (9_000, 9_000)
    counts = "SELECT task_count, (SELECT count(*) FROM tasks) FROM owners"
    assert await run_sql(proxy, counts) == [(9_000, 9_000)]
    [(tombstones,)] = await run_sql(proxy, "SELECT count(DISTINCT version) FROM task_tombstones")
    assert tombstones == 1_000
