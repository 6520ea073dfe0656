"""A database with a million tasks of 101 users, and what statements read there."""

import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, LiteralString, cast
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow
from sqlalchemy import ClauseElement, Executable
from sqlalchemy.dialects.postgresql import psycopg as dialects

OWNER_TASK_COUNT = 10_000
"""Tasks of the user under test."""

OTHER_TASK_COUNT = 10_000
"""Tasks of each of a hundred other users."""


def owner_task_id(number: int) -> UUID:
    """Return the id of a task of the user under test; 1 is the newest task."""
    return UUID(int=100_000 * number + 1)


OWNER_ID = UUID(int=1)
TASK_ID = owner_task_id(1)
LIST_ID = UUID(int=50_001)
"""A list with 500 tasks."""

LABEL_ID = UUID(int=50_001)
"""A label on 500 tasks."""

PARENT_ID = owner_task_id(2)
"""A task in the inbox with 100 subtasks."""

IMPORT_ID = UUID(int=70_001)
"""An unfinished import with a record for each task."""

FILL_SQL = """
SET statement_timeout = 0;
SET maintenance_work_mem = '256MB';
SET session_replication_role = replica; -- skip the checks of foreign keys
CREATE FUNCTION pg_temp.id(bigint) RETURNS uuid LANGUAGE sql RETURN lpad(to_hex($1), 32, '0')::uuid;

INSERT INTO owners (id, counter, task_count, list_count, label_count, created_at)
SELECT pg_temp.id(o), 1000000, {own}, 20, 20, now() FROM generate_series(1, 20000) AS o;
INSERT INTO task_lists (id, user_id, name, folded_name, created_at, updated_at, version)
SELECT pg_temp.id(n * 50000 + o), pg_temp.id(o), n, n, now(), now(), {own} + n
FROM generate_series(1, 20) AS n, generate_series(1, 1000) AS o;
INSERT INTO labels
SELECT id, user_id, name, folded_name, created_at, updated_at, version + 20 FROM task_lists;
INSERT INTO task_tombstones (user_id, id, kind, version, deleted_at)
SELECT pg_temp.id(o), pg_temp.id(n * 60000 + o), 'task', 20000 + n, now() - interval '1 year'
FROM generate_series(1, 40) AS n, generate_series(1, 1000) AS o;
INSERT INTO idempotency_keys (user_id, operation, key, digest, task_id, version, answer, created_at)
SELECT user_id, 'create-task', version, '', id, version, '', deleted_at FROM task_tombstones;
INSERT INTO imports (id, user_id, begun_at)
SELECT pg_temp.id(70000 + o), pg_temp.id(o),
       now() - CASE WHEN o > 500 THEN interval '1 hour' ELSE '0' END
FROM generate_series(1, 20000) AS o;
INSERT INTO staged_tasks (
    user_id, import_id, old_id, line, own_id, title, is_completed,
    created_at, updated_at, is_planned, priority, labels, parent_id, own_parent_id, previous_id
)
SELECT pg_temp.id(o), pg_temp.id(70000 + o), pg_temp.id(n * 100000 + o),
       n + 1, pg_temp.id(n * 100000 + 99000 + o),
       'Staged', false, now(), now(), n % 2 = 0, 0, '{{}}',
       pg_temp.id(n / 50 * 5000000 + 100000 + o), pg_temp.id(n), pg_temp.id(n * 100000 - 100000 + o)
FROM generate_series(1, 1000) AS o, generate_series(1, {own}) AS n WHERE o = 1 OR n <= 20;

UPDATE pg_index SET indisready = false
WHERE indrelid = 'tasks'::regclass; -- insert all rows first, then build each index at once
INSERT INTO tasks (
    id, user_id, title, is_completed, completed_at, created_at, updated_at, version,
    list_id, due_date, parent_id
)
SELECT pg_temp.id(n * 100000 + o), owner, 'Task', completed IS NOT NULL, completed,
       created, created, n,
       CASE n % 20 WHEN 1 THEN list END, CASE n % 10 WHEN 1 THEN current_date + n - 200 END,
       CASE n % 100 WHEN 3 THEN pg_temp.id(200000 + o) END
FROM (SELECT n, created, CASE n % 2 WHEN 0 THEN created END AS completed
      FROM generate_series(1, {own}) AS n,
           LATERAL (SELECT now() - n * interval '1 minute' AS created) OFFSET 0)
JOIN (SELECT o, pg_temp.id(o) AS owner, pg_temp.id(50000 + o) AS list
      FROM generate_series(1, 101) AS o OFFSET 0)
ON o = 1 OR n <= {others};
REINDEX TABLE tasks;
INSERT INTO task_labels (user_id, task_id, label_id)
SELECT tasks.user_id, tasks.id, labels.id FROM tasks JOIN labels USING (user_id)
WHERE tasks.version % 20 = 1 AND labels.name IN ('1', '2');

SET session_replication_role = origin;
VACUUM ANALYZE
"""

