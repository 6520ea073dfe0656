"""The data of the attacker and of the honest users, written straight into the tasks database."""

from enum import Enum
from typing import Final
from uuid import UUID, uuid5

import psycopg

LABELS: Final = 20
"""Labels of an owner who has labels; every task has all of them."""

_INSERT_OWNER: Final = """
INSERT INTO owners (id, counter, task_count, list_count, label_count, created_at)
VALUES (%(owner_id)s, (extract(epoch FROM now()) * 1000000)::bigint + 20000,
        %(count)s, 1, 0, now())
"""
_INSERT_LIST: Final = """
INSERT INTO task_lists (id, user_id, name, folded_name, created_at, updated_at, version)
SELECT %(list_id)s, id, 'Garden', 'garden', now(), now(), counter
FROM owners WHERE id = %(owner_id)s
"""
_INSERT_TASKS: Final = """
INSERT INTO tasks (id, user_id, title, description, is_completed, created_at, updated_at,
                   version, list_id, due_date)
SELECT uuidv7(), id, 'Water the plants ' || n, %(description)s, false,
       now() - n * interval '1 second', now() - n * interval '1 second',
       counter - n, %(list_id)s, '2026-11-21'
FROM owners, generate_series(1, %(count)s) AS n WHERE id = %(owner_id)s
RETURNING id
"""
_INSERT_LABEL: Final = """
WITH counter_bump AS (
    UPDATE owners SET label_count = label_count + 1, counter = counter + 1
    WHERE id = %(owner_id)s
    RETURNING id, counter
)
INSERT INTO labels (id, user_id, name, folded_name, created_at, updated_at, version)
SELECT %(label_id)s, id, %(name)s, %(name)s, now(), now(), counter FROM counter_bump
"""
_LABEL_ALL_TASKS: Final = """
INSERT INTO task_labels (user_id, task_id, label_id)
SELECT user_id, id, %(label_id)s FROM tasks WHERE user_id = %(owner_id)s
"""


class Dataset(Enum):
    """What a user owns."""

    FEW = "100 short tasks"
    SMALL = "10,000 short tasks"
    LONG = "10,000 tasks of 9,000 letters"
    WIDE = "10,000 tasks of 9,000 four-byte characters"
    LABELLED = "10,000 short tasks with 20 labels each"


_SHORT_DESCRIPTION: Final = "The cactus in the kitchen, too."

_DESCRIPTIONS: Final = {
    Dataset.LONG: f"{_SHORT_DESCRIPTION} " * 281,
    Dataset.WIDE: "\U0001f335" * 9_000,
}


def list_id(owner_id: UUID) -> UUID:
    """Return the id of the only list of an owner."""
    return uuid5(owner_id, "list")


def label_id(owner_id: UUID, number: int) -> UUID:
    """Return the id of a label of an owner; numbers start at 1."""
    return uuid5(owner_id, f"label {number}")


def add_owner(
    database_url: str, owner_id: UUID, data: Dataset, count: int | None = None
) -> list[UUID]:
    """Insert an owner with tasks; return the ids of the tasks.

    Args:
        database_url: URL of the tasks database.
        owner_id: Id of the owner.
        data: What the owner has.
        count: Number of tasks; None for as many as the dataset says.
    """
    if count is None:
        count = 10_000
        if data is Dataset.FEW:
            count = 100
    params = {
        "owner_id": owner_id,
        "list_id": list_id(owner_id),
        "count": count,
        "description": _DESCRIPTIONS.get(data, _SHORT_DESCRIPTION),
    }
    with psycopg.connect(database_url) as connection:
        connection.execute(_INSERT_OWNER, params)
        connection.execute(_INSERT_LIST, params)
        rows = connection.execute(_INSERT_TASKS, params).fetchall()
        if data is Dataset.LABELLED:
            _add_labels(connection, owner_id)
        if data is not Dataset.FEW:
            connection.execute("ANALYZE")
    return [task_id for (task_id,) in rows]


def _add_labels(connection: psycopg.Connection, owner_id: UUID) -> None:
    for number in range(1, LABELS + 1):
        params = {
            "owner_id": owner_id,
            "label_id": label_id(owner_id, number),
            "name": f"label-{number}",
        }
        connection.execute(_INSERT_LABEL, params)
        connection.execute(_LABEL_ALL_TASKS, params)
