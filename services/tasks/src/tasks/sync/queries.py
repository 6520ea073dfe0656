"""What happened to an owner's tasks, lists and labels since a version."""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Text,
    bindparam,
    cast,
    exists,
    func,
    literal,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlmodel import col

from tasks.core.projections import LABEL_PROJECTION, LIST_PROJECTION, USER_ID, Query
from tasks.models import Label, Owner, Task, TaskList, TaskTombstone
from tasks.task.projection import TASK_PROJECTION

_SINCE = bindparam("since", type_=BigInteger)
_LIMIT = bindparam("limit", type_=Integer)

VersionedTable: TypeAlias = type[Task] | type[TaskList] | type[Label]


def _changes_of(
    table: VersionedTable, kind: str, projection: Sequence[ColumnElement[Any]]
) -> Query:
    """Select the changed rows of one table. Each table is limited, so that none is sorted whole."""
    changed = (
        select(*projection)
        .where(col(table.user_id) == col(Owner.id), col(table.version) > _SINCE)
        .order_by(col(table.version))
    )
    return _as_changes(changed, kind)


def _deletions() -> Query:
    """Select the deleted rows."""
    deleted = (
        select(col(TaskTombstone.kind), col(TaskTombstone.id), col(TaskTombstone.version))
        .where(col(TaskTombstone.user_id) == col(Owner.id), col(TaskTombstone.version) > _SINCE)
        .where(~_exists_again("task", Task))
        .where(~_exists_again("list", TaskList))
        .where(~_exists_again("label", Label))
        .order_by(col(TaskTombstone.version))
    )
    return _as_changes(deleted, "deletion")


def _as_changes(rows: Query, kind: str) -> Query:
    limited = rows.correlate(Owner).limit(_LIMIT).subquery()
    row_json = func.row_to_json(limited.table_valued(), type_=JSON)
    content = cast(row_json, Text).label("content")
    return select(limited.c.version, literal(kind).label("kind"), content)


def _exists_again(kind: str, table: VersionedTable) -> ColumnElement[bool]:
    """Return whether a row was created again by a request that could not see its tombstone."""
    return exists().where(
        # Inside the subquery: otherwise the planner reads the table of all owners.
        col(TaskTombstone.kind) == kind,
        col(table.user_id) == col(TaskTombstone.user_id),
        col(table.id) == col(TaskTombstone.id),
    )


_changes = (
    union_all(
        _changes_of(Task, "task", TASK_PROJECTION),
        _changes_of(TaskList, "list", LIST_PROJECTION),
        _changes_of(Label, "label", LABEL_PROJECTION),
        _deletions(),
    )
    .order_by("version")
    .limit(_LIMIT)
    .lateral("changes")
)

GET_CHANGES: Final = (
    select(col(Owner.counter), col(Owner.pruned_version), _changes)
    .join(_changes, true(), isouter=True)
    .where(col(Owner.id) == USER_ID)
)
"""The rows that changed after the version `since`, in the order of versions.

Each has its `kind`, or `deletion`, and its JSON as `content`. One row without a kind if nothing
changed; no row for an unknown owner.
"""
