"""An unusable database is reported at the start, by `/readyz` and to clients."""

import asyncio
from secrets import token_hex
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from devkit.platform.databases import MigratedDatabases
from devkit.platform.errors import CannotRunError
from devkit.platform.postgres import Postgres
from tasks.models import REVISIONS
from tasks.revisions import RELEASE

from ..support.unfit_databases import Logged, Migrate, Run, assert_rejected, execute


async def change_database(url: str, change: LiteralString) -> None:
    name = conninfo_to_dict(url)["dbname"]
    await execute(
        url, sql.SQL("ALTER DATABASE {} {}").format(sql.Identifier(str(name)), sql.SQL(change))
    )


async def create_database(postgres: Postgres, options: LiteralString) -> str:
    name = f"tasks-{token_hex(8)}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE template0 {}")
    await execute(postgres.url(), create.format(sql.Identifier(name), sql.SQL(options)))
    return postgres.url(name)


async def create_role(url: str, options: LiteralString | sql.Composed = "") -> tuple[str, str]:
    """Create a role, and return its name and the URL of the database with it."""
    name = f"role-{token_hex(8)}"
    further = sql.SQL(options) if isinstance(options, str) else options
    await execute(url, sql.SQL("CREATE ROLE {} LOGIN {}").format(sql.Identifier(name), further))
    return name, url.replace("//postgres@", f"//{name}@")


OLDER_REVISIONS = [None, REVISIONS[0], REVISIONS[-2]]
"""Never migrated, migrated by the first release, and one revision behind."""


@pytest.mark.parametrize("revision", OLDER_REVISIONS)
async def test_an_older_schema_is_reported_and_works_after_migration(
    postgres: Postgres,
    run: Run,
    migrate: Migrate,
    logged: Logged,
    revision: str | None,
) -> None:
    url = await postgres.create_database(f"tasks-{token_hex(8)}")
    if revision:
        await migrate(url, "upgrade", revision)

    async with run(url) as as_user:
        user = as_user("early")
        await assert_rejected(user, "run make migrate")
        [line] = logged()
        assert "run make migrate" in line
        assert (revision or "never migrated") in line

        await migrate(url)

        assert (await user.get("/readyz")).json() == {"database": "ok"}
        assert (await user.get("/tasks")).status_code == 200


async def test_a_newer_schema_works_by_default(
    databases: MigratedDatabases, run: Run, migrate: Migrate, logged: Logged
) -> None:
    url = await databases.create("tasks")
    await execute(url, "UPDATE alembic_version SET version_num = 'of-tomorrow'")

    await migrate(url)  # as the former release does when a release is taken back

    async with run(url) as as_user:
        user = as_user("taken-back")
        assert (await user.get("/readyz")).status_code == 200
        assert (await user.post("/tasks", json={"title": "Yes"})).status_code == 201
    for line in logged():
        assert "error" not in line


async def test_a_newer_schema_is_rejected_if_a_migration_says_so(
    databases: MigratedDatabases, run: Run, migrate: Migrate
) -> None:
    url = await databases.create("tasks")
    await execute(
        url,
        "UPDATE alembic_version SET version_num = 'of-tomorrow'",
        """
        COMMENT ON TABLE alembic_version
        IS 'oldest revision whose release works with this schema: of_tomorrow'
        """,
    )

    with pytest.raises(CannotRunError, match="too new for this release") as failure:
        await migrate(url)
    assert "Traceback" not in str(failure.value)
    async with run(url) as as_user:
        await assert_rejected(as_user("taken-back"), "too new for this release")


async def test_migrations_record_the_oldest_compatible_release(
    databases: MigratedDatabases,
) -> None:
    async with await psycopg.AsyncConnection.connect(await databases.create("tasks")) as connection:
        cursor = await connection.execute("SELECT obj_description('alembic_version'::regclass)")
        row = await cursor.fetchone()

    assert row is not None
    assert str(row[0]).endswith(f": {RELEASE.compatible_from}")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ("ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'", "LATIN1"),
        ("ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'", "SQL_ASCII"),
    ],
)
async def test_another_encoding_is_rejected_by_service_and_migration(
    postgres: Postgres, run: Run, migrate: Migrate, options: LiteralString, word: str
) -> None:
    url = await create_database(postgres, options)

    with pytest.raises(CannotRunError, match=f"not migrated: Its encoding is {word}") as failure:
        await migrate(url)
    assert "Traceback" not in str(failure.value)
    async with run(url) as as_user:
        await assert_rejected(as_user("foreign"), word)
    async with await psycopg.AsyncConnection.connect(url) as connection:
        cursor = await connection.execute("SELECT FROM pg_tables WHERE schemaname = 'public'")
        assert not cursor.rowcount


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("SET default_transaction_read_only = on", "read-only"),
        ("SET default_transaction_isolation = 'serializable'", "serializable"),
    ],
)
async def test_other_transaction_defaults_are_rejected_by_service_and_migration(
    databases: MigratedDatabases, run: Run, migrate: Migrate, change: LiteralString, word: str
) -> None:
    url = await databases.create("tasks")
    await change_database(url, change)

    with pytest.raises(CannotRunError, match=word) as failure:
        await migrate(url)
    assert "Traceback" not in str(failure.value)
    async with run(url) as as_user:
        await assert_rejected(as_user("reader"), word)


