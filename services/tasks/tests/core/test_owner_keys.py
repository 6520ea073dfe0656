"""Every key holds the owner, so that the rows of different owners can be stored apart."""

import re
from typing import Final, LiteralString, cast

import psycopg
import pytest
from psycopg import sql

from devkit.platform.databases import MigratedDatabases
from devkit.platform.settings import CHECKOUT
from tasks.models import METADATA

from ..support.helpers import create_task, field_values, list_titles
from ..support.unfit_databases import Run

PARTITION_KEYS: Final = {
    "owners": "id",
    "task_lists": "user_id",
    "labels": "user_id",
    "tasks": "user_id",
    "task_labels": "user_id",
    "task_tombstones": "user_id",
    "idempotency_keys": "user_id",
}
"""The tables that grow with the number of users, and their column with the owner."""

EXCEPTIONS: Final = {
    "uq_tasks_id": "clients choose ids, and one database can tell that an id is taken",
    "uq_task_lists_id": "as of tasks",
    "uq_labels_id": "as of tasks",
    "pk_imports": "the service makes these ids, at random, and they live for a minute",
    "pk_served_history": "one row for the database, which no owner has",
    "alembic_version_pkc": "one row for the database, which no owner has",
}
"""Unique indexes without the owner, and why each may be."""

GET_UNIQUE_INDEXES: Final = """
SELECT indexes.relname, tables.relname, ARRAY(
    SELECT attname FROM pg_attribute
    WHERE attrelid = indrelid AND attnum = ANY ((indkey::int2[])[0:indnkeyatts - 1])
)
FROM pg_index
JOIN pg_class AS indexes ON indexes.oid = indexrelid
JOIN pg_class AS tables ON tables.oid = indrelid
WHERE indisunique AND tables.relnamespace = 'public'::regnamespace
"""

GET_PRIMARY_KEYS: Final = """
SELECT relname, pg_get_constraintdef(pg_constraint.oid)
FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid WHERE contype = 'p'
"""

GET_KEYS: Final = """
SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, definition)
FROM pg_constraint, pg_get_constraintdef(pg_constraint.oid) AS definition
WHERE connamespace = 'whole'::regnamespace AND contype IN ('p', 'u', 'f')
ORDER BY contype = 'f'
"""
"""What adds primary keys, unique constraints and foreign keys, in this order."""

GET_INDEXES: Final = """
SELECT replace(pg_get_indexdef(indexrelid), ' ON whole.', ' ON public.')
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE relnamespace = 'whole'::regnamespace AND relname <> ALL (%s)
AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype <> 'f')
"""

PARTITIONS: Final = 4

PAGE: Final = CHECKOUT / "docs" / "sharding.md"
SNAPSHOTS: Final = CHECKOUT / "services" / "tasks" / "tests" / "queries" / "snapshots"


async def test_every_unique_index_holds_the_owner_or_has_a_reason(
    databases: MigratedDatabases,
) -> None:
    without_owner: set[str] = set()
    tables: set[str] = set()
    async with await psycopg.AsyncConnection.connect(await databases.create("tasks")) as connection:
        cursor = await connection.execute(GET_UNIQUE_INDEXES)
        for index, table, columns in await cursor.fetchall():
            tables.add(table)
            if PARTITION_KEYS.get(table, "user_id") not in columns:
                without_owner.add(index)

    assert tables >= set(METADATA.tables)
    assert without_owner == set(EXCEPTIONS)


async def test_primary_keys_are_those_of_the_models(databases: MigratedDatabases) -> None:
    """`alembic check` does not compare them."""
    async with await psycopg.AsyncConnection.connect(await databases.create("tasks")) as connection:
        cursor = await connection.execute(GET_PRIMARY_KEYS)
        primary_keys = dict(await cursor.fetchall())

    for name, table in METADATA.tables.items():
        columns = ", ".join(column.name for column in table.primary_key)
        assert primary_keys[name] == f"PRIMARY KEY ({columns})"
    for name in ("tasks", "task_lists", "labels", "task_labels"):
        assert primary_keys[name].startswith("PRIMARY KEY (user_id, ")


