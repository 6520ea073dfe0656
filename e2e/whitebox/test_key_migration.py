"""The keys are migrated while the release before serves, though the migration is killed."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final, LiteralString
from uuid import uuid4

import psycopg
import pytest
from httpx import AsyncClient, Response
from psycopg import sql

from devkit.platform.databases import database_environment, run_alembic
from devkit.platform.environment import minimal_environment
from devkit.platform.keys import PassportKeys, derive_passport_keys, generate_private_key
from devkit.platform.processes import Process, ProcessGroup
from devkit.platform.services import HOST, Service, free_ports, local_url
from devkit.platform.settings import CHECKOUT
from devkit.platform.tokens import user_id_of
from devkit.testing.auth_headers import passport_headers
from e2e.support.isolated_platform import IsolatedPostgres, kill_process

BEFORE: Final = "5b8f0c3e7a19"
USERS: Final = 6
TASKS: Final = 3_000

COLUMNS_SINCE: Final[LiteralString] = """
ALTER TABLE tasks ADD COLUMN recurrence_rule text, ADD COLUMN recurrence_from text,
    ADD COLUMN previous_id uuid, ADD COLUMN parent_id uuid,
    ADD COLUMN made_version bigint, ADD COLUMN made_subtask_count smallint
"""
"""What later revisions add without touching keys: the service that runs here needs them.

The migration that adds them finds that they are there.
"""

SERVICE_OF_RELEASE_BEFORE: Final = f"""
from dataclasses import replace
from tasks import main
revisions = main.RELEASE.revisions
main.RELEASE = replace(main.RELEASE, revisions=revisions[: revisions.index({BEFORE!r}) + 1])
main.main()
"""
"""Expects the schema of the release before."""

FILL: Final[LiteralString] = """
WITH owner AS (
    INSERT INTO owners (id, counter, task_count, list_count, label_count, created_at)
    VALUES ({owner}, 1000000, {tasks}, 10, 10, now()) RETURNING id
), lists AS (
    INSERT INTO task_lists (id, user_id, name, folded_name, created_at, updated_at, version)
    SELECT gen_random_uuid(), id, n, n, now(), now(), 500000 + n
    FROM owner, generate_series(1, 10) AS n RETURNING id, version
), labels AS (
    INSERT INTO labels (id, user_id, name, folded_name, created_at, updated_at, version)
    SELECT gen_random_uuid(), id, n, n, now(), now(), 600000 + n
    FROM owner, generate_series(1, 10) AS n RETURNING id, version
), filled AS (
    INSERT INTO tasks (
        id, user_id, title, is_completed, created_at, updated_at, version, list_id
    )
    SELECT gen_random_uuid(), owner.id, 'Task', false, now(), now(), n, lists.id
    FROM owner, generate_series(1, {tasks}) AS n
    JOIN lists ON lists.version = 500001 + n % 10 RETURNING id, version
)
INSERT INTO task_labels (user_id, task_id, label_id)
SELECT {owner}, filled.id, labels.id FROM filled
JOIN labels ON labels.version IN (600001 + filled.version % 10, 600001 + filled.version % 7)
"""

STEPS: Final[list[LiteralString]] = [
    "SELECT to_regclass('uq_tasks_id') IS NOT NULL",
    "SELECT to_regclass('uq_tasks_user_id_id') IS NULL",
    """
        SELECT pg_get_constraintdef(oid) LIKE '%user_id%' FROM pg_constraint
        WHERE conname = 'pk_task_labels'
    """,
]
"""Whether an index, a primary key and the last primary key are there: then it is killed."""

WRONG_COUNTS: Final = """
SELECT count(*) FROM owners
WHERE task_count <> (SELECT count(*) FROM tasks WHERE user_id = owners.id)
"""
"""Owners whose number of tasks is wrong."""

POLL_SECONDS: Final = 0.005
AFTERWARDS_SECONDS: Final = 0.5


@dataclass
class Load:
    """A user who uses every key of the tables, until the event is set."""

    client: AsyncClient
    shared_ids: list[str]
    stop: asyncio.Event
    responses: list[Response] = field(default_factory=list[Response])
    own_ids: list[str] = field(default_factory=list[str])

    async def run(self) -> None:
        """Create, change, read and delete."""
        for shared_id in self.shared_ids:
            if self.stop.is_set():
                return
            put = await self._send(
                "PUT", f"/tasks/{shared_id}", {"title": "Shared"}, {"If-None-Match": "*"}
            )
            if put.status_code == 201:
                self.own_ids.append(shared_id)
            name = str(uuid4())
            task_list = await self._send("POST", "/lists", {"name": name})
            fields: dict[str, object] = {
                "title": "Mine",
                "labels": ["1", "2"],
                "list_id": task_list.json()["id"],
            }
            task = await self._send("POST", "/tasks", fields)
            path = f"/tasks/{task.json()['id']}"
            await self._send("PATCH", path, {"labels": ["2", "3"]})
            await self._send("GET", path)
            await self._send("GET", "/tasks?limit=20&label=3")
            await self._send("DELETE", f"/lists/{task_list.json()['id']}")
            await self._send("DELETE", path)

    async def _send(
        self,
        method: str,
        path: str,
        body: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Response:
        response = await self.client.request(method, path, json=body, headers=headers)
        self.responses.append(response)
        return response


@pytest.fixture
async def url(group: ProcessGroup, server: IsolatedPostgres) -> str:
    """Return a filled database of the release before."""
    url = await server.server.create_database("keys")
    await run_alembic(group, "tasks", _environment(url), "upgrade", BEFORE)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(COLUMNS_SINCE)
        for number in range(USERS):
            owner = sql.Literal(str(user_id_of(f"user-{number}")))
            await connection.execute(sql.SQL(FILL).format(owner=owner, tasks=TASKS))
        await connection.execute("VACUUM ANALYZE")
    return url


@pytest.fixture
def passports() -> PassportKeys:
    """Return the keys of the passports that the service accepts."""
    return derive_passport_keys(generate_private_key())


@pytest.fixture
async def service(
    group: ProcessGroup, url: str, passports: PassportKeys
) -> AsyncGenerator[Service]:
    """Run the service of the release before."""
    [port] = free_ports(1)
    settings = _environment(url) | {
        "HOST": HOST,
        "PORT": str(port),
        "PASSPORT_PUBLIC_KEYS": passports.public,
        "USERS_URL": "http://127.0.0.1:1",
    }
    process = group.start(
        "tasks-before", [sys.executable, "-c", SERVICE_OF_RELEASE_BEFORE], settings
    )
    service = Service("tasks", local_url(port), process)
    await service.wait_until_ready()
    yield service
    await process.stop()


def _environment(url: str) -> dict[str, str]:
    return database_environment({"tasks": url}, minimal_environment())


def _start_migration(group: ProcessGroup, url: str) -> Process:
    configuration = str(CHECKOUT / "services" / "tasks" / "pyproject.toml")
    command = [sys.executable, "-m", "alembic", "-c", configuration, "upgrade", "head"]
    return group.start("killed-migration", command, _environment(url))


async def _kill_after(group: ProcessGroup, url: str, condition: LiteralString) -> bool:
    """Migrate until the condition is true, and tell whether the migration was not faster."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        migration = _start_migration(group, url)
        while migration.popen.poll() is None:
            cursor = await connection.execute(condition)
            if await cursor.fetchone() == (True,):
                kill_process(migration)
                return True
            await asyncio.sleep(POLL_SECONDS)
    return False


