"""One user with many tasks among all others, and what a statement reads to find theirs."""

import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, cast
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow
from sqlalchemy import ClauseElement, Executable
from sqlalchemy.dialects.postgresql import psycopg as dialects

OWN = 10_000
"""Tasks of the one user."""

CROWD = 10_000
"""Tasks of each of a hundred others: a million in all."""


def task(number: int) -> UUID:
    """Return the id of a task of the one user, from the newest one, 1, on."""
    return UUID(int=100_000 * number + 1)


OWNER, TASK = UUID(int=1), task(1)
LIST = LABEL = UUID(int=50_001)
"""The one user, and of theirs: a task, a list with 500 tasks, and a label that is on 500."""

IMPORT = UUID(int=70_001)
"""An import of the one user, with a line for each task."""

FILL = """
SET statement_timeout = 0;
SET maintenance_work_mem = '256MB';
SET session_replication_role = replica; -- what is linked is there, and need not be looked up
CREATE FUNCTION pg_temp.id(bigint) RETURNS uuid LANGUAGE sql RETURN lpad(to_hex($1), 32, '0')::uuid;

INSERT INTO owners (id, counter, task_count, list_count, label_count, created_at)
SELECT pg_temp.id(o), 1000000, {own}, 20, 20, now() FROM generate_series(1, 20000) AS o;
INSERT INTO task_lists (id, user_id, name, folded_name, created_at, updated_at, version)
SELECT pg_temp.id(n * 50000 + o), pg_temp.id(o), n, n, now(), now(), {own} + n
FROM generate_series(1, 20) AS n, generate_series(1, 1000) AS o;
INSERT INTO labels SELECT id, user_id, name, folded_name, created_at, updated_at, version + 20 FROM task_lists;
INSERT INTO task_tombstones (user_id, id, kind, version, deleted_at)
SELECT pg_temp.id(o), pg_temp.id(n * 60000 + o), 'task', 20000 + n, now() - interval '1 year'
FROM generate_series(1, 40) AS n, generate_series(1, 1000) AS o;
INSERT INTO idempotency_keys (user_id, operation, key, digest, task_id, version, answer, created_at)
SELECT user_id, 'create-task', version, '', id, version, '', deleted_at FROM task_tombstones;
INSERT INTO imports (id, user_id, begun_at)
SELECT pg_temp.id(70000 + o), pg_temp.id(o), now() - CASE WHEN o > 500 THEN interval '1 hour' ELSE '0' END
FROM generate_series(1, 20000) AS o;
INSERT INTO staged_tasks (
    user_id, import_id, old_id, line, own_id, title, is_completed, created_at, updated_at, is_planned, priority, labels
)
SELECT pg_temp.id(o), pg_temp.id(70000 + o), pg_temp.id(n * 100000 + o), n + 1, pg_temp.id(n * 100000 + 99000 + o),
       'Staged', false, now(), now(), false, 0, '{{}}'
FROM generate_series(1, 1000) AS o, generate_series(1, {own}) AS n WHERE o = 1 OR n <= 20;

UPDATE pg_index SET indisready = false WHERE indrelid = 'tasks'::regclass; -- all rows first, then all of each index
INSERT INTO tasks (id, user_id, title, is_completed, completed_at, created_at, updated_at, version, list_id, due_date)
SELECT pg_temp.id(n * 100000 + o), owner, 'Task', done IS NOT NULL, done, made, made, n,
       CASE n % 20 WHEN 1 THEN list END, CASE n % 10 WHEN 1 THEN current_date + n - 200 END
FROM (SELECT n, made, CASE n % 2 WHEN 0 THEN made END AS done
      FROM generate_series(1, {own}) AS n, LATERAL (SELECT now() - n * interval '1 minute' AS made) OFFSET 0)
JOIN (SELECT o, pg_temp.id(o) AS owner, pg_temp.id(50000 + o) AS list FROM generate_series(1, 101) AS o OFFSET 0)
ON o = 1 OR n <= {others};
REINDEX TABLE tasks;
INSERT INTO task_labels (user_id, task_id, label_id)
SELECT tasks.user_id, tasks.id, labels.id FROM tasks JOIN labels USING (user_id)
WHERE tasks.version % 20 = 1 AND labels.name IN ('1', '2');

SET session_replication_role = origin;
VACUUM ANALYZE
"""

TELLING = (
    "LOAD 'auto_explain'",
    "SET auto_explain.log_min_duration = 0",
    "SET auto_explain.log_analyze = on",
    "SET auto_explain.log_buffers = on",
    "SET auto_explain.log_format = json",
    "SET auto_explain.log_level = notice",
)
"""Has the server tell the plan of each statement, with what came of it."""

Plan = dict[str, Any]

Connection = psycopg.AsyncConnection[TupleRow]

_DIALECT = dialects.dialect()


class Reading(NamedTuple):
    """What a statement has read: which tables from end to end, which indexes, how many rows, and blocks of 8 KiB."""

    tables: set[str]
    indexes: set[str]
    rows: int
    blocks: int
    plan: str


@asynccontextmanager
async def crowd(url: str, others: int) -> AsyncGenerator[Connection]:
    """Fill a database with the tasks of one user, and so many of each of a hundred others."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for statement in sql.SQL(FILL).format(own=OWN, others=others).as_string().split(";\n"):
            await connection.execute(statement.encode())
        for setting in TELLING:
            await connection.execute(setting)
        yield connection


async def read(
    connection: Connection, statement: Executable, values: Mapping[str, object], mode: str
) -> Reading:
    """Run a statement as the service does, have the server tell its plan, and undo it.

    The plan is made for these values (`custom`), or once for all values (`generic`): whichever seems to be cheaper is
    used for a statement that was prepared.
    """
    compiled = cast("ClauseElement", statement).compile(dialect=_DIALECT)
    told: list[str] = []
    connection.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
    async with connection.transaction(force_rollback=True):
        await connection.execute(f"SET LOCAL plan_cache_mode = force_{mode}_plan".encode())
        await connection.execute(
            str(compiled).encode(), compiled.construct_params(dict(values)), prepare=True
        )
    return _reading(json.loads(told[-1].partition("plan:")[2])["Plan"])


def _reading(plan: Plan) -> Reading:
    nodes = list(_nodes(plan))
    scans = [node for node in nodes if "Relation Name" in node and "Scan" in node["Node Type"]]
    return Reading(
        {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"},
        {node["Index Name"] for node in nodes if "Index Name" in node},
        sum(map(_rows_read, scans)),
        max(node["Shared Hit Blocks"] + node["Shared Read Blocks"] for node in nodes),
        json.dumps(plan, indent=1),
    )


def _nodes(plan: Plan) -> Iterator[Plan]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from _nodes(inner)


def _rows_read(scan: Plan) -> int:
    names = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    return round(sum(scan.get(name, 0) for name in names) * scan["Actual Loops"])