def test_the_page_lists_the_statements_that_rest_on_unique_ids() -> None:
    listed = re.findall(r"^\| `(\w+/[^`]+)` \|", PAGE.read_text(), re.MULTILINE)

    statements: list[str] = []
    for file in SNAPSHOTS.rglob("*.sql"):
        insertions = re.findall(
            r"INSERT INTO (\w+).*?ON CONFLICT \(id\)", file.read_text(), re.DOTALL
        )
        if set(insertions) - {"imports"}:
            statements.append(str(file.relative_to(SNAPSHOTS).with_suffix("")))
    assert listed == sorted(statements)


async def partition(url: str) -> None:
    """Replace the tables by empty ones that are partitioned by the owner.

    They have the same constraints and indexes, but for `EXCEPTIONS`.
    """
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("CREATE SCHEMA whole")
        for table in METADATA.sorted_tables:
            name = sql.Identifier(table.name)
            await connection.execute(sql.SQL("ALTER TABLE {} SET SCHEMA whole").format(name))
        await connection.execute("SET search_path = whole")
        keys = await (await connection.execute(GET_KEYS)).fetchall()
        indexes = await (await connection.execute(GET_INDEXES, [list(EXCEPTIONS)])).fetchall()
        await connection.execute("SET search_path = public")
        for table in METADATA.sorted_tables:
            await _create_table(connection, table.name)
        for (statement,) in [*keys, *indexes]:
            await connection.execute(cast("LiteralString", statement))
        await connection.execute("INSERT INTO served_history SELECT * FROM whole.served_history")


async def _create_table(
    connection: psycopg.AsyncConnection[tuple[object, ...]], table: str
) -> None:
    name = sql.Identifier(table)
    create = sql.SQL(
        "CREATE TABLE {table} (LIKE whole.{table} "
        "INCLUDING CONSTRAINTS INCLUDING DEFAULTS INCLUDING GENERATED)"
    ).format(table=name)
    if table not in PARTITION_KEYS:
        await connection.execute(create)
        return
    partition_by = sql.SQL(" PARTITION BY HASH ({})").format(sql.Identifier(PARTITION_KEYS[table]))
    await connection.execute(create + partition_by)
    for number in range(PARTITIONS):
        create_partition = sql.SQL(
            "CREATE TABLE {name} PARTITION OF {table} "
            "FOR VALUES WITH (MODULUS {count}, REMAINDER {number})"
        ).format(
            name=sql.Identifier(f"{table}_{number}"), table=name, count=PARTITIONS, number=number
        )
        await connection.execute(create_partition)


async def test_the_tables_accept_partitions_by_owner(
    databases: MigratedDatabases, run: Run
) -> None:
    url = await databases.create("tasks")
    await partition(url)
    async with run(url) as as_user:
        users = [as_user(f"user-{number}") for number in range(8)]
        for user in users:
            task = await create_task(user, "First", labels=["home"])
            deleted = await create_task(user, "Second")
            changed = await user.patch(f"/tasks/{task['id']}", json={"labels": ["home", "soon"]})
            assert changed.status_code == 200, changed.text
            assert (await user.delete(f"/tasks/{deleted['id']}")).status_code == 204
            assert await list_titles(user, label="soon") == ["First"]
            assert (await user.get("/tasks/changes")).json()["next"]
            assert field_values((await user.get("/labels")).json(), "name") == ["home", "soon"]

    async with await psycopg.AsyncConnection.connect(url) as connection:
        cursor = await connection.execute("SELECT DISTINCT tableoid FROM tasks")
        assert cursor.rowcount > 1
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            await connection.execute(
                """
                INSERT INTO task_labels (user_id, task_id, label_id)
                SELECT labels.user_id, tasks.id, labels.id
                FROM tasks JOIN labels ON tasks.user_id <> labels.user_id LIMIT 1
                """
            )
