"""The tasks service as a process of its own, with users whose tasks are long."""

from dataclasses import dataclass
from uuid import uuid4

import psutil
import psycopg
from psycopg import sql

from devkit.platform.keys import PassportKeys
from devkit.platform.services import Service
from devkit.platform.tokens import user_id_of
from devkit.testing.auth_headers import Headers, passport_headers

TASKS = 2_000
CHARACTERS = 9_000

END_SECONDS = 5
"""How long a busy machine may take to end a statement, or to log a request."""

FILL = """
    WITH owner AS (
        INSERT INTO owners (id, counter, task_count, created_at)
        VALUES ({owner}, 1000000, {tasks}, now()) RETURNING id
    )
    INSERT INTO tasks (
        id, user_id, title, description, is_completed, created_at, updated_at, version, due_date
    )
    SELECT gen_random_uuid(), id, 'Task ' || n, n || repeat({letter}, {characters}), false,
           now() - n * interval '1 minute', now(), n,
           CASE n % 3 WHEN 1 THEN current_date + n % 100 END
    FROM owner, generate_series(1, {tasks}) AS n
"""
COUNT_RUNNING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()
    AND backend_type = 'client backend'
"""
"""Counts no autovacuum, which is active after many changes."""


@dataclass(frozen=True)
class Running:
    """The service as a process, and its database."""

    service: Service
    database: str
    keys: PassportKeys

    @property
    def port(self) -> int:
        """Return the port that the service listens on."""
        return int(self.service.url.rpartition(":")[2])

    def headers(self, name: str) -> Headers:
        """Return the headers that the gateway adds to a user's requests."""
        return passport_headers(self.keys, name)

    async def fill(
        self, tasks: int = TASKS, letter: str = "x", characters: int = CHARACTERS
    ) -> str:
        """Create a user with long tasks, and return the user's name.

        Args:
            tasks: The number of tasks.
            letter: The character that the descriptions consist of.
            characters: How often each description repeats it.
        """
        name = str(uuid4())
        statement = sql.SQL(FILL).format(
            tasks=tasks, letter=letter, characters=characters, owner=str(user_id_of(name))
        )
        async with await psycopg.AsyncConnection.connect(
            self.database, autocommit=True
        ) as connection:
            await connection.execute(statement)
        return name

    async def count_running_statements(self) -> int:
        """Return how many statements the database runs for the service."""
        async with await psycopg.AsyncConnection.connect(
            self.database, autocommit=True
        ) as connection:
            cursor = await connection.execute(COUNT_RUNNING)
            [(count,)] = await cursor.fetchall()
        return count

    async def wait_until_no_statement_runs(self) -> None:
        """Wait until the database runs no statement for the service; it may learn that late."""

        async def is_idle() -> bool:
            return await self.count_running_statements() == 0

        await self.service.process.wait_until(is_idle, seconds=END_SECONDS)

    async def wait_until_logged(self, text: str) -> None:
        """Wait until the log of the service contains a text; it may follow the response."""

        async def is_logged() -> bool:
            return text in self.service.process.log.read_text()

        await self.service.process.wait_until(is_logged, seconds=END_SECONDS)

    def memory_bytes(self) -> int:
        """Return the resident memory of the process."""
        for process in psutil.Process().children(recursive=True):
            if process.is_running() and str(self.port) in _port(process):
                return process.memory_info().rss
        raise LookupError


def _port(process: psutil.Process) -> str:
    try:
        return process.environ().get("PORT", "")
    except psutil.Error:
        return ""