async def test_a_read_only_role_is_rejected_by_service_and_migration(
    databases: MigratedDatabases, run: Run, migrate: Migrate
) -> None:
    url = await databases.create("tasks")
    _, reading = await create_role(url, "IN ROLE pg_read_all_data")

    with pytest.raises(CannotRunError, match="may not make tables") as failure:
        await migrate(reading)
    assert "Traceback" not in str(failure.value)
    async with run(reading) as as_user:
        await assert_rejected(as_user("reader"), "may not read and write")


async def test_a_role_that_does_not_own_the_tables_cannot_migrate_them(
    databases: MigratedDatabases, run: Run, migrate: Migrate
) -> None:
    url = await databases.create("tasks")
    _, other = await create_role(url, "IN ROLE pg_read_all_data, pg_write_all_data")
    await execute(url, "GRANT CREATE ON SCHEMA public TO PUBLIC")

    with pytest.raises(CannotRunError, match="does not own"):
        await migrate(other)
    async with run(other) as as_user:
        assert (await as_user("other").get("/readyz")).status_code == 200


async def test_a_migration_reports_an_unreachable_database(migrate: Migrate) -> None:
    with pytest.raises(CannotRunError, match="The database of tasks: ") as failure:
        await migrate("postgresql://tasks:secret@127.0.0.1:1/tasks")
    assert "secret" not in str(failure.value)
    assert "Traceback" not in str(failure.value)


async def test_a_missing_statement_timeout_is_logged_once_with_its_fix(
    databases: MigratedDatabases, run: Run, logged: Logged
) -> None:
    url = await databases.create("tasks")  # a copy of another database, without its settings
    role, limited = await create_role(url, "IN ROLE pg_read_all_data, pg_write_all_data")
    async with run(limited) as as_user:
        user = as_user("unlimited")
        assert (await user.get("/readyz")).status_code == 200
        await asyncio.gather(*(user.get("/tasks") for _ in range(5)))
        [line] = [line for line in logged() if "statement_timeout" in line]
        name = conninfo_to_dict(url)["dbname"]
        fix = f'ALTER ROLE "{role}" IN DATABASE "{name}" SET statement_timeout = \'5s\''
        assert fix.replace('"', '\\"') in line

    # As an operator would paste it.
    await execute(url, sql.SQL(fix))  # pyright: ignore[reportArgumentType]
    async with run(limited) as as_user:
        assert (await as_user("limited").get("/readyz")).status_code == 200
        assert "statement_timeout" not in "".join(logged())


async def test_every_migration_sets_the_statement_timeout_for_all_roles(
    databases: MigratedDatabases, run: Run, migrate: Migrate, logged: Logged
) -> None:
    url = await databases.create("tasks")
    await migrate(url)
    _, second = await create_role(url, "IN ROLE pg_read_all_data, pg_write_all_data")

    async with run(second) as as_user:
        assert (await as_user("second").get("/readyz")).status_code == 200
    assert "warning" not in "".join(logged())


async def test_a_chosen_statement_timeout_is_kept(
    databases: MigratedDatabases, migrate: Migrate
) -> None:
    url = await databases.create("tasks")
    await change_database(url, "SET statement_timeout = '3s'")

    await migrate(url)

    _, second = await create_role(url)
    async with await psycopg.AsyncConnection.connect(second) as connection:
        assert await (await connection.execute("SHOW statement_timeout")).fetchone() == ("3s",)


async def test_a_second_role_inherits_the_statement_timeout_and_can_migrate(
    postgres: Postgres, run: Run, migrate: Migrate, logged: Logged
) -> None:
    """docs/operating.md changes the password of a database in this way."""
    database = f"tasks-{token_hex(8)}"
    first, _ = await create_role(postgres.url())
    second, _ = await create_role(
        postgres.url(), sql.SQL("IN ROLE {}").format(sql.Identifier(first))
    )
    database_name = sql.Identifier(database)
    first_name = sql.Identifier(first)
    second_name = sql.Identifier(second)
    await execute(
        postgres.url(),
        sql.SQL("CREATE DATABASE {} OWNER {}").format(database_name, first_name),
        sql.SQL("ALTER ROLE {} SET role = {}").format(second_name, first_name),
        sql.SQL("ALTER ROLE {} IN DATABASE {} SET statement_timeout = '5s'").format(
            second_name, database_name
        ),
    )
    url = postgres.url(database)
    first_url = url.replace("//postgres@", f"//{first}@")
    second_url = url.replace("//postgres@", f"//{second}@")
    await migrate(first_url)
    await execute(
        postgres.url(), sql.SQL("ALTER DATABASE {} RESET statement_timeout").format(database_name)
    )

    for url in (first_url, second_url):
        async with run(url) as as_user:
            user = as_user("owner")
            assert (await user.get("/readyz")).status_code == 200
            assert (await user.post("/tasks", json={"title": "Of both"})).status_code == 201
        assert "Nothing ends" not in "".join(logged())
        await migrate(url)
