"""A running service notices that its database was migrated, in either direction."""

import asyncio
from functools import partial

import pytest
from psycopg import sql

from devkit.platform.databases import MigratedDatabases
from tasks.models import REVISIONS

from ..support.helpers import create_task, status_codes
from ..support.import_export import new_tasks, post_import, to_ndjson
from ..support.unfit_databases import Logged, Migrate, Run, assert_rejected, code_of, execute


async def test_a_downgrade_under_a_running_service_is_noticed(
    databases: MigratedDatabases, run: Run, migrate: Migrate
) -> None:
    url = await databases.create("tasks")
    async with run(url) as as_user:
        user = as_user("running")
        clients = [as_user(f"running-{number}") for number in range(8)]
        # Use several connections.
        await asyncio.gather(*[client.get("/tasks") for client in clients])
        await migrate(url, "downgrade", REVISIONS[-2])

        await assert_rejected(user, "run make migrate")
        responses = await asyncio.gather(*[client.get("/tasks") for client in clients])
        assert status_codes(responses) == [503] * len(clients)


async def test_requests_notice_a_downgrade_that_removes_what_they_read(
    databases: MigratedDatabases, run: Run, migrate: Migrate
) -> None:
    url = await databases.create("tasks")
    async with run(url) as as_user:
        user = as_user("running")
        assert (await user.get("/tasks")).status_code == 200
        await migrate(url, "downgrade", "a41c09e7d352")

        assert code_of(await user.get("/tasks")) == (503, "database-not-ready")
        await assert_rejected(user, "run make migrate")


@pytest.mark.parametrize("kind", ["list", "task", "create", "import"])
async def test_requests_notice_a_migration_that_they_do_not_work_with(
    databases: MigratedDatabases, run: Run, logged: Logged, kind: str
) -> None:
    url = await databases.create("tasks")
    async with run(url) as as_user:
        user = as_user("running")
        task = await create_task(user)
        send = {
            "list": partial(user.get, "/tasks"),
            "task": partial(user.get, f"/tasks/{task['id']}"),
            "create": partial(user.post, "/tasks", json={"title": "No"}),
            "import": partial(post_import, user, to_ndjson(new_tasks(1))),
        }[kind]
        logged()
        await execute(
            url,
            "ALTER TABLE tasks RENAME COLUMN title TO heading",
            "UPDATE alembic_version SET version_num = 'of-tomorrow'",
            """
            COMMENT ON TABLE alembic_version
            IS 'oldest revision whose release works with this schema: of_tomorrow'
            """,
        )

        assert code_of(await send()) == (503, "database-not-ready")
        [line] = logged()
        assert "too new for this release" in line
        await assert_rejected(user, "too new for this release")

        await execute(
            url,
            "ALTER TABLE tasks RENAME COLUMN heading TO title",
            sql.SQL("UPDATE alembic_version SET version_num = {}").format(REVISIONS[-1]),
        )
        assert (await send()).status_code in {200, 201}
