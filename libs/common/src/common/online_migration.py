"""Change keys and indexes of tables that a service reads and writes meanwhile.

Every step looks at what is there and can be repeated, so that a migration that was killed continues
where it was. Long steps (building an index, validating a foreign key) let reads and writes pass.
The others hold their locks for milliseconds, and wait for them only briefly: statements of the
service queue behind a migration that waits. All of them need a connection in autocommit mode.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Final, LiteralString, TypeAlias, cast

import psycopg
from psycopg import sql
from psycopg.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import Connection

from common.migrations import LIMIT_LOCK_WAITS

LOCK_ATTEMPTS: Final = 100
"""How often a lock is tried: for about a minute."""

LOCK_PAUSE_SECONDS: Final = 0.3
"""How long the service works undisturbed between two attempts."""

LOCK_TIMEOUT_MILLISECONDS: Final = 100
"""How long the statements of the service may queue behind an attempt."""

PATIENT_ATTEMPT: Final = 5
"""Every attempt with a multiple of this number waits longer."""

PATIENT_LOCK_TIMEOUT_MILLISECONDS: Final = 1_200
"""Longer than `deadlock_timeout` (1 s), after which PostgreSQL cancels an autovacuum in the way.

It is shorter than requests wait for a connection (`POOL_TIMEOUT_SECONDS`).
"""

_IS_VALID: Final = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"

_COLUMNS: Final = """
SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
"""

_STATISTICS_TARGET: Final = """
SELECT attstattarget FROM pg_attribute WHERE attrelid = %s::regclass AND attname = %s
"""

_CLEAR_STATISTICS: Final = "SELECT pg_clear_attribute_stats(current_schema(), %s, %s, false)"

_NOT_VALID: Final = " NOT VALID"
"""How the definition of a constraint ends that was not validated yet."""

_CONSTRAINT: Final = """
SELECT pg_get_constraintdef(pg_constraint.oid), relname
FROM pg_constraint LEFT JOIN pg_class ON pg_class.oid = conindid
WHERE conrelid = %s::regclass AND conname = %s
"""
"""Definition of a constraint, and the index that it has or, as a foreign key, refers to."""


IndexColumn: TypeAlias = str | sql.SQL
"""The name of a column, or an expression in parentheses."""


class OnlineMigration:
    """The steps, on one connection."""

    def __init__(self, connection: Connection) -> None:
        driver_connection = connection.connection.driver_connection
        self._session = cast("psycopg.Connection[tuple[object, ...]]", driver_connection)

    def add_columns(self, table: str, columns: Mapping[str, LiteralString]) -> None:
        """Add nullable columns, each with its type, unless they are there."""
        rows = self._session.execute(_COLUMNS, [table]).fetchall()
        additions: list[sql.Composed] = []
        for name, column_type in columns.items():
            if (name,) not in rows:
                addition = sql.SQL("ADD COLUMN {} {}").format(
                    sql.Identifier(name), sql.SQL(column_type)
                )
                additions.append(addition)
        if additions:
            changes = sql.SQL(", ").join(additions)
            self.run_briefly(sql.SQL("ALTER TABLE {} {}").format(sql.Identifier(table), changes))

    def add_check(self, table: str, name: str, rule: LiteralString) -> None:
        """Add a check, and validate the rows that are there."""
        definition = self._find(table, name)[0]
        if definition is None:
            addition = sql.SQL("ADD CONSTRAINT {} CHECK ({}) NOT VALID").format(
                sql.Identifier(name), sql.SQL(rule)
            )
            self.run_briefly(sql.SQL("ALTER TABLE {} {}").format(sql.Identifier(table), addition))
        if definition is None or str(definition).endswith(_NOT_VALID):
            self._session.execute(_alter(table, "VALIDATE CONSTRAINT {}", name))

    def keep_no_statistics(self, table: str, column: str) -> None:
        """Let the planner assume that a column has 200 values, whatever the rows are now."""
        row = self._session.execute(_STATISTICS_TARGET, [table, column]).fetchone()
        if row != (0,):
            self.run_briefly(_alter(table, "ALTER COLUMN {} SET STATISTICS 0", column))
        # What ANALYZE found before would stay for ever.
        self._session.execute(_CLEAR_STATISTICS, [table, column])

    def build_index(
        self,
        name: str,
        table: str,
        columns: Sequence[IndexColumn],
        *,
        unique: bool = False,
        where: LiteralString | None = None,
    ) -> None:
        """Build an index concurrently. One that was left unfinished is built anew.

        Args:
            name: Name of the index.
            table: Name of its table.
            columns: Its columns and expressions.
            unique: Whether no two rows may have the same values.
            where: The condition of a partial index.
        """
        row = self._session.execute(_IS_VALID, [name]).fetchone()
        if row == (True,):
            return
        create = sql.SQL("CREATE {kind} INDEX CONCURRENTLY {name} ON {table} ({columns})").format(
            kind=sql.SQL("UNIQUE" if unique else ""),
            name=sql.Identifier(name),
            table=sql.Identifier(table),
            columns=_column_list(columns),
        )
        if where is not None:
            create += sql.SQL(" WHERE {}").format(sql.SQL(where))
        # A build waits for old transactions, but no other statement waits for the build.
        self._session.execute("SET lock_timeout = 0")
        if row is not None:
            drop = sql.SQL("DROP INDEX CONCURRENTLY {}").format(sql.Identifier(name))
            self._session.execute(drop)
        self._session.execute(create)
        self._session.execute(LIMIT_LOCK_WAITS)

    def replace_primary_key(self, table: str, columns: tuple[str, ...], index: str) -> None:
        """Make an index the primary key of a table. It is built first if it does not exist."""
        primary_key = f"pk_{table}"
        if self._find(table, primary_key)[0] == f"PRIMARY KEY ({', '.join(columns)})":
            return
        self.build_index(index, table, columns, unique=True)
        self.run_briefly(
            _alter(table, "DROP CONSTRAINT {}", primary_key),
            _alter(table, "ADD CONSTRAINT {} PRIMARY KEY USING INDEX {}", primary_key, index),
        )

    def refer_to_primary_key(
        self, table: str, name: str, columns: tuple[str, ...], target: str, on_delete: LiteralString
    ) -> None:
        """Let a foreign key, which may be new, refer to the primary key of its target."""
        if self._find(table, name)[1] == f"pk_{target}":
            return
        new_name = f"{name}_new"
        if self._find(table, new_name)[0] is None:
            # Without columns of the target: with them, PostgreSQL takes the oldest index.
            rule = sql.SQL(
                "ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ON DELETE {} NOT VALID"
            ).format(
                sql.Identifier(new_name),
                _column_list(columns),
                sql.Identifier(target),
                sql.SQL(on_delete),
            )
            self.run_briefly(sql.SQL("ALTER TABLE {} {}").format(sql.Identifier(table), rule))
        self._session.execute(_alter(table, "VALIDATE CONSTRAINT {}", new_name))
        self.run_briefly(
            _alter(table, "DROP CONSTRAINT IF EXISTS {}", name),
            _alter(table, "RENAME CONSTRAINT {} TO {}", new_name, name),
        )

    def drop_constraint(self, table: str, name: str) -> None:
        """Drop a constraint if it is there."""
        self.run_briefly(_alter(table, "DROP CONSTRAINT IF EXISTS {}", name))

    def run_briefly(self, *statements: sql.Composed) -> None:
        """Run statements that take milliseconds in one transaction, once their locks are free.

        Raises:
            SystemExit: Another session holds a lock on the table for too long.
        """
        for attempt in range(1, LOCK_ATTEMPTS + 1):
            try:
                self._run_once(statements, _lock_timeout(attempt))
            except (LockNotAvailable, DeadlockDetected):
                time.sleep(LOCK_PAUSE_SECONDS)
            else:
                return
        raise SystemExit(
            "Another session keeps a table locked that the migration has to change: "
            "end it (pg_stat_activity shows it), and run the migration again; it continues."
        )

    def _run_once(self, statements: tuple[sql.Composed, ...], lock_timeout: int) -> None:
        with self._session.transaction():
            limit = sql.SQL("SET LOCAL lock_timeout = {}").format(lock_timeout)
            self._session.execute(limit)
            for statement in statements:
                self._session.execute(statement)

    def _find(self, table: str, name: str) -> tuple[object, object]:
        """Return the definition and the index of a constraint, or None for both."""
        row = self._session.execute(_CONSTRAINT, [table, name]).fetchone()
        if row is None:
            return None, None
        return row[0], row[1]


def _lock_timeout(attempt: int) -> int:
    if attempt % PATIENT_ATTEMPT == 0:
        return PATIENT_LOCK_TIMEOUT_MILLISECONDS
    return LOCK_TIMEOUT_MILLISECONDS


def _column_list(columns: Sequence[IndexColumn]) -> sql.Composed:
    parts: list[sql.Composable] = []
    for column in columns:
        if isinstance(column, str):
            parts.append(sql.Identifier(column))
        else:
            parts.append(column)
    return sql.SQL(", ").join(parts)


def _alter(table: str, change: LiteralString, *names: str) -> sql.Composed:
    identifiers = [sql.Identifier(name) for name in names]
    return sql.SQL("ALTER TABLE {} {}").format(
        sql.Identifier(table), sql.SQL(change).format(*identifiers)
    )
