"""How the database finds the tasks of one user who has many, among those of all others."""

from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import TupleRow
from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql import psycopg as dialect
from sqlalchemy.sql import ClauseElement

from devkit.databases import MigratedDatabases
from tasks.statements.changes import GET_CHANGES
from tasks.statements.labels import CHANGE_LABEL, DELETE_LABEL
from tasks.statements.listing import list_tasks
from tasks.statements.lists import delete_list
from tasks.statements.order import move
from tasks.statements.tasks import DELETE_TASK, GET_TASK, change_task

OWNER, LIST, LABEL = UUID(int=1), UUID(int=2), UUID(int=3)
OWN, OTHERS = 10_000, 100_000

CREATED, PLACED = "ix_tasks_user_id_created_at_id", "ix_tasks_user_id_list_id_place"

BLOCKS_MAX = 600
"""What a page of 50 may touch, of 8 KiB each: its rows, their labels, and a few of each index."""

FILL = b"""
INSERT INTO owners (id, counter, task_count, created_at)
SELECT CASE n WHEN 1 THEN %(owner)s ELSE gen_random_uuid() END, 1000000, 1000, now() FROM generate_series(1, 101) AS n;
INSERT INTO task_lists (id, user_id, name, folded_name, created_at, updated_at, version)
VALUES (%(list)s, %(owner)s, 'List', 'list', now(), now(), 1);
INSERT INTO labels (id, user_id, name, folded_name, created_at, updated_at, version)
SELECT CASE id WHEN %(owner)s THEN %(label)s ELSE gen_random_uuid() END, id, 'Label', 'label', now(), now(), 2
FROM owners;
INSERT INTO tasks (id, user_id, title, is_completed, completed_at, created_at, updated_at, version, list_id, due_date)
SELECT gen_random_uuid(), owners.id, 'Task ' || n, mod(n, 2) = 0, CASE WHEN mod(n, 2) = 0 THEN now() END,
       now() - n * interval '1 minute', now(), n + 2, CASE WHEN is_own AND n <= 500 THEN %(list)s END,
       CASE WHEN mod(n, 10) = 1 THEN current_date + n END
FROM (SELECT id, id = %(owner)s AS is_own FROM owners) AS owners,
     generate_series(1, CASE WHEN is_own THEN %(own)s ELSE %(others)s / 100 END) AS n;
INSERT INTO task_labels (user_id, task_id, label_id)
SELECT tasks.user_id, tasks.id, labels.id FROM tasks JOIN labels ON labels.user_id = tasks.user_id
WHERE mod(tasks.version, 20) = 0;
"""

NOW = {"now": datetime.now(UTC), "today": date(2199, 1, 1)}
MOVE: dict[str, object] = {"expected": None, "sets_list": False, "new_list_id": None, "goes_first": False}

READS: dict[str, tuple[Executable, dict[str, object], str]] = {
    "plain": (list_tasks(frozenset[str](), "created_at", is_plain=True), {}, CREATED),
    "behind": (
        list_tasks(frozenset[str](), "created_at", is_plain=True, behind="time"),
        {"after_time": datetime.now(UTC), "after_id": LIST},
        CREATED,
    ),
    "a list": (
        list_tasks(frozenset({"list_id"}), "position", is_plain=False),
        {"list_id": LIST},
        PLACED,
    ),
    "the inbox": (
        list_tasks(frozenset({"in_inbox"}), "position", is_plain=False),
        {},
        PLACED,
    ),
    "a page of a list": (
        list_tasks(frozenset({"list_id"}), "position", is_plain=False, behind="value"),
        {"list_id": LIST, "after_value": "00001795282163346947", "after_id": LIST},
        PLACED,
    ),
    "changes": (GET_CHANGES, {"since": 9_900}, "uq_tasks_user_id_version"),
    "one": (GET_TASK, {}, "uq_tasks_user_id_id"),
}

