"""The users and tasks that everything is measured on, written straight into the database."""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid4

import psycopg

USERS: Final = 10
"""Users who read, and as many who write."""

TASKS: Final = 100
"""Tasks of each user at the beginning."""

_INSERT_OWNER: Final = """
INSERT INTO owners (id, counter, created_at)
VALUES (%(user_id)s, (extract(epoch FROM now()) * 1000000)::bigint, now())
"""
_INSERT_TASKS: Final = """
WITH counter_bump AS (
    UPDATE owners SET counter = counter + %(count)s, task_count = task_count + %(count)s
    WHERE id = %(user_id)s
    RETURNING id, counter
)
INSERT INTO tasks
    (id, user_id, title, description, is_completed, created_at, updated_at, version)
SELECT uuidv7(), id, 'Water the plants ' || n, 'The cactus in the kitchen, too.', false,
       now(), now(), counter + 1 - n
FROM counter_bump, generate_series(1, %(count)s) AS n
RETURNING id, version
"""


@dataclass(frozen=True)
class User:
    """A user of the tasks service, with the tasks that clients may use."""

    id: UUID = field(default_factory=uuid4)
    """The subject of the user's tokens as well."""

    task_versions: dict[UUID, int] = field(default_factory=dict[UUID, int])
    """Versions of the tasks by their ids."""

    def create(self, database_url: str) -> None:
        """Insert the user and their first tasks."""
        with psycopg.connect(database_url) as connection:
            connection.execute(_INSERT_OWNER, {"user_id": self.id})
        self.replace_tasks(database_url, TASKS)

    def replace_tasks(self, database_url: str, count: int) -> None:
        """Insert new tasks, and use only those from now on."""
        params = {"user_id": self.id, "count": count}
        self.task_versions.clear()
        with psycopg.connect(database_url) as connection:
            rows = connection.execute(_INSERT_TASKS, params).fetchall()
        self.task_versions.update(rows)
