"""What is left of those that are deleted, and how it goes when it was kept for long enough."""

from typing import Any, Final

from sqlalchemy import CTE, ColumnElement, CompoundSelect, Insert, Interval, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from tasks.statements.values import NOW, OWNERS, TOMBSTONES, Query

TOMBSTONES_PRUNED: Final = 2
"""Tombstones beyond their time that a deletion takes away: more than it leaves, and few enough not to be noticed."""


def prune_tombstones(deleted: CTE, more: ColumnElement[int] | int = 0) -> CTE:
    """Take away what the owner of what is `deleted` has kept for long enough; further deletions take one more each."""
    oldest = (
        select(TOMBSTONES.c.user_id, TOMBSTONES.c.id)
        .where(TOMBSTONES.c.user_id == select(deleted.c.user_id).scalar_subquery())
        .order_by(TOMBSTONES.c.version)
        .limit(TOMBSTONES_PRUNED + more)
        .cte("oldest")
    )
    return (
        delete(TOMBSTONES)
        .where(TOMBSTONES.c.user_id == oldest.c.user_id, TOMBSTONES.c.id == oldest.c.id)
        .where(TOMBSTONES.c.deleted_at <= NOW - bindparam("kept", type_=Interval))
        .returning(TOMBSTONES.c.version)
        .cte("pruned")
    )


def still_known(pruned: CTE) -> ColumnElement[int]:
    """Return up to which version the owner's past is no longer known in full."""
    return func.greatest(OWNERS.c.pruned_version, select(func.max(pruned.c.version)).scalar_subquery())


def leave_tombstones(gone: Query | CompoundSelect[*tuple[Any, ...]]) -> Insert:
    """Keep the id, owner, kind, version and time of each deletion, in this order."""
    left = insert(TOMBSTONES).from_select(["id", "user_id", "kind", "version", "deleted_at"], gone)
    # An undo that waited behind the delete which it undoes did not see the tombstone, and could not take it away.
    return left.on_conflict_do_update(
        index_elements=[TOMBSTONES.c.user_id, TOMBSTONES.c.id],
        set_={name: left.excluded[name] for name in ("kind", "version", "deleted_at")},
    )
