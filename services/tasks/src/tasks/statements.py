"""Every statement there is, each built once.

A write is one statement, so one transaction and one round trip. Its parts stand in the order that matters: lock the
owner, look at the task, raise the counter, write, leave a tombstone. Whoever writes for an owner waits at that lock;
what has waited still sees other rows as they were before, so it decides only by rows that it locks or changes.
"""

from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Executable,
    Integer,
    Text,
    Uuid,
    all_,
    and_,
    any_,
    bindparam,
    case,
    cast,
    delete,
    extract,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import KeyedColumnElement

from tasks.models import INSTANT, METADATA

_owners = METADATA.tables["owners"]
_tasks = METADATA.tables["tasks"]
_tombstones = METADATA.tables["task_tombstones"]

# No value may have a column's name: SQLAlchemy would take it for one more column to set.
_USER = bindparam("caller", type_=Uuid)
_TASK = bindparam("wanted", type_=Uuid)
_TITLE = bindparam("new_title", type_=Text)
_DESCRIPTION = bindparam("new_description", type_=Text)
_SETS_DESCRIPTION = bindparam("sets_description", type_=Boolean)
_IS_COMPLETED = bindparam("new_is_completed", type_=Boolean)
_EXPECTED = bindparam("expected", type_=ARRAY(Text))
_SEEN = bindparam("seen", type_=ARRAY(Text))
_NOW = func.clock_timestamp(type_=INSTANT)


