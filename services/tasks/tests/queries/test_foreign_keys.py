"""Checks of foreign keys find rows by the right index, whatever statistics say of other users."""

from uuid import UUID

import psycopg
import pytest

from devkit.platform.databases import MigratedDatabases

BIG_USER = UUID(int=777)

FAMILY = 100
"""A task and its subtasks."""

BIG_USERS_TASKS = 9_900

OTHER_USERS_TASKS = 12

BLOCKS_PER_TASK_MAX = 150
"""It is 16 to 21. With statistics it was 9,900: each check read every row of the user."""

FILL_SQL = """
INSERT INTO owners (id, counter, task_count, created_at)
SELECT user_id, 7, 0, now() FROM unnest(%(users)s) AS user_id;
INSERT INTO labels (id, user_id, name, folded_name, created_at, updated_at, version)
SELECT gen_random_uuid(), user_id, 'home', 'home', now(), now(), 1000000
FROM unnest(%(users)s) AS user_id;
INSERT INTO tasks (
    id, user_id, title, is_completed, created_at, updated_at, version, parent_id
)
SELECT pg_temp.task_id(user_id, n), user_id, 'Water the plants', false, now(), now(), n,
       CASE WHEN n %% %(family)s > 0 THEN pg_temp.task_id(user_id, n - n %% %(family)s) END
FROM unnest(%(users)s) AS user_id, generate_series(0, %(tasks)s - 1) AS n;
INSERT INTO task_labels (user_id, task_id, label_id)
SELECT tasks.user_id, tasks.id, labels.id
FROM tasks JOIN labels ON labels.user_id = tasks.user_id WHERE tasks.user_id = any(%(users)s)
"""

TASK_ID_SQL = """
CREATE FUNCTION pg_temp.task_id(user_id uuid, number integer) RETURNS uuid IMMUTABLE
RETURN md5(user_id || '/' || number)::uuid
"""

ERASE_SQL = "DELETE FROM owners WHERE id = %s"

BLOCKS_SQL = """
SELECT sum(idx_blks_hit + idx_blks_read + heap_blks_hit + heap_blks_read)
FROM pg_statio_user_tables, pg_stat_force_next_flush() WHERE relname IN ('tasks', 'task_labels')
"""


def count_blocks(connection: psycopg.Connection) -> int:
    """Return how many blocks of tables and indexes have been read until now."""
    connection.execute("SELECT pg_stat_force_next_flush()")
    row = connection.execute(BLOCKS_SQL).fetchone()
    assert row is not None
    return row[0]


def fill(connection: psycopg.Connection, users: list[UUID], task_count: int) -> None:
    params = {"users": users, "tasks": task_count, "family": FAMILY}
    for statement in FILL_SQL.split(";"):
        connection.execute(statement.encode(), params)


@pytest.mark.parametrize(
    "statement",
    [
        ERASE_SQL,
        "DELETE FROM tasks WHERE user_id = %s",
        "UPDATE tasks SET parent_id = NULL WHERE user_id = %s",
        "UPDATE tasks SET previous_id = pg_temp.task_id(user_id, 0) WHERE user_id = %s",
    ],
)
async def test_a_check_reads_no_other_rows_of_its_user(
    databases: MigratedDatabases, statement: str
) -> None:
    """The user has been erased, and came back after the statistics were made."""
    with psycopg.connect(await databases.create("tasks"), autocommit=True) as connection:
        connection.execute(TASK_ID_SQL)
        fill(connection, [UUID(int=number) for number in range(8)], OTHER_USERS_TASKS)
        fill(connection, [BIG_USER], BIG_USERS_TASKS)
        connection.execute(ERASE_SQL, [BIG_USER])
        connection.execute("VACUUM ANALYZE")
        fill(connection, [BIG_USER], BIG_USERS_TASKS)

        blocks_before = count_blocks(connection)
        connection.execute(statement.encode(), [BIG_USER])
        blocks = count_blocks(connection) - blocks_before

    assert blocks / BIG_USERS_TASKS < BLOCKS_PER_TASK_MAX
