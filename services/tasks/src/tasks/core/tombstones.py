"""What is left of those that are deleted, and how it goes when it was kept for long enough."""

from typing import Any, Final

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
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from tasks.core.projections import (
    LABELS,
    LISTS,
    NOW,
    OWNERS,
    TARGET_ID,
    TASKS,
    TOMBSTONES,
    USER_ID,
    Query,
)

TABLES_BY_KIND: Final = {"task": TASKS, "list": LISTS, "label": LABELS}
"""What can be deleted, by the words for it."""

TOMBSTONES_PRUNED_MAX: Final = 2
"""Tombstones beyond their time that a deletion takes away: more than it leaves, and few enough not to be noticed."""


def is_id_of_other_kind(
    kind: str, wanted: SQLColumnExpression[Any] = TARGET_ID
) -> ColumnElement[bool]:
    """Tell whether an id is or was something else for this owner: there is room for one tombstone of it."""
    was = exists().where(
        TOMBSTONES.c.user_id == USER_ID, TOMBSTONES.c.id == wanted, TOMBSTONES.c.kind != kind
    )
    others = [table for name, table in TABLES_BY_KIND.items() if name != kind]
    return or_(
        was, *(exists().where(table.c.user_id == USER_ID, table.c.id == wanted) for table in others)
    )


def delete_tombstone(kind: str, made: CTE) -> CTE:
    """Take the tombstones of what is there again away."""
    same = (
        TOMBSTONES.c.user_id == USER_ID,
        TOMBSTONES.c.id == made.c.id,
        TOMBSTONES.c.kind == kind,
    )
    return delete(TOMBSTONES).where(*same).cte("undone")


def prune_tombstones(deleted: CTE, more: ColumnElement[int] | int = 0) -> CTE:
    """Take away what the owner of what is `deleted` has kept for long enough; further deletions take one more each."""
    oldest = (
        select(TOMBSTONES.c.user_id, TOMBSTONES.c.id)
        .where(TOMBSTONES.c.user_id == select(deleted.c.user_id).scalar_subquery())
        .order_by(TOMBSTONES.c.version)
        .limit(TOMBSTONES_PRUNED_MAX + more)
        .cte("oldest")
    )
    return (
        delete(TOMBSTONES)
        .where(TOMBSTONES.c.user_id == oldest.c.user_id, TOMBSTONES.c.id == oldest.c.id)
        .where(TOMBSTONES.c.deleted_at <= NOW - bindparam("retention", type_=Interval))
        .returning(TOMBSTONES.c.version)
        .cte("pruned")
    )


def new_pruned_version(pruned: CTE) -> ColumnElement[int]:
    """Return up to which version the owner's past is no longer known in full."""
    return func.greatest(
        OWNERS.c.pruned_version, select(func.max(pruned.c.version)).scalar_subquery()
    )


def insert_tombstones(gone: Query | CompoundSelect[*tuple[Any, ...]]) -> Insert:
    """Keep the id, owner, kind, version and time of each deletion, in this order."""
    left = insert(TOMBSTONES).from_select(["id", "user_id", "kind", "version", "deleted_at"], gone)
    # An undo that waited behind the delete which it undoes did not see the tombstone, and could not take it away.
    return left.on_conflict_do_update(
        index_elements=[TOMBSTONES.c.user_id, TOMBSTONES.c.id],
        set_={name: left.excluded[name] for name in ("kind", "version", "deleted_at")},
    )
