"""Rename lists and labels, and find them for deletion."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import (
    CTE,
    ColumnElement,
    Executable,
    and_,
    exists,
    func,
    null,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import aliased
from sqlmodel import col

from tasks.core.conflicts import ConflictCode, first_conflict
from tasks.core.owners import find_owner, lock_owner
from tasks.core.projections import FOLDED_NAME, NAME, TARGET_ID, Query, matches_if_match
from tasks.model_base import Columns, columns_of
from tasks.models import Label, TaskList

NamedTable: TypeAlias = type[TaskList] | type[Label]
"""A table with `name` and `folded_name`."""


@dataclass(frozen=True)
class LockedRow:
    """A list or a label that a statement has locked.

    Attributes:
        current: The row as it is stored, with its `conflict` and the time `now`.
        writable: The same row if the statement shall write it; otherwise no row.
    """

    current: CTE
    writable: CTE


def find_renamable(table: NamedTable) -> LockedRow:
    """Lock the row `TARGET_ID`. It is writable if its name changes and nothing is in conflict."""
    owner = lock_owner(find_owner(check_snapshot=True))
    other = aliased(table, name="other")
    name_taken = exists().where(
        col(other.user_id) == owner.c.id,
        col(other.folded_name) == FOLDED_NAME,
        col(other.id) != col(table.id),
    )
    conflict = first_conflict(
        (~owner.c.is_current, ConflictCode.STALE),
        (name_taken, ConflictCode.NAME_TAKEN),
        (~matches_if_match(columns_of(table)), ConflictCode.VERSION_MISMATCH),
    )
    differs = col(table.name) != func.coalesce(NAME, col(table.name))
    current = (
        _lock_row(table, owner)
        .add_columns(conflict.label("conflict"), differs.label("differs"))
        .cte("current")
    )
    is_writable = and_(current.c.differs, current.c.conflict.is_(None))
    writable = select(current).where(is_writable).cte("writable")
    return LockedRow(current, writable)


def rename(
    table: NamedTable,
    row: LockedRow,
    counter_bump: CTE,
    projection: Callable[[Columns], list[ColumnElement[Any]]],
    task_update: CTE | None = None,
) -> Executable:
    """Write the new name and return the row as clients see it, with its `conflict`.

    Args:
        table: The table.
        row: The row, from `find_renamable`.
        counter_bump: The raised counter, from `bump_counter`.
        projection: Returns what clients see of a row.
        task_update: Updates the tasks that show the name.
    """
    updated = (
        update(table)
        .where(col(table.id) == TARGET_ID, col(table.user_id) == counter_bump.c.id)
        .values(
            name=NAME,
            folded_name=FOLDED_NAME,
            updated_at=counter_bump.c.now,
            version=counter_bump.c.counter,
        )
        .returning(*projection(columns_of(table)), null().label("conflict"))
        .cte("updated")
    )
    current = row.current
    is_unchanged = ~exists(select(row.writable.c.id))
    unchanged = select(*projection(current.c), current.c.conflict).where(is_unchanged)
    statement = union_all(select(updated), unchanged)
    if task_update is not None:
        statement = statement.add_cte(task_update)
    return statement.execution_options(not_idempotent=True)


def find_deletable(table: NamedTable) -> LockedRow:
    """Lock the row `TARGET_ID`. It is writable if nothing is in conflict with its deletion."""
    owner = lock_owner(find_owner(check_snapshot=True))
    conflict = first_conflict(
        (~owner.c.is_current, ConflictCode.STALE),
        (~matches_if_match(columns_of(table)), ConflictCode.VERSION_MISMATCH),
    )
    current = _lock_row(table, owner).add_columns(conflict.label("conflict")).cte("current")
    writable = select(current).where(current.c.conflict.is_(None)).cte("writable")
    return LockedRow(current, writable)


def _lock_row(table: NamedTable, owner: CTE) -> Query:
    return (
        select(table, owner.c.now)
        .join(owner, col(table.user_id) == owner.c.id)
        .where(col(table.id) == TARGET_ID)
        .with_for_update(of=table)
    )
