"""The occurrence that follows a completed task: find it, and read what a change of both needs."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    DateTime,
    SQLColumnExpression,
    Uuid,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased
from sqlmodel import col

from tasks.core.projections import NOW, TARGET_ID, USER_ID, Query
from tasks.core.version_cascade import is_among
from tasks.models import Owner, Task
from tasks.task.projection import TASK_PROJECTION

EXPECTED_COUNTER: Final = bindparam("expected_counter", type_=BigInteger)
"""The owner's counter when `READ_FOR_CHANGE` read the task."""

DAY_ENDS_AT: Final = bindparam("day_ends_at", type_=DateTime(timezone=True))
"""Until when the successor may be made: it was computed for a completion on the day before."""

SUCCESSOR_ID: Final = bindparam("successor_id", type_=Uuid)
"""The successor that is made or taken back."""

_successor = aliased(Task, name="successor")
_part = aliased(Task, name="part")

# A copied subtask has a `previous_id`, too, but is no occurrence of its own. An import keeps no
# `made_version`.
_is_occurrence = or_(
    col(_successor.made_subtask_count).is_not(None),
    and_(col(_successor.made_version).is_(None), col(_successor.parent_id).is_(None)),
)


def _find_successor(column: SQLColumnExpression[Any]) -> Query:
    """Select the successor of the task `TARGET_ID`. The one that the service made comes first."""
    return (
        select(column)
        .where(
            col(_successor.user_id) == USER_ID,
            col(_successor.previous_id) == TARGET_ID,
            _is_occurrence,
        )
        .order_by(col(_successor.made_subtask_count).is_(None), col(_successor.id))
        .limit(1)
    )


def has_successor() -> ColumnElement[bool]:
    """Return whether a task of `tasks` has a successor."""
    return exists().where(
        col(_successor.user_id) == col(Task.user_id),
        col(_successor.previous_id) == col(Task.id),
        _is_occurrence,
    )


def find_successors(completed: CTE) -> CTE:
    """Select the successor of each of many tasks that has one: see `_find_successor`.

    Left out are those of tasks that point to their successor: a task cannot be written and unlinked
    in the same statement.

    Args:
        completed: The tasks, with `id` and `previous_id`.
    """
    successors = (
        select(
            col(_successor.id),
            col(_successor.version),
            col(_successor.made_version),
            col(_successor.made_subtask_count),
            col(_successor.previous_id),
        )
        .ext(distinct_on(col(_successor.previous_id)))
        .where(
            col(_successor.user_id) == USER_ID,
            col(_successor.previous_id).is_not(None),
            is_among(col(_successor.previous_id), completed),
            _is_occurrence,
        )
        .order_by(
            col(_successor.previous_id),
            col(_successor.made_subtask_count).is_(None),
            col(_successor.id),
        )
        .subquery("successors_of_all")
    )
    pointing = select(completed.c.previous_id, completed.c.id).where(
        completed.c.previous_id.is_not(None)
    )
    points_back = tuple_(successors.c.id, successors.c.previous_id).in_(pointing)
    return select(successors).where(~points_back).cte("found_successors")


NEXT_ID: Final[ColumnElement[UUID | None]] = _find_successor(col(_successor.id)).scalar_subquery()
"""The id of the task's successor, which the statement sees as it was when it began."""


def _is_untouched() -> ColumnElement[bool]:
    """Return whether the successor and its subtasks are as they were made."""
    parts = select(func.count()).where(
        col(_part.user_id) == col(_successor.user_id), col(_part.parent_id) == col(_successor.id)
    )
    untouched_parts = parts.where(col(_part.version) == col(_part.made_version))
    return and_(
        col(_successor.version) == col(_successor.made_version),
        col(_successor.made_subtask_count) == parts.scalar_subquery(),
        col(_successor.made_subtask_count) == untouched_parts.scalar_subquery(),
    )


def _read_for_change() -> Query:
    subtask = aliased(Task, name="subtask")
    is_subtask = and_(
        col(subtask.user_id) == col(Task.user_id), col(subtask.parent_id) == col(Task.id)
    )
    return (
        select(
            col(Owner.counter),
            NOW.label("now"),
            col(Task.is_completed),
            col(Task.due_date),
            col(Task.due_time),
            col(Task.due_time_zone),
            col(Task.recurrence_rule),
            col(Task.recurrence_from),
            col(Task.previous_id),
            NEXT_ID.label("next_id"),
            _find_successor(_is_untouched()).scalar_subquery().label("next_is_untouched"),
            col(subtask.id).label("subtask_id"),
            col(subtask.due_date).label("subtask_due_date"),
            col(subtask.due_time).label("subtask_due_time"),
            col(subtask.due_time_zone).label("subtask_due_time_zone"),
        )
        .join(Owner, col(Owner.id) == col(Task.user_id))
        .outerjoin(subtask, is_subtask)
        .where(col(Task.id) == TARGET_ID, col(Task.user_id) == USER_ID)
    )


READ_FOR_CHANGE: Final = _read_for_change()
"""What decides about the next occurrence of a task: one row for each subtask, or else one.

`now` is the time of the database, and `counter` tells later whether anything was written since.
"""

GET_CHANGED_TASK: Final = select(*TASK_PROJECTION, NEXT_ID.label("next_id")).where(
    col(Task.id) == TARGET_ID, col(Task.user_id) == USER_ID
)
"""A task as `change_task` returns it."""
