"""Owners: meeting them, and locking them, so that the writes for one of them come one after the other.

A statement that waited for the lock sees all other rows as they were before. Whatever it decides by other rows holds
only if nobody has written for this owner meanwhile; then the counter is the one that the statement saw when it began.
"""

from typing import Final

from sqlalchemy import CTE, ColumnElement, Text, all_, cast, exists, literal, select, true, update
from sqlalchemy.dialects.postgresql import insert

from tasks.core.projections import (
    IF_NONE_MATCH,
    LIST_ID,
    LISTS,
    NOW,
    OWNERS,
    USER_ID,
    Query,
    microseconds,
)

_met = select(NOW.label("now")).cte("met")

INSERT_OWNER: Final = (
    insert(OWNERS)
    .from_select(
        [
            "id",
            "counter",
            "pruned_version",
            "task_count",
            "list_count",
            "label_count",
            "created_at",
        ],
        select(
            USER_ID,
            microseconds(_met.c.now),
            microseconds(_met.c.now),
            *map(literal, (0, 0, 0)),
            _met.c.now,
        ),
    )
    .on_conflict_do_nothing()
    .returning(OWNERS.c.id)
)
"""Meet an owner, of whose past before this moment nothing is known; harmless when somebody was faster."""

_begun = OWNERS.alias("begun")
_seen = (
    select(_begun.c.counter).where(_begun.c.id == USER_ID).cte("seen").prefix_with("MATERIALIZED")
)

SNAPSHOT_CURRENT: Final[ColumnElement[bool]] = OWNERS.c.counter == _seen.c.counter
"""Whether nobody has written for the owner since the statement began."""


NOT_MODIFIED_SINCE: Final[ColumnElement[bool]] = cast(OWNERS.c.counter, Text) != all_(IF_NONE_MATCH)
"""Whether the reader has not seen all that the owner has, as it is now."""


def find_owner(*, check_snapshot: bool) -> Query:
    """Find the owner; `check_snapshot` also tells whether what the statement sees of their other rows `is_current`."""
    found = select(OWNERS).where(OWNERS.c.id == USER_ID)
    return (
        found.add_columns(SNAPSHOT_CURRENT.label("is_current")).join(_seen, true())
        if check_snapshot
        else found
    )


def lock_owner(owner: Query) -> CTE:
    """Lock the owner before anything else happens, and learn the time.

    FOR NO KEY UPDATE, so that foreign keys to the owner are checked beside it: an import stages while others write.
    """
    locked = (
        owner.with_for_update(of=OWNERS, key_share=True).cte("locked").prefix_with("MATERIALIZED")
    )
    # A step of its own, because a clock that is read together with the row is read before the lock is there.
    return select(locked, NOW.label("now")).cte("owner").prefix_with("MATERIALIZED")


def bump_counter(
    cause: CTE, by: ColumnElement[int] | int, *conditions: ColumnElement[bool], **values: object
) -> CTE:
    """Take so many versions for the owner of a cause, if there is one, and change their other numbers with that."""
    return (
        update(OWNERS)
        .where(OWNERS.c.id == cause.c.user_id, *conditions)
        .values(**values, counter=OWNERS.c.counter + by)
        .returning(OWNERS.c.id, OWNERS.c.counter, cause.c.now)
        .cte("raised")
    )


def target_list_exists(owner: CTE) -> ColumnElement[bool]:
    """Tell whether the owner has the list that was sent, and keep it there until all is written."""
    listed = (
        select(LISTS.c.id).join(owner, LISTS.c.user_id == owner.c.id).where(LISTS.c.id == LIST_ID)
    )
    return exists(
        select(listed.with_for_update(read=True, key_share=True, of=LISTS).cte("listed").c.id)
    )
