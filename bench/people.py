"""The data that everything is measured on: owners with tasks, written straight into the database."""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid4

import psycopg

OWNERS: Final = 10
"""Owners who read, and as many who write."""

TASKS: Final = 100
"""Tasks of each owner at the beginning."""

_MEET: Final = """
INSERT INTO owners (id, counter, created_at) VALUES (%(owner)s, (extract(epoch FROM now()) * 1000000)::bigint, now())
"""
_ADD: Final = """
WITH raised AS (
    UPDATE owners SET counter = counter + %(count)s, task_count = task_count + %(count)s WHERE id = %(owner)s
    RETURNING id, counter
)
INSERT INTO tasks (id, user_id, title, description, is_completed, created_at, updated_at, version)
SELECT uuidv7(), id, 'Water the plants ' || n, 'The cactus in the kitchen, too.', false, now(), now(), counter + 1 - n
FROM raised, generate_series(1, %(count)s) AS n
RETURNING id, version
"""


@dataclass(frozen=True)
class Owner:
    """Somebody whom the tasks service knows, by the subject of their tokens, and some of their tasks."""

    id: UUID = field(default_factory=uuid4)
    tasks: dict[UUID, int] = field(default_factory=dict[UUID, int])
    """Versions by id, for whoever is about to change or to delete them."""

    def meet(self, database_url: str, tasks: int = TASKS) -> None:
        """Store the owner with so many tasks."""
        with psycopg.connect(database_url) as connection:
            connection.execute(_MEET, {"owner": self.id})
        self.add(database_url, tasks)

    def add(self, database_url: str, count: int) -> None:
        """Store more of their tasks, and know no others from now on."""
        self.tasks.clear()
        with psycopg.connect(database_url) as connection:
            self.tasks.update(
                connection.execute(_ADD, {"owner": self.id, "count": count}).fetchall()
            )
