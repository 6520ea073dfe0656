"""Statements that link the merged tasks of an import: subtasks, and the occurrences before.

They run when all ranges are merged, so that a link may name a task of any line, before or behind.
The owner is locked and all tasks are written: every statement here sees them as they will be.
"""

from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    SQLColumnExpression,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased
from sqlmodel import col

from tasks.core.projections import NOW, USER_ID, Query
from tasks.core.quotas import SUBTASKS_MAX
from tasks.model_base import columns_of
from tasks.models import Owner, StagedTask, Task
from tasks.transfer.queries.merge import FIRST_LINE, LAST_LINE, MADE_COLUMNS, is_owned
from tasks.transfer.queries.staging import IMPORT_ID

VERSION_BEFORE: Final = bindparam("version_before", type_=BigInteger)
"""The owner's counter before the import. Rows with a higher version were written by it."""

_staged = aliased(StagedTask, name="staged")
_current = aliased(Task, name="current")
_parent = aliased(Task, name="parent")
_subtask = aliased(Task, name="subtask")

_was_written: Final[ColumnElement[bool]] = col(_current.version) > VERSION_BEFORE


def _find(name: str, task_id: SQLColumnExpression[Any]) -> tuple[type[Task], ColumnElement[bool]]:
    """Return a task of the owner that has an id, and the condition to join it by."""
    table = aliased(Task, name=name)
    return table, and_(col(table.id) == task_id, is_owned(table))


def _staged_here(*columns: SQLColumnExpression[Any]) -> Query:
    """Select the staged tasks of the line range, each with the stored task that it became.

    That has the id in the file if the user has such a task, else the id that replaces it. Of
    several lines for one task the last one wins.
    """
    file_task, has_file_id = _find("file_task", col(_staged.old_id))
    renumbered_task, has_own_id = _find("renumbered_task", col(_staged.own_id))
    task_id = func.coalesce(file_task.id, renumbered_task.id)
    return (
        select(col(_current.id), col(_staged.line), *columns)
        .select_from(_staged)
        .outerjoin(file_task, has_file_id)
        .outerjoin(renumbered_task, has_own_id)
        .join(_current, and_(col(_current.id) == task_id, is_owned(_current)))
        .where(col(_staged.user_id) == USER_ID)
        .where(col(_staged.import_id) == IMPORT_ID)
        .where(col(_staged.line).between(FIRST_LINE, LAST_LINE))
        .ext(distinct_on(col(_current.id)))
        .order_by(col(_current.id), col(_staged.line).desc())
    )


def _incoming_links() -> CTE:
    """Select the links that the staged tasks get, and the list if the parent decides.

    A link to an unknown task is null, and so is one to the task itself as its own predecessor.
    """
    parent, is_parent = _find("file_parent", col(_staged.parent_id))
    own_parent, is_own_parent = _find("own_parent", col(_staged.own_parent_id))
    previous, is_previous = _find("file_previous", col(_staged.previous_id))
    own_previous, is_own_previous = _find("own_previous", col(_staged.own_previous_id))
    parent_list = case(
        (col(parent.id).is_not(None), col(parent.list_id)), else_=col(own_parent.list_id)
    )
    follows_parent = and_(
        ~func.coalesce(col(_staged.has_list), true()), col(_staged.parent_id).is_not(None)
    )
    previous_id = func.coalesce(previous.id, own_previous.id)
    return (
        _staged_here(
            _was_written.label("was_written"),
            func.coalesce(parent.id, own_parent.id).label("parent_id"),
            func.nullif(previous_id, col(_current.id)).label("previous_id"),
            case((follows_parent, parent_list), else_=col(_current.list_id)).label("list_id"),
            col(_current.parent_id).label("current_parent_id"),
            col(_current.previous_id).label("current_previous_id"),
            col(_current.list_id).label("current_list_id"),
        )
        .outerjoin(parent, is_parent)
        .outerjoin(own_parent, is_own_parent)
        .outerjoin(previous, is_previous)
        .outerjoin(own_previous, is_own_previous)
        .where(col(_staged.is_planned))
        .cte("incoming")
    )


def _changed_links(incoming: CTE) -> CTE:
    """Select the rows whose links or list differ, numbered: first those not written yet."""
    new_values = tuple_(incoming.c.parent_id, incoming.c.previous_id, incoming.c.list_id)
    current_values = tuple_(
        incoming.c.current_parent_id, incoming.c.current_previous_id, incoming.c.current_list_id
    )
    order = (incoming.c.was_written, incoming.c.line)
    return (
        select(incoming, func.row_number().over(order_by=order).label("number"))
        .where(new_values.is_distinct_from(current_values))
        .where(incoming.c.parent_id.is_distinct_from(incoming.c.id))
        .cte("changed")
    )


def _take_versions(rows: CTE) -> tuple[ColumnElement[int], CTE]:
    """Raise the owner's counter by the rows that the import has not written before.

    A row that it has written keeps the version that it got then: nobody has seen that yet.

    Returns:
        The number of these rows, and the raised counter.
    """
    count = (
        select(func.count().filter(~rows.c.was_written).label("count"))
        .select_from(rows)
        .scalar_subquery()
    )
    counter_bump = (
        update(Owner)
        .where(col(Owner.id) == USER_ID, count > 0)
        .values(counter=col(Owner.counter) + count)
        .returning(col(Owner.counter))
        .cte("counter_bump")
    )
    return count, counter_bump


def _new_version(rows: CTE) -> ColumnElement[int]:
    """Return the version of a row: the numbers of the unwritten ones start at 1."""
    return case((rows.c.was_written, col(Task.version)), else_=col(Owner.counter) + rows.c.number)