KEPT = ("sets_description", "new_description", "new_is_completed", "sets_due", "new_due_date", "new_due_time")
PLAN: dict[str, object] = {
    **dict.fromkeys((*KEPT, "new_due_at", "new_due_time_zone", "new_priority")),
    "folded_names": ["a"],
    "label_names": ["A"],
    "label_ids": [LIST],
    "labels_most": 500,
}
WRITES = {
    "a change": change_task(),
    "a change of labels": change_task(labelled=True),
    "a deletion": DELETE_TASK,
    "a list's end": delete_list(with_tasks=False),
    "a list's end with all": delete_list(with_tasks=True),
    "a label's new name": CHANGE_LABEL,
    "a label's end": DELETE_LABEL,
}

Connection = psycopg.AsyncConnection[TupleRow]


@pytest.fixture(scope="module")
async def full(databases: MigratedDatabases) -> AsyncGenerator[Connection]:
    """Fill a database with many tasks of one owner, and more of others."""
    async with await psycopg.AsyncConnection.connect(await databases.make("tasks"), autocommit=True) as connection:
        await connection.execute("SET statement_timeout = 0")
        await psycopg.AsyncClientCursor(connection).execute(
            FILL, {"owner": OWNER, "list": LIST, "label": LABEL, "own": OWN, "others": OTHERS}
        )
        await connection.execute("VACUUM ANALYZE")
        yield connection


async def _explain(connection: Connection, statement: Executable, options: str, **values: object) -> str:
    assert isinstance(statement, ClauseElement)
    compiled = statement.compile(dialect=dialect.dialect())
    usual = {"caller": OWNER, "wanted": LIST, "seen": ["0"], "limit": 51}
    found = await connection.execute(
        f"EXPLAIN ({options}) {compiled}".encode(), compiled.construct_params(usual | values)
    )
    return "\n".join(str(line) for (line,) in await found.fetchall())


@pytest.mark.parametrize(("statement", "values", "index"), READS.values(), ids=READS)
async def test_a_page_is_found_by_an_index(
    full: Connection, statement: Executable, values: dict[str, object], index: str
) -> None:
    plan = await _explain(full, statement, "ANALYZE, BUFFERS", **values)

    assert index in plan, plan
    assert "Seq Scan on tasks" not in plan
    blocks = [int(word.partition("=")[2]) for word in plan.split("Planning")[0].split() if word.startswith("hit=")]
    assert max(blocks) < BLOCKS_MAX, plan


@pytest.mark.parametrize(
    ("filters", "values", "index"),
    [
        ({"overdue", "priorities"}, {**NOW, "priorities": [0]}, "ix_tasks_user_id_due_date"),
        ({"labels"}, {"labels": ["label"]}, "ix_task_labels_user_id_label_id"),
    ],
)
async def test_a_filter_looks_at_the_owners_tasks_alone(
    full: Connection, filters: set[str], values: dict[str, object], index: str
) -> None:
    plan = await _explain(full, list_tasks(frozenset(filters), "created_at", is_plain=True), "ANALYZE", **values)

    assert index in plan, plan
    assert "Seq Scan on tasks" not in plan


@pytest.mark.parametrize("statement", WRITES.values(), ids=WRITES)
async def test_a_write_looks_at_the_owners_tasks_alone(full: Connection, statement: Executable) -> None:
    values = {"new_title": "New", "new_name": "New", "new_folded_name": "new", "kept": timedelta(days=90)}

    plan = await _explain(full, statement, "COSTS OFF", **MOVE, **PLAN, **values)

    assert "Seq Scan on tasks" not in plan, plan


@pytest.mark.parametrize("after", [None, LIST])
async def test_a_move_finds_its_neighbours_by_the_index(full: Connection, after: UUID | None) -> None:
    values = {**MOVE, "goes_last": after is None, "after": after}

    plan = await _explain(full, move("task"), "COSTS OFF", **values)

    assert "ix_tasks_user_id_list_id_place" in plan
    assert "Seq Scan on tasks" not in plan
