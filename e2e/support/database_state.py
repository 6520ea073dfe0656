"""Both databases, looked at from inside."""

from datetime import UTC, datetime
from typing import Final, LiteralString
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row

from e2e.support.isolated_platform import OwnPlatform
from e2e.support.reference_model import Tables, in_order

OUR_TABLES: Final = """
SELECT relname FROM pg_stat_user_tables WHERE relname NOT IN ('alembic_version', 'served_history')
"""
"""Tables with rows of users; the others are about the database itself."""

TIED: Final = """
SELECT relname FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
WHERE contype = 'f' AND confrelid = 'owners'::regclass AND confdeltype = 'c' AND conkey = ARRAY[(
    SELECT attnum FROM pg_attribute WHERE attrelid = conrelid AND attname = 'user_id'
)]
"""
"""Tables whose `user_id` is an owner, and whose rows go with that owner."""

UNTOLD: Final = {
    "owners": {"created_at"},
    "tasks": {"due_date", "due_time", "due_at", "due_time_zone", "priority", "position"},
    "task_lists": {"folded_name", "position"},
    "labels": {"folded_name"},
    "task_tombstones": {"deleted_at"},
    "idempotency_keys": {"digest", "answer", "created_at"},
}
"""What is stored and no answer tells, or tells in another place."""


class Stored:
    """Shows what is stored in the words that go over the wire."""

    def __init__(self, own: OwnPlatform) -> None:
        connect = psycopg.Connection[DictRow].connect
        self._connections = [
            connect(url, autocommit=True, row_factory=dict_row) for url in own.urls.values()
        ]

    def empty(self) -> None:
        """Forget everybody."""
        for connection in self._connections:
            for table in _tables(connection):
                truncate: LiteralString = "TRUNCATE {} CASCADE"
                connection.execute(sql.SQL(truncate).format(sql.Identifier(table)))

    def everything(self) -> Tables:
        """Return every row of every table."""
        return {
            table: _rows(connection, table)
            for connection in self._connections
            for table in _tables(connection)
        }

    def close(self) -> None:
        """Hang up."""
        for connection in self._connections:
            connection.close()


def _tables(connection: psycopg.Connection[DictRow]) -> list[str]:
    return [row["relname"] for row in connection.execute(OUR_TABLES)]


def _rows(connection: psycopg.Connection[DictRow], table: str) -> list[dict[str, object]]:
    every: LiteralString = "SELECT * FROM {}"
    found = connection.execute(sql.SQL(every).format(sql.Identifier(table)))
    told = found.fetchall()
    return in_order(
        {name: _wire(row[name]) for name in row.keys() - UNTOLD.get(table, set())} for row in told
    )


def _wire(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return str(value) if isinstance(value, UUID) else value