def _wire_time(time: ColumnElement[datetime]) -> ColumnElement[str]:
    """Write a time as it goes over the wire: RFC 3339, UTC, `Z`, microseconds."""
    return func.to_char(func.timezone("UTC", time), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"', type_=Text)


def _on_the_wire(task: ReadOnlyColumnCollection[str, KeyedColumnElement[Any]]) -> list[ColumnElement[Any]]:
    plain = [task[name] for name in ("id", "user_id", "title", "description", "is_completed", "status")]
    times = [_wire_time(task[name]).label(name) for name in ("completed_at", "created_at", "updated_at")]
    return [*plain, *times, task["version"]]


TASK_COLUMNS: Final = _on_the_wire(_tasks.c)
"""A task as it goes over the wire."""

GET_OWNER: Final = select(_owners.c.id).where(_owners.c.id == _USER)
"""The owner, if this service has met them."""

ADD_OWNER: Final = (
    insert(_owners)
    .values(id=_USER, counter=cast(extract("epoch", _NOW) * 1_000_000, BigInteger), task_count=0, created_at=_NOW)
    .on_conflict_do_nothing()
    .returning(_owners.c.id)
)
"""Meet an owner; harmless when somebody was faster."""

GET_TASK: Final = select(*TASK_COLUMNS).where(_tasks.c.id == _TASK, _tasks.c.user_id == _USER)
"""One task of this owner."""


@cache
def list_tasks(*, by_state: bool, by_text: bool, behind: bool) -> Executable:
    """Build the list once for each combination of filters; without a `limit` (null) it has no end.

    Each row also has the owner's `counter`. A list that is empty, or of which the counter was `seen`, is one row
    without a task; no row when the owner is unknown.
    """
    unseen = cast(_owners.c.counter, Text) != all_(_SEEN)
    statement = select(*TASK_COLUMNS).where(_tasks.c.user_id == _owners.c.id, unseen)
    if by_state:
        statement = statement.where(_tasks.c.is_completed == bindparam("is_completed", type_=Boolean))
    if by_text:
        wanted = _folded(bindparam("q", type_=Text))
        found = [func.strpos(_folded(text), wanted) > 0 for text in (_tasks.c.title, _tasks.c.description)]
        statement = statement.where(or_(*found))
    if behind:
        place = tuple_(bindparam("after_time", type_=INSTANT), bindparam("after_id", type_=Uuid))
        statement = statement.where(tuple_(_tasks.c.created_at, _tasks.c.id) > place)
    ordered = statement.order_by(_tasks.c.created_at, _tasks.c.id).limit(bindparam("limit", type_=Integer))
    # One owner joined with an ordered list keeps its order: to sort once more would read all before the first row.
    listed = ordered.correlate(_owners).lateral("listed")
    return select(_owners.c.counter, listed).join(listed, true(), isouter=True).where(_owners.c.id == _USER)


def _folded(text: ColumnElement[str]) -> ColumnElement[str]:
    """Take the difference of case out of a text, as Unicode's simple folding does.

    Upper case first: it brings together what lower case keeps apart, such as the two small sigmas.
    """
    return func.lower(func.upper(text.collate("pg_c_utf8")))


_counted = (
    update(_owners)
    .where(_owners.c.id == _USER, _owners.c.task_count < bindparam("tasks_max", type_=Integer))
    .values(counter=_owners.c.counter + 1, task_count=_owners.c.task_count + 1)
    .returning(_owners.c.id, _owners.c.counter, _NOW.label("now"))
    .cte("counted")
)

CREATE_TASK: Final = (
    insert(_tasks)
    .from_select(
        [
            "id",
            "user_id",
            "title",
            "description",
            "is_completed",
            "completed_at",
            "created_at",
            "updated_at",
            "version",
        ],
        select(
            _TASK,
            _counted.c.id,
            _TITLE,
            _DESCRIPTION,
            _IS_COMPLETED,
            case((_IS_COMPLETED, _counted.c.now)),
            _counted.c.now,
            _counted.c.now,
            _counted.c.counter,
        ),
    )
    .returning(*TASK_COLUMNS)
    .execution_options(writes=True)
)
"""Add a task; no row when the owner is unknown or has `tasks_max` already."""

_owner = select(_owners.c.id).where(_owners.c.id == _USER).with_for_update().cte("owner").prefix_with("MATERIALIZED")

_matches = or_(_EXPECTED.is_(None), cast(_tasks.c.version, Text) == any_(_EXPECTED)).label("matches")

_title = func.coalesce(_TITLE, _tasks.c.title)
_description = case((_SETS_DESCRIPTION, _DESCRIPTION), else_=_tasks.c.description)
_is_completed = func.coalesce(_IS_COMPLETED, _tasks.c.is_completed)

_before = (
    select(
        _tasks,
        tuple_(_tasks.c.title, _tasks.c.description, _tasks.c.is_completed)
        .is_distinct_from(tuple_(_title, _description, _is_completed))
        .label("differs"),
        _matches,
    )
    .join(_owner, _tasks.c.user_id == _owner.c.id)
    .where(_tasks.c.id == _TASK)
    .with_for_update(of=_tasks)
    .cte("before")
)

_is_written = and_(_before.c.differs, _before.c.matches)

_raised = (
    update(_owners)
    .where(_owners.c.id == _before.c.user_id, _is_written)
    .values(counter=_owners.c.counter + 1)
    .returning(_owners.c.id, _owners.c.counter, _NOW.label("now"))
    .cte("raised")
)

_changed = (
    update(_tasks)
    .where(_tasks.c.id == _TASK, _tasks.c.user_id == _raised.c.id)
    .values(
        title=_title,
        description=_description,
        is_completed=_is_completed,
        completed_at=case((_is_completed, func.coalesce(_tasks.c.completed_at, _raised.c.now))),
        updated_at=_raised.c.now,
        version=_raised.c.counter,
    )
    .returning(*TASK_COLUMNS)
    .cte("changed")
)

CHANGE_TASK: Final = union_all(
    select(_changed, true().label("matches")),
    select(*_on_the_wire(_before.c), _before.c.matches).where(~_is_written),
).execution_options(writes=True)
"""Change a task: a null `title` or `is_completed` keeps what is there, and so does a description that is not set.

A change that changes nothing takes no version. Nothing is written unless the version `matches` one that is expected,
if any is. No row when there is no such task of this owner.
"""

_wanted = (
    select(_tasks.c.id, _tasks.c.user_id, _matches)
    .join(_owner, _tasks.c.user_id == _owner.c.id)
    .where(_tasks.c.id == _TASK)
    .with_for_update(of=_tasks)
    .cte("wanted_task")
)

_gone = (
    delete(_tasks)
    .where(_tasks.c.id == _wanted.c.id, _tasks.c.user_id == _wanted.c.user_id, _wanted.c.matches)
    .returning(_tasks.c.id, _tasks.c.user_id)
    .cte("gone")
)

_uncounted = (
    update(_owners)
    .where(_owners.c.id == _gone.c.user_id)
    .values(counter=_owners.c.counter + 1, task_count=_owners.c.task_count - 1)
    .returning(_owners.c.id, _owners.c.counter, _NOW.label("now"))
    .cte("uncounted")
)

_left = (
    insert(_tombstones)
    .from_select(
        ["id", "user_id", "kind", "version", "deleted_at"],
        select(_gone.c.id, _uncounted.c.id, literal("task"), _uncounted.c.counter, _uncounted.c.now).join(
            _uncounted, _gone.c.user_id == _uncounted.c.id
        ),
    )
    .returning(_tombstones.c.id)
    .cte("left_behind")
)

DELETE_TASK: Final = select(_wanted.c.matches).add_cte(_left).execution_options(writes=True)
"""Delete a task and leave its tombstone, unless another version is expected than the one that `matches`.

No row when there is no such task of this owner.
"""