async def test_the_release_before_serves_while_the_keys_are_migrated_and_the_migration_killed(
    group: ProcessGroup, url: str, service: Service, passports: PassportKeys
) -> None:
    stop = asyncio.Event()
    shared_ids = [str(uuid4()) for _ in range(10_000)]
    loads: list[Load] = []
    for number in range(USERS):
        headers = passport_headers(passports, f"user-{number}")
        client = AsyncClient(base_url=service.url, headers=headers, trust_env=False, timeout=60)
        loads.append(Load(client, shared_ids, stop))
    async with AsyncExitStack() as stack:
        for load in loads:
            await stack.enter_async_context(load.client)
        running = asyncio.gather(*[load.run() for load in loads])
        kills = [await _kill_after(group, url, condition) for condition in STEPS]
        await run_alembic(group, "tasks", _environment(url), "upgrade", "head")
        await asyncio.sleep(AFTERWARDS_SECONDS)
        stop.set()
        await running

    assert sum(kills) > 1
    statuses = Counter(response.status_code for load in loads for response in load.responses)
    assert set(statuses) == {200, 201, 204, 409}, statuses
    owned_ids = [task_id for load in loads for task_id in load.own_ids]
    assert len(owned_ids) == len(set(owned_ids))
    async with await psycopg.AsyncConnection.connect(url) as connection:
        assert await (await connection.execute(WRONG_COUNTS)).fetchone() == (0,)
    await run_alembic(group, "tasks", _environment(url), "check")
