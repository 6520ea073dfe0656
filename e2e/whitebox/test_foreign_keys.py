"""The tasks database itself keeps what belongs to different users apart."""

from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest

from e2e.support.database_state import OUR_TABLES, TIED
from e2e.support.isolated_platform import OwnPlatform
from e2e.support.reference_model import NOBODY

BY_HAND: list[LiteralString] = [
    "UPDATE tasks SET user_id = %(nobody)s WHERE id = %(task)s",
    """
    INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version)
    VALUES (%(id)s, %(nobody)s, 'Theirs', false, now(), now(), 1)
    """,
    """
    INSERT INTO task_tombstones (id, user_id, kind, version, deleted_at)
    VALUES (%(task)s, %(nobody)s, 'task', 1, now())
    """,
]
"""Rows for somebody who owns nothing here."""


@pytest.mark.scenario("S001-FR-004", "S002-SC-004")
async def test_a_link_to_another_user_written_by_hand_is_refused(own: OwnPlatform) -> None:
    ann = own.speak_as("ann-by-hand")
    task = await ann.add()

    for statement in BY_HAND:
        async with await psycopg.AsyncConnection.connect(own.urls["tasks"]) as connection:
            with pytest.raises(psycopg.errors.ForeignKeyViolation):
                await connection.execute(
                    statement, {"id": uuid4(), "task": task["id"], "nobody": NOBODY}
                )
    assert await ann.tasks() == [task]


@pytest.mark.scenario("S001-FR-004", "S002-SC-004")
async def test_every_table_of_the_tasks_database_is_tied_to_its_owners(own: OwnPlatform) -> None:
    tables = {row["relname"] for row in await own.stored("tasks", OUR_TABLES)}
    tied = {row["relname"] for row in await own.stored("tasks", TIED)}

    assert tables - tied == {"owners"}
