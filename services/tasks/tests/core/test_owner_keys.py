"""Every key holds the owner, so that the rows of different owners can be stored apart."""

from typing import Final

import psycopg

from devkit.platform.databases import MigratedDatabases
from tasks.models import METADATA

OWNER_COLUMNS: Final = {"owners": "id"}
"""The column with the owner's id, where it is not `user_id`."""

EXCEPTIONS: Final = {
    "pk_tasks": "clients choose ids, and one database can tell that an id is taken",
    "pk_task_lists": "as of tasks",
    "pk_labels": "as of tasks",
    "pk_task_labels": "ids of tasks are unique, so this is",
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


async def test_every_unique_index_holds_the_owner_or_has_a_reason(
    databases: MigratedDatabases,
) -> None:
    without_owner: set[str] = set()
    tables: set[str] = set()
    async with await psycopg.AsyncConnection.connect(await databases.create("tasks")) as connection:
        cursor = await connection.execute(GET_UNIQUE_INDEXES)
        for index, table, columns in await cursor.fetchall():
            tables.add(table)
            if OWNER_COLUMNS.get(table, "user_id") not in columns:
                without_owner.add(index)

    assert tables >= set(METADATA.tables)
    assert without_owner == set(EXCEPTIONS)