FILL_AFTER_ANALYZE_SQL = """
SET statement_timeout = 0;
CREATE FUNCTION pg_temp.id(bigint) RETURNS uuid LANGUAGE sql RETURN lpad(to_hex($1), 32, '0')::uuid;

INSERT INTO owners (id, counter, task_count, list_count, label_count, created_at)
SELECT pg_temp.id(o), 1000000, {own}, 0, 0, now() FROM generate_series(1, 100) AS o;
INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version)
SELECT pg_temp.id(100000 + o), pg_temp.id(o), 'Task', false, now(), now(), 1
FROM generate_series(2, 100) AS o;
ANALYZE;
INSERT INTO task_lists (id, user_id, name, folded_name, created_at, updated_at, version)
SELECT pg_temp.id(n * 50000 + 1), pg_temp.id(1), n, n, now(), now(), 20000 + n
FROM generate_series(1, 2) AS n;
INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version, parent_id)
SELECT pg_temp.id(n * 100000 + 1), pg_temp.id(1), 'Task', false, now(), now(), n,
       CASE WHEN n > 50 AND n % 50 > 0 THEN pg_temp.id(n / 50 * 5000000 + 1) END
FROM generate_series(1, {own}) AS n;
INSERT INTO imports (id, user_id, begun_at) VALUES (pg_temp.id(70001), pg_temp.id(1), now());
INSERT INTO staged_tasks (
    user_id, import_id, old_id, line, own_id, title, is_completed,
    created_at, updated_at, is_planned, priority, labels, parent_id, previous_id
)
SELECT pg_temp.id(1), pg_temp.id(70001), pg_temp.id(n * 100000 + 1),
       n + 1, pg_temp.id(n * 100000 + 99001),
       'Staged', false, now(), now(), n % 2 = 0, 0, '{{}}',
       pg_temp.id(n / 50 * 5000000 + 100001), pg_temp.id(n * 100000 - 99999)
FROM generate_series(1, {own}) AS n
"""

AUTO_EXPLAIN_SETTINGS = (
    "LOAD 'auto_explain'",
    "SET auto_explain.log_min_duration = 0",
    "SET auto_explain.log_analyze = on",
    "SET auto_explain.log_buffers = on",
    "SET auto_explain.log_format = json",
    "SET auto_explain.log_level = notice",
)
"""Make the server send the query plan of each statement as a notice, with row and buffer counts."""

QueryPlan = dict[str, Any]

Connection = psycopg.AsyncConnection[TupleRow]

_DIALECT = dialects.dialect()


@dataclass(frozen=True)
class ScanStatistics:
    """What a statement read."""

    tables: set[str]
    """Tables that were read from end to end."""

    indexes: set[str]
    rows: int
    blocks: int
    """Blocks of 8 KiB."""

    plan: str


@asynccontextmanager
async def large_dataset(url: str, others: int) -> AsyncGenerator[Connection]:
    """Fill a database; `others` is the number of tasks of each of the hundred other users."""
    async with _filled(url, FILL_SQL, own=OWNER_TASK_COUNT, others=others) as connection:
        yield connection


@asynccontextmanager
async def outdated_statistics(url: str) -> AsyncGenerator[Connection]:
    """Fill a database whose statistics are older than the tasks of the user under test.

    They say that each user has one task, as on a new platform before the first large import.
    """
    async with _filled(url, FILL_AFTER_ANALYZE_SQL, own=OWNER_TASK_COUNT) as connection:
        yield connection


@asynccontextmanager
async def _filled(url: str, template: LiteralString, **counts: int) -> AsyncGenerator[Connection]:
    fill_sql = sql.SQL(template).format(**counts).as_string()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for statement in fill_sql.split(";\n"):
            await connection.execute(statement.encode())
        for setting in AUTO_EXPLAIN_SETTINGS:
            await connection.execute(setting)
        yield connection


async def explain(
    connection: Connection, statement: Executable, values: Mapping[str, object], mode: str
) -> ScanStatistics:
    """Run a statement as the service does, roll it back, and return what it read.

    Args:
        connection: A connection of `large_dataset`.
        statement: The statement.
        values: Its parameters.
        mode: `custom` plans for these values, `generic` once for all values. PostgreSQL uses the
            one that seems cheaper for a prepared statement.
    """
    compiled = cast("ClauseElement", statement).compile(dialect=_DIALECT)
    params = compiled.construct_params(dict(values))
    notices: list[str] = []
    connection.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    async with connection.transaction(force_rollback=True):
        await connection.execute(f"SET LOCAL plan_cache_mode = force_{mode}_plan".encode())
        await connection.execute(str(compiled).encode(), params, prepare=True)
    _, _, plan_json = notices[-1].partition("plan:")
    return _statistics(json.loads(plan_json)["Plan"])


def _statistics(plan: QueryPlan) -> ScanStatistics:
    tables: set[str] = set()
    indexes: set[str] = set()
    rows = 0
    blocks = 0
    for node in _nodes(plan):
        if node["Node Type"] == "Seq Scan":
            tables.add(node["Relation Name"])
        if "Index Name" in node:
            indexes.add(node["Index Name"])
        if "Relation Name" in node and "Scan" in node["Node Type"]:
            rows += _rows_read(node)
        blocks = max(blocks, node["Shared Hit Blocks"] + node["Shared Read Blocks"])
    return ScanStatistics(tables, indexes, rows, blocks, json.dumps(plan, indent=1))


def _nodes(plan: QueryPlan) -> Iterator[QueryPlan]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


def _rows_read(scan: QueryPlan) -> int:
    names = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    rows_per_loop = sum(scan.get(name, 0) for name in names)
    return round(rows_per_loop * scan["Actual Loops"])
