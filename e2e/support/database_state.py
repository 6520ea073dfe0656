"""The rows of both databases, in the form in which the API returns them."""

from datetime import UTC, datetime
from typing import Final, LiteralString
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row

from e2e.support.isolated_platform import IsolatedPlatform
from e2e.support.reference_model import Row, Tables, sort_rows

USER_DATA_TABLES: Final = """
SELECT relname FROM pg_stat_user_tables WHERE relname NOT IN ('alembic_version', 'served_history')
"""
"""Tables with rows of users; the other tables describe the database itself."""

OWNER_REFERENCES: Final = """
SELECT relname FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
WHERE contype = 'f' AND confrelid = 'owners'::regclass AND confdeltype = 'c' AND conkey = ARRAY[(
    SELECT attnum FROM pg_attribute WHERE attrelid = conrelid AND attname = 'user_id'
)]
"""
"""Tables whose `user_id` references an owner, and whose rows are deleted with that owner."""

UNEXPOSED_COLUMNS: Final = {
    "owners": {"created_at"},
    "tasks": {
        "due_date",
        "due_time",
        "due_at",
        "due_time_zone",
        "priority",
        "position",
        "recurrence_rule",
        "recurrence_from",
        "made_version",
        "made_subtask_count",
    },
    "task_lists": {"folded_name", "position"},
    "labels": {"folded_name"},
    "task_tombstones": {"deleted_at"},
    "idempotency_keys": {"digest", "answer", "created_at"},
}
"""Columns that responses do not contain, or contain in another form."""


class DatabaseState:
    """Reads and deletes the rows of both databases of a platform."""

    def __init__(self, platform: IsolatedPlatform) -> None:
        self._connections: list[psycopg.Connection[DictRow]] = []
        for url in platform.urls.values():
            connection = psycopg.Connection[DictRow].connect(
                url, autocommit=True, row_factory=dict_row
            )
            self._connections.append(connection)

    def truncate(self) -> None:
        """Delete all rows of users."""
        statement: LiteralString = "TRUNCATE {} CASCADE"
        for connection in self._connections:
            for table in _table_names(connection):
                connection.execute(sql.SQL(statement).format(sql.Identifier(table)))

    def read_tables(self) -> Tables:
        """Return every row of every table."""
        tables: Tables = {}
        for connection in self._connections:
            for table in _table_names(connection):
                tables[table] = _read_rows(connection, table)
        return tables

    def close(self) -> None:
        """Close all connections."""
        for connection in self._connections:
            connection.close()


def _table_names(connection: psycopg.Connection[DictRow]) -> list[str]:
    return [row["relname"] for row in connection.execute(USER_DATA_TABLES)]


def _read_rows(connection: psycopg.Connection[DictRow], table: str) -> list[Row]:
    statement: LiteralString = "SELECT * FROM {}"
    cursor = connection.execute(sql.SQL(statement).format(sql.Identifier(table)))
    omitted = UNEXPOSED_COLUMNS.get(table, set())
    rows = [_to_json_values(row, omitted) for row in cursor.fetchall()]
    return sort_rows(rows)


def _to_json_values(row: DictRow, omitted: set[str]) -> Row:
    return {name: _to_json_value(row[name]) for name in row.keys() - omitted}


def _to_json_value(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, UUID):
        return str(value)
    return value
