"""Reading, changing and deleting tasks."""

from functools import cache
from typing import Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Executable,
    Integer,
    Interval,
    Text,
    Uuid,
    all_,
    and_,
    any_,
    bindparam,
    case,
    cast,
    delete,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from tasks.models import INSTANT
from tasks.statements.values import (
    DESCRIPTION,
    EXPECTED,
    IS_COMPLETED,
    NOW,
    OWNERS,
    SEEN,
    SETS_DESCRIPTION,
    TASK,
    TASK_COLUMNS,
    TASKS,
    TITLE,
    TOMBSTONES,
    USER,
    on_the_wire,
)

TOMBSTONES_PRUNED: Final = 2
"""Tombstones beyond their time that a deletion takes away: more than it leaves, and few enough not to be noticed."""

GET_TASK: Final = select(*TASK_COLUMNS).where(TASKS.c.id == TASK, TASKS.c.user_id == USER)
"""One task of this owner."""


@cache
def list_tasks(*, by_state: bool, by_text: bool, behind: bool) -> Executable:
    """Build the list once for each combination of filters; without a `limit` (null) it has no end.

    Each row also has the owner's `counter`. A list that is empty, or of which the counter was `seen`, is one row
    without a task; no row when the owner is unknown.
    """
    unseen = cast(OWNERS.c.counter, Text) != all_(SEEN)
    statement = select(*TASK_COLUMNS).where(TASKS.c.user_id == OWNERS.c.id, unseen)
    if by_state:
        statement = statement.where(TASKS.c.is_completed == bindparam("is_completed", type_=Boolean))
    if by_text:
        wanted = _folded(bindparam("q", type_=Text))
        found = [func.strpos(_folded(text), wanted) > 0 for text in (TASKS.c.title, TASKS.c.description)]
        statement = statement.where(or_(*found))
    if behind:
        place = tuple_(bindparam("after_time", type_=INSTANT), bindparam("after_id", type_=Uuid))
        statement = statement.where(tuple_(TASKS.c.created_at, TASKS.c.id) > place)
    ordered = statement.order_by(TASKS.c.created_at, TASKS.c.id).limit(bindparam("limit", type_=Integer))
    # One owner joined with an ordered list keeps its order: to sort once more would read all before the first row.
    listed = ordered.correlate(OWNERS).lateral("listed")
    return select(OWNERS.c.counter, listed).join(listed, true(), isouter=True).where(OWNERS.c.id == USER)


def _folded(text: ColumnElement[str]) -> ColumnElement[str]:
    """Take the difference of case out of a text, as Unicode's simple folding does.

    Upper case first: it brings together what lower case keeps apart, such as the two small sigmas.
    """
    return func.lower(func.upper(text.collate("pg_c_utf8")))


_owner = select(OWNERS.c.id).where(OWNERS.c.id == USER).with_for_update().cte("owner").prefix_with("MATERIALIZED")

_matches = or_(EXPECTED.is_(None), cast(TASKS.c.version, Text) == any_(EXPECTED)).label("matches")

_title = func.coalesce(TITLE, TASKS.c.title)
_description = case((SETS_DESCRIPTION, DESCRIPTION), else_=TASKS.c.description)
_is_completed = func.coalesce(IS_COMPLETED, TASKS.c.is_completed)

_before = (
    select(
        TASKS,
        tuple_(TASKS.c.title, TASKS.c.description, TASKS.c.is_completed)
        .is_distinct_from(tuple_(_title, _description, _is_completed))
        .label("differs"),
        _matches,
    )
    .join(_owner, TASKS.c.user_id == _owner.c.id)
    .where(TASKS.c.id == TASK)
    .with_for_update(of=TASKS)
    .cte("before")
)

_is_written = and_(_before.c.differs, _before.c.matches)

