"""What the attacker and the honest users own, written straight into the database of the tasks service."""

from enum import Enum
from typing import Final
from uuid import UUID, uuid5

import psycopg

LABELS: Final = 20
"""Labels of an owner who has any; all are on each of their tasks."""

_OWNER: Final = """
INSERT INTO owners (id, counter, task_count, list_count, label_count, created_at)
VALUES (%(owner)s, (extract(epoch FROM now()) * 1000000)::bigint + 20000, %(count)s, 1, 0, now())
"""
_LIST: Final = """
INSERT INTO task_lists (id, user_id, name, folded_name, created_at, updated_at, version)
SELECT %(list)s, id, 'Garden', 'garden', now(), now(), counter FROM owners WHERE id = %(owner)s
"""
_TASKS: Final = """
INSERT INTO tasks (id, user_id, title, description, is_completed, created_at, updated_at, version, list_id, due_date)
SELECT uuidv7(), id, 'Water the plants ' || n, %(description)s, false,
       now() - n * interval '1 second', now() - n * interval '1 second', counter - n, %(list)s, '2026-11-21'
FROM owners, generate_series(1, %(count)s) AS n WHERE id = %(owner)s
RETURNING id
"""
_LABEL: Final = """
WITH counted AS (UPDATE owners SET label_count = label_count + 1, counter = counter + 1 WHERE id = %(owner)s
                 RETURNING id, counter)
INSERT INTO labels (id, user_id, name, folded_name, created_at, updated_at, version)
SELECT %(label)s, id, %(name)s, %(name)s, now(), now(), counter FROM counted
"""
_LABEL_ALL: Final = """
INSERT INTO task_labels (user_id, task_id, label_id) SELECT user_id, id, %(label)s FROM tasks WHERE user_id = %(owner)s
"""


class Data(Enum):
    """What the attacker owns before the attack."""

    FEW = "100 short tasks"
    SMALL = "10,000 short tasks"
    LONG = "10,000 tasks of 9,000 letters"
    WIDE = "10,000 tasks of 9,000 four-byte characters"
    LABELLED = "10,000 short tasks with 20 labels each"


_DESCRIPTIONS: Final = {
    Data.LONG: "The cactus in the kitchen, too. " * 281,
    Data.WIDE: "\U0001f335" * 9_000,
}


def list_id(owner_id: UUID) -> UUID:
    """Return the id of the one list of an owner."""
    return uuid5(owner_id, "list")


def label_id(owner_id: UUID, number: int) -> UUID:
    """Return the id of one of their labels, numbered from 1."""
    return uuid5(owner_id, f"label {number}")


def add_owner(
    database_url: str, owner_id: UUID, data: Data, count: int | None = None
) -> list[UUID]:
    """Store an owner with tasks, as many as the data say unless a count is given; return their ids."""
    if count is None:
        count = 100 if data is Data.FEW else 10_000
    values = {
        "owner": owner_id,
        "list": list_id(owner_id),
        "count": count,
        "description": _DESCRIPTIONS.get(data, "The cactus in the kitchen, too."),
    }
    with psycopg.connect(database_url) as connection:
        connection.execute(_OWNER, values)
        connection.execute(_LIST, values)
        task_ids = [task_id for (task_id,) in connection.execute(_TASKS, values).fetchall()]
        if data is Data.LABELLED:
            _add_labels(connection, owner_id)
        if data is not Data.FEW:
            connection.execute("ANALYZE")
    return task_ids


def _add_labels(connection: psycopg.Connection, owner_id: UUID) -> None:
    for number in range(1, LABELS + 1):
        values = {"owner": owner_id, "label": label_id(owner_id, number), "name": f"label-{number}"}
        connection.execute(_LABEL, values)
        connection.execute(_LABEL_ALL, values)
