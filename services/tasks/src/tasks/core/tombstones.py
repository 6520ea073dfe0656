"""Tombstones: insert them with deletions, remove them with re-creations, prune old ones."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Insert,
    Interval,
    SQLColumnExpression,
    bindparam,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from tasks.core.projections import NOW, TARGET_ID, USER_ID, Query
from tasks.models import Label, Owner, Task, TaskList, TaskTombstone

DeletableTable: TypeAlias = type[Task] | type[TaskList] | type[Label]

_TABLES_BY_KIND: Final[Mapping[str, DeletableTable]] = {
    "task": Task,
    "list": TaskList,
    "label": Label,
}

TOMBSTONES_PRUNED_MAX: Final = 2
"""Expired tombstones that one deletion removes: more than it adds, and few enough to be cheap."""

_RETENTION = bindparam("retention", type_=Interval)


def is_id_of_other_kind(
    kind: str, target_id: SQLColumnExpression[Any] = TARGET_ID
) -> ColumnElement[bool]:
    """Return whether the owner has, or had, something of another kind with this id.

    An id has one tombstone at most, so that it cannot be used for two kinds.
    """
    had_other_kind = exists().where(
        col(TaskTombstone.user_id) == USER_ID,
        col(TaskTombstone.id) == target_id,
        col(TaskTombstone.kind) != kind,
    )
    conditions: list[ColumnElement[bool]] = [had_other_kind]
    for other_kind, table in _TABLES_BY_KIND.items():
        if other_kind != kind:
            has_other = exists().where(col(table.user_id) == USER_ID, col(table.id) == target_id)
            conditions.append(has_other)
    return or_(*conditions)


def delete_tombstone(kind: str, created: CTE) -> CTE:
    """Delete the tombstones of rows that were created again."""
    return (
        delete(TaskTombstone)
        .where(
            col(TaskTombstone.user_id) == USER_ID,
            col(TaskTombstone.id) == created.c.id,
            col(TaskTombstone.kind) == kind,
        )
        .cte("deleted_tombstones")
    )


def prune_tombstones(deleted: CTE, extra: ColumnElement[int] | int = 0) -> CTE:
    """Delete the oldest tombstones of the owner of a deleted row, if they have expired.

    Args:
        deleted: The deleted row, with `user_id`.
        extra: Further rows that are deleted with it; each prunes one more tombstone.
    """
    owner_id = select(deleted.c.user_id).scalar_subquery()
    oldest = (
        select(col(TaskTombstone.user_id), col(TaskTombstone.id))
        .where(col(TaskTombstone.user_id) == owner_id)
        .order_by(col(TaskTombstone.version))
        .limit(TOMBSTONES_PRUNED_MAX + extra)
        .cte("oldest")
    )
    return (
        delete(TaskTombstone)
        .where(col(TaskTombstone.user_id) == oldest.c.user_id, col(TaskTombstone.id) == oldest.c.id)
        .where(col(TaskTombstone.deleted_at) <= NOW - _RETENTION)
        .returning(col(TaskTombstone.version))
        .cte("pruned")
    )


def new_pruned_version(pruned: CTE) -> ColumnElement[int]:
    """Return the owner's `pruned_version` after tombstones were pruned."""
    last_pruned_version = select(func.max(pruned.c.version)).scalar_subquery()
    return func.greatest(col(Owner.pruned_version), last_pruned_version)


def select_tombstones(numbered_tasks: CTE, counter_bump: CTE) -> Query:
    """Select the tombstones of tasks, with the versions below the new counter of their owner.

    Args:
        numbered_tasks: The deleted tasks, from `version_cascade.number_tasks`.
        counter_bump: The raised counter, from `bump_counter`.
    """
    return select(
        numbered_tasks.c.id,
        counter_bump.c.id.label("user_id"),
        literal("task"),
        counter_bump.c.counter - numbered_tasks.c.number,
        counter_bump.c.now,
    ).join(counter_bump, true())


def insert_tombstones(deletions: Query | CompoundSelect[*tuple[Any, ...]]) -> Insert:
    """Insert tombstones.

    Args:
        deletions: Selects id, user_id, kind, version and time of each deletion, in this order.
    """
    columns = ["id", "user_id", "kind", "version", "deleted_at"]
    insertion = insert(TaskTombstone).from_select(columns, deletions)
    # A re-creation that waited for the lock of this deletion cannot see its tombstone, and so
    # leaves it. The next deletion meets it.
    return insertion.on_conflict_do_update(
        index_elements=[col(TaskTombstone.user_id), col(TaskTombstone.id)],
        set_={
            "kind": insertion.excluded.kind,
            "version": insertion.excluded.version,
            "deleted_at": insertion.excluded.deleted_at,
        },
    )