_raised = (
    update(OWNERS)
    .where(OWNERS.c.id == _before.c.user_id, _is_written)
    .values(counter=OWNERS.c.counter + 1)
    .returning(OWNERS.c.id, OWNERS.c.counter, NOW.label("now"))
    .cte("raised")
)

_changed = (
    update(TASKS)
    .where(TASKS.c.id == TASK, TASKS.c.user_id == _raised.c.id)
    .values(
        title=_title,
        description=_description,
        is_completed=_is_completed,
        completed_at=case((_is_completed, func.coalesce(TASKS.c.completed_at, _raised.c.now))),
        updated_at=_raised.c.now,
        version=_raised.c.counter,
    )
    .returning(*TASK_COLUMNS)
    .cte("changed")
)

CHANGE_TASK: Final = union_all(
    select(_changed, true().label("matches")),
    select(*on_the_wire(_before.c), _before.c.matches).where(~_is_written),
).execution_options(writes=True)
"""Change a task: a null `title` or `is_completed` keeps what is there, and so does a description that is not set.

A change that changes nothing takes no version. Nothing is written unless the version `matches` one that is expected,
if any is. No row when there is no such task of this owner.
"""

_wanted = (
    select(TASKS.c.id, TASKS.c.user_id, _matches)
    .join(_owner, TASKS.c.user_id == _owner.c.id)
    .where(TASKS.c.id == TASK)
    .with_for_update(of=TASKS)
    .cte("wanted_task")
)

_gone = (
    delete(TASKS)
    .where(TASKS.c.id == _wanted.c.id, TASKS.c.user_id == _wanted.c.user_id, _wanted.c.matches)
    .returning(TASKS.c.id, TASKS.c.user_id)
    .cte("gone")
)

# By the owner's own id, and not by that of what is gone, or all the tombstones would be sorted.
_oldest = (
    select(TOMBSTONES.c.user_id, TOMBSTONES.c.id)
    .where(TOMBSTONES.c.user_id == USER, select(_gone.c.id).exists())
    .order_by(TOMBSTONES.c.version)
    .limit(TOMBSTONES_PRUNED)
    .cte("oldest")
)

_pruned = (
    delete(TOMBSTONES)
    .where(TOMBSTONES.c.user_id == _oldest.c.user_id, TOMBSTONES.c.id == _oldest.c.id)
    .where(TOMBSTONES.c.deleted_at <= NOW - bindparam("kept", type_=Interval))
    .returning(TOMBSTONES.c.version)
    .cte("pruned")
)

_uncounted = (
    update(OWNERS)
    .where(OWNERS.c.id == _gone.c.user_id)
    .values(
        counter=OWNERS.c.counter + 1,
        task_count=OWNERS.c.task_count - 1,
        pruned_version=func.greatest(OWNERS.c.pruned_version, select(func.max(_pruned.c.version)).scalar_subquery()),
    )
    .returning(OWNERS.c.id, OWNERS.c.counter, NOW.label("now"))
    .cte("uncounted")
)

_left = insert(TOMBSTONES).from_select(
    ["id", "user_id", "kind", "version", "deleted_at"],
    select(_gone.c.id, _uncounted.c.id, literal("task"), _uncounted.c.counter, _uncounted.c.now).join(
        _uncounted, _gone.c.user_id == _uncounted.c.id
    ),
)

# An undo that waited behind the delete which it undoes did not see the tombstone, and could not take it away.
_renewed = _left.on_conflict_do_update(
    index_elements=[TOMBSTONES.c.user_id, TOMBSTONES.c.id],
    set_={"version": _left.excluded.version, "deleted_at": _left.excluded.deleted_at},
)

DELETE_TASK: Final = select(_wanted.c.matches).add_cte(_renewed.cte("renewed")).execution_options(writes=True)
"""Delete a task and leave its tombstone, unless another version is expected than the one that `matches`.

A few tombstones that were `kept` for long enough go, and the owner remembers up to which version. No row when there is
no such task of this owner.
"""
