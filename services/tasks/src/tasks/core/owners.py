"""The owner row: insert it, and lock it so that the writes of one owner run one after another.

A statement that waited for the lock still sees all other rows as they were before it waited. What
it decides by other rows holds only if nobody wrote for this owner meanwhile. That is so if the
counter is still the one that the statement saw when it began. Otherwise the statement is stale, and
has to run again.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Executable,
    Text,
    all_,
    any_,
    cast,
    exists,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlmodel import col

from common.database import Database, Row, fetch_one
from tasks.core.conflicts import ConflictCode
from tasks.core.projections import (
    IF_MATCH,
    IF_NONE_MATCH,
    LIST_ID,
    NOW,
    USER_ID,
    Query,
    microseconds,
)
from tasks.models import Owner, TaskList

_clock = select(NOW.label("now")).cte("clock")
_created_microseconds = microseconds(_clock.c.now)

_new_owner: Final[Mapping[str, ColumnElement[Any]]] = {
    "id": USER_ID,
    "counter": _created_microseconds,
    "pruned_version": _created_microseconds,
    "task_count": literal(0),
    "list_count": literal(0),
    "label_count": literal(0),
    "created_at": _clock.c.now,
}

INSERT_OWNER: Final = (
    insert(Owner)
    .from_select(list(_new_owner), select(*_new_owner.values()))
    .on_conflict_do_nothing()
    .returning(col(Owner.id))
)
"""Insert the owner row if it is missing. Idempotent.

`pruned_version` starts at the counter: earlier deletions are unknown.
"""

_snapshot_owner = aliased(Owner, name="snapshot_owner")
_snapshot = (
    select(col(_snapshot_owner.counter))
    .where(col(_snapshot_owner.id) == USER_ID)
    .cte("snapshot")
    .prefix_with("MATERIALIZED")
)

SNAPSHOT_CURRENT: Final[ColumnElement[bool]] = col(Owner.counter) == _snapshot.c.counter
"""Whether nobody wrote for the owner since the statement began. It needs `check_snapshot`."""

NOT_MODIFIED_SINCE: Final[ColumnElement[bool]] = cast(col(Owner.counter), Text) != all_(
    IF_NONE_MATCH
)
"""Whether the owner's counter is none of those in `If-None-Match`."""


def counter_matches_if_match(owner: CTE) -> ColumnElement[bool]:
    """Return whether the owner's counter is one of the versions in `IF_MATCH`, or that is null."""
    return or_(IF_MATCH.is_(None), cast(owner.c.counter, Text) == any_(IF_MATCH))


def find_owner(*, check_snapshot: bool) -> Query:
    """Select the owner of the request.

    Args:
        check_snapshot: Also select `SNAPSHOT_CURRENT` as `is_current`.
    """
    owner = select(Owner).where(col(Owner.id) == USER_ID)
    if not check_snapshot:
        return owner
    return owner.add_columns(SNAPSHOT_CURRENT.label("is_current")).join(_snapshot, true())


def lock_owner(owner: Query) -> CTE:
    """Lock the owner before anything else happens, then read the clock as `now`.

    The lock is FOR NO KEY UPDATE, so that it does not block foreign key checks: an import stages
    tasks while others write.
    """
    locked = (
        owner.with_for_update(of=Owner, key_share=True).cte("locked").prefix_with("MATERIALIZED")
    )
    # A stage of its own: in the same one, the clock would be read before the lock is granted.
    return select(locked, NOW.label("now")).cte("owner").prefix_with("MATERIALIZED")


def bump_counter(
    source: CTE,
    by: ColumnElement[int] | int,
    *conditions: ColumnElement[bool],
    **other_columns: object,
) -> CTE:
    """Raise the counter of the owner of a row, if there is one. Returns `id`, `counter` and `now`.

    Args:
        source: The row, with `user_id` and `now`.
        by: How many versions are taken.
        conditions: Further conditions for the update.
        other_columns: New values of other columns of the owner.
    """
    return (
        update(Owner)
        .where(col(Owner.id) == source.c.user_id, *conditions)
        .values(**other_columns, counter=col(Owner.counter) + by)
        .returning(col(Owner.id), col(Owner.counter), source.c.now)
        .cte("counter_bump")
    )


def target_list_exists(owner: CTE) -> ColumnElement[bool]:
    """Return whether the owner has the list `LIST_ID`, and lock it against deletion."""
    target_list = (
        select(col(TaskList.id))
        .join(owner, col(TaskList.user_id) == owner.c.id)
        .where(col(TaskList.id) == LIST_ID)
        .with_for_update(read=True, key_share=True, of=TaskList)
        .cte("target_list")
    )
    return exists(select(target_list.c.id))


async def retry_while_stale(
    database: Database, statement: Executable, **params: object
) -> Row | None:
    """Run a statement that returns a `conflict`, again and again while that is `STALE`."""
    while True:
        row = await fetch_one(database, statement, **params)
        if row is None or row["conflict"] != ConflictCode.STALE:
            return row
