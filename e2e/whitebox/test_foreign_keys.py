"""The tasks database itself keeps the data of different users apart."""

from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest

from e2e.support.database_state import OWNER_REFERENCES, USER_DATA_TABLES
from e2e.support.isolated_platform import IsolatedPlatform
from e2e.support.reference_model import UNKNOWN_USER_ID

FOREIGN_ROWS: list[LiteralString] = [
    "UPDATE tasks SET user_id = %(unknown_user)s WHERE id = %(task)s",
    """
    INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version)
    VALUES (%(id)s, %(unknown_user)s, 'Theirs', false, now(), now(), 1)
    """,
    """
    INSERT INTO task_tombstones (id, user_id, kind, version, deleted_at)
    VALUES (%(task)s, %(unknown_user)s, 'task', 1, now())
    """,
]
"""Statements that would give a row to a user who is no owner."""


@pytest.mark.scenario("S001-FR-004", "S002-SC-004")
async def test_the_database_rejects_rows_of_a_user_who_is_no_owner(
    isolated_platform: IsolatedPlatform,
) -> None:
    ann = isolated_platform.client_for("ann-by-hand")
    task = await ann.create_task()

    for statement in FOREIGN_ROWS:
        params = {"id": uuid4(), "task": task["id"], "unknown_user": UNKNOWN_USER_ID}
        url = isolated_platform.urls["tasks"]
        async with await psycopg.AsyncConnection.connect(url) as connection:
            with pytest.raises(psycopg.errors.ForeignKeyViolation):
                await connection.execute(statement, params)
    assert await ann.list_tasks() == [task]


@pytest.mark.scenario("S001-FR-004", "S002-SC-004")
async def test_every_table_of_the_tasks_database_references_owners(
    isolated_platform: IsolatedPlatform,
) -> None:
    table_rows = await isolated_platform.fetch_rows("tasks", USER_DATA_TABLES)
    reference_rows = await isolated_platform.fetch_rows("tasks", OWNER_REFERENCES)

    tables = {row["relname"] for row in table_rows}
    referencing_tables = {row["relname"] for row in reference_rows}
    assert tables - referencing_tables == {"owners"}
