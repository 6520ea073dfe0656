"""How the database finds what it is asked for: by an index, however many tasks other people have."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import LiteralString, cast
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import ClauseElement, Executable
from sqlalchemy.dialects.postgresql import psycopg as psycopg_dialect
from sqlalchemy.sql.compiler import SQLCompiler

from devkit.databases import MigratedDatabases
from tasks.statements.changes import GET_CHANGES
from tasks.statements.creation import GET_OBSTACLE, create_task
from tasks.statements.listing import list_tasks
from tasks.statements.lists import GET_OBSTACLE as GET_LIST_OBSTACLE
from tasks.statements.lists import create_list
from tasks.statements.tasks import DELETE_TASK, GET_TASK, change_task

Plan = dict[str, object]

FILL = """
INSERT INTO owners (id, counter, created_at) SELECT gen_random_uuid(), 1, now() FROM generate_series(1, 20000);
CREATE TEMPORARY TABLE busy AS SELECT id FROM owners LIMIT 200;
INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version)
SELECT gen_random_uuid(), busy.id, 'One of many', false, now() + n * interval '1 second', now(), n
FROM busy, generate_series(1, 200) AS n;
INSERT INTO task_lists (id, user_id, name, folded_name, created_at, updated_at, version)
SELECT gen_random_uuid(), busy.id, n::text, n::text, now(), now(), 300 + n FROM busy, generate_series(1, 50) AS n;
INSERT INTO labels (id, user_id, name, folded_name, created_at, updated_at, version)
SELECT gen_random_uuid(), busy.id, n::text, n::text, now(), now(), 400 + n FROM busy, generate_series(1, 50) AS n;
INSERT INTO task_labels (user_id, task_id, label_id)
SELECT user_id, tasks.id, labels.id FROM tasks JOIN labels USING (user_id) WHERE mod(tasks.version, 50) = 0
AND labels.version < 410;
INSERT INTO task_tombstones (user_id, id, kind, version, deleted_at)
SELECT busy.id, gen_random_uuid(), 'task', 1000 + n, now() FROM busy, generate_series(1, 200) AS n;
INSERT INTO idempotency_keys (user_id, operation, key, digest, task_id, version, answer, created_at)
SELECT busy.id, 'create-task', n::text, '', gen_random_uuid(), n, '', now() FROM busy, generate_series(1, 200) AS n;
ANALYZE
"""

STATEMENTS: Mapping[str, Executable] = {
    "all": list_tasks(frozenset[str](), "created_at", is_plain=True),
    "page": list_tasks(frozenset[str](), "created_at", is_plain=True, behind="time"),
    "get": GET_TASK,
    "create": create_task(),
    "create labelled": create_task(labelled=True),
    "create once": create_task(keyed=True),
    "create named": create_task(named=True),
    "obstacle": GET_OBSTACLE,
    "create list": create_list(keyed=True),
    "list's obstacle": GET_LIST_OBSTACLE,
    "change": change_task(),
    "delete": DELETE_TASK,
    "changes": GET_CHANGES,
}

VALUES: Mapping[str, object] = {
    "wanted": uuid4(),
    "seen": [],
    "limit": 51,
    "after_time": datetime.now(UTC),
    "after_id": UUID(int=0),
    "expected": None,
    "new_title": "Title",
    "new_description": None,
    "sets_description": True,
    "new_is_completed": False,
    "kept": timedelta(days=90),
    "new_list_id": uuid4(),
    "sets_list": True,
    **dict.fromkeys(("new_due_date", "new_due_time", "new_due_at", "new_due_time_zone", "sets_due")),
    "new_priority": 0,
    "new_name": "Name",
    "new_folded_name": "name",
    "folded_names": ["name"],
    "label_names": ["Name"],
    "label_ids": [uuid4()],
    "labels_most": 500,
    "most": 10_000,
    "operation_name": "create-task",
    "given_key": "key",
    "meaning": b"",
    "since": 100,
}


@pytest.fixture(scope="module")
async def crowded(databases: MigratedDatabases) -> str:
    """Fill a database with other people's tasks."""
    url = await databases.make("tasks")
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(FILL)
    return url


async def _explain(url: str, statement: Executable) -> Plan:
    compiled = cast("SQLCompiler", cast("ClauseElement", statement).compile(dialect=psycopg_dialect.dialect()))
    brought = {name: value.value for value, name in compiled.bind_names.items() if not value.required}
    explain = cast("LiteralString", f"EXPLAIN (FORMAT JSON) {compiled.string}")
    async with await psycopg.AsyncConnection.connect(url) as connection:
        found = await (await connection.execute("SELECT user_id FROM tasks LIMIT 1")).fetchone()
        values = {**brought, **VALUES, "caller": found and found[0]}
        ((plans,),) = await (await connection.execute(explain, values)).fetchall()
    return plans[0]["Plan"]


def _nodes(plan: Plan) -> Iterator[Plan]:
    yield plan
    for inner in cast("list[Plan]", plan.get("Plans", [])):
        yield from _nodes(inner)


@pytest.mark.parametrize("name", STATEMENTS)
async def test_no_statement_reads_what_other_people_have(crowded: str, name: str) -> None:
    nodes = list(_nodes(await _explain(crowded, STATEMENTS[name])))

    assert any("Index Name" in node for node in nodes)
    assert [node for node in nodes if node["Node Type"] == "Seq Scan"] == []


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("all", "ix_tasks_user_id_created_at_id"),
        ("page", "ix_tasks_user_id_created_at_id"),
        ("delete", "uq_task_tombstones_user_id_version"),
        ("create once", "ix_idempotency_keys_user_id_created_at"),
    ],
)
async def test_what_is_first_is_read_first_and_not_sorted(crowded: str, name: str, index: str) -> None:
    nodes = list(_nodes(await _explain(crowded, STATEMENTS[name])))

    assert index in {node.get("Index Name") for node in nodes}
    sorted_by = {key for node in nodes for key in cast("list[str]", node.get("Sort Key", []))}
    assert sorted_by <= {'labels.folded_name COLLATE "C"'}  # the few of one task