def _link_tasks() -> Query:
    incoming = _incoming_links()
    changed = _changed_links(incoming)
    count, counter_bump = _take_versions(changed)
    new_values: dict[str, Any] = dict.fromkeys(MADE_COLUMNS, null())
    for name in ("parent_id", "previous_id", "list_id"):
        new_values[name] = changed.c[name]
    linked = (
        update(Task)
        .where(col(Owner.id) == USER_ID)
        .where(col(Task.id) == changed.c.id, is_owned(Task))
        .values(**new_values, version=_new_version(changed))
        .cte("linked")
    )
    own_parent_line = (
        select(func.min(incoming.c.line))
        .where(incoming.c.parent_id == incoming.c.id)
        .scalar_subquery()
    )
    return select(count.label("updated"), own_parent_line.label("own_parent_line")).add_cte(
        linked, counter_bump
    )


LINK_TASKS: Final = _link_tasks()
"""Link the staged tasks from `first_line` to `last_line`.

Returns how many tasks it `updated` that the import had left as they were, and the first line of a
task that is its own parent (`own_parent_line`), which it does not write.

Stages: `incoming`, the links as they shall be and as they are; `changed`, those that differ;
`linked` writes them, and `counter_bump` takes the versions.
"""


def _subtasks() -> Query:
    """Select the subtasks of the owner with their parents."""
    is_parent = and_(col(_parent.id) == col(_subtask.parent_id), is_owned(_parent))
    return (
        select()
        .select_from(_subtask)
        .join(_parent, is_parent)
        .where(col(_subtask.user_id) == USER_ID, col(_subtask.parent_id).is_not(None))
    )


def _check_links() -> Query:
    nested = col(_parent.parent_id).is_not(None)
    is_elsewhere = col(_subtask.list_id).is_distinct_from(col(_parent.list_id))
    recurs = col(_subtask.recurrence_rule).is_not(None)
    flaws = _subtasks().add_columns(
        func.coalesce(func.bool_or(or_(nested, recurs)), literal(value=False)).label("breaks_rule"),
        func.coalesce(func.bool_or(is_elsewhere), literal(value=False)).label("has_wanderers"),
    )
    task = columns_of(Task)
    crowded = (
        select(task["parent_id"])
        .where(task["user_id"] == USER_ID, task["parent_id"].is_not(None))
        .group_by(task["parent_id"])
        .having(func.count() > SUBTASKS_MAX)
    )
    return flaws.add_columns(exists(crowded).label("is_crowded"))


CHECK_LINKS: Final = _check_links()
"""Look for subtasks that break a rule, are too many, or are in another list than their parent.

Returns one row: `breaks_rule`, `is_crowded` and `has_wanderers`.
"""


def _find_conflicts() -> Query:
    incoming = _staged_here(
        col(_current.parent_id),
        col(_current.list_id),
        col(_current.recurrence_rule),
        func.coalesce(col(_staged.has_list), true()).label("has_list"),
    ).cte("incoming")
    subtask = columns_of(_subtask)
    of_incoming = and_(subtask["user_id"] == USER_ID, subtask["parent_id"] == incoming.c.id)
    siblings = and_(subtask["user_id"] == USER_ID, subtask["parent_id"] == incoming.c.parent_id)
    sibling_count = select(func.count()).where(siblings).scalar_subquery()
    elsewhere = and_(incoming.c.has_list, incoming.c.list_id.is_distinct_from(col(_parent.list_id)))
    conflict = case(
        (col(_parent.parent_id).is_not(None), "parent-is-subtask"),
        (incoming.c.recurrence_rule.is_not(None), "recurs"),
        (elsewhere, "elsewhere"),
        (exists().where(of_incoming), "has-subtasks"),
        (sibling_count > SUBTASKS_MAX, "too-many"),
    )
    conflicts = (
        select(incoming.c.line, conflict.label("conflict"))
        .select_from(incoming)
        .join(_parent, and_(col(_parent.id) == incoming.c.parent_id, is_owned(_parent)))
        .cte("conflicts")
    )
    return select(conflicts).where(conflicts.c.conflict.is_not(None)).order_by(conflicts.c.line)


FIND_CONFLICTS: Final = _find_conflicts()
"""Name the lines from `first_line` to `last_line` whose tasks break a rule, each with a `conflict`.

It is read only if there is a flaw: `CHECK_LINKS` finds that out for all lines at once.
"""


def _follow_parents() -> Query:
    was_written = col(_subtask.version) > VERSION_BEFORE
    order = (was_written, col(_subtask.version))
    wanderers = (
        _subtasks()
        .add_columns(
            col(_subtask.id),
            col(_parent.list_id),
            was_written.label("was_written"),
            func.row_number().over(order_by=order).label("number"),
        )
        .where(col(_subtask.list_id).is_distinct_from(col(_parent.list_id)))
        .cte("wanderers")
    )
    count, counter_bump = _take_versions(wanderers)
    new_values: dict[str, Any] = dict.fromkeys(MADE_COLUMNS, null())
    updated_at = case((wanderers.c.was_written, col(Task.updated_at)), else_=NOW)
    followed = (
        update(Task)
        .where(col(Owner.id) == USER_ID)
        .where(col(Task.id) == wanderers.c.id, is_owned(Task))
        .values(
            **new_values,
            list_id=wanderers.c.list_id,
            version=_new_version(wanderers),
            updated_at=updated_at,
        )
        .cte("followed")
    )
    return select(count.label("followed")).add_cte(followed, counter_bump)


FOLLOW_PARENTS: Final = _follow_parents()
"""Move the subtasks that are in another list than their parent there, each with a version.

Those of the file that say so themselves were rejected before.
"""
