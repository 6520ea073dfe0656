"""How tasks are shown to clients: one SQL expression for each field of `TaskRead`, in its order."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Text,
    case,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON
from sqlmodel import col

from tasks.core.projections import position_text, time_text
from tasks.limits import PRIORITIES
from tasks.model_base import Columns, columns_of
from tasks.models import Label, Task, TaskLabel
from tasks.task.schemas import TaskRead

# Constants are part of the SQL text: each parameter costs something in every request.
_TIME_OF_DAY = literal_column("'HH24:MI'", Text)
_PRIORITY_WORDS = {
    literal_column(f"{number}", Integer): literal_column(f"'{word}'", Text)
    for number, word in enumerate(PRIORITIES)
}


def task_fields(task: Columns, labels: ColumnElement[Sequence[str]]) -> list[ColumnElement[Any]]:
    """Return the expressions of all fields of `TaskRead`.

    A field that has none of its own shows the column of the same name.

    Args:
        task: The columns of `tasks`, or of a CTE that has all of them.
        labels: The names of the task's labels, in alphabetical order.
    """
    priority = case(_PRIORITY_WORDS, value=task["priority"])
    expressions = {
        "due": _due_fields(task).label("due"),
        "priority": priority.label("priority"),
        "labels": labels.label("labels"),
        "position": position_text(task).label("position"),
        "recurrence": _recurrence_fields(task).label("recurrence"),
    }
    projection: list[ColumnElement[Any]] = []
    for field in TaskRead.__annotations__:
        if field in expressions:
            projection.append(expressions[field])
        else:
            projection.append(_column_as_text(task, field))
    return projection


def label_names_of(task: Columns) -> ColumnElement[Sequence[str]]:
    """Return the names of the stored labels of a task, in alphabetical order."""
    names = (
        select(col(Label.name))
        .join(TaskLabel, col(TaskLabel.label_id) == col(Label.id))
        .where(col(TaskLabel.user_id) == task["user_id"], col(TaskLabel.task_id) == task["id"])
        .where(col(Label.user_id) == task["user_id"])
        .order_by(col(Label.folded_name))
    )
    return func.array(names.scalar_subquery(), type_=ARRAY(Text))


def _column_as_text(task: Columns, name: str) -> ColumnElement[Any]:
    column = task[name]
    if isinstance(column.type, DateTime):
        return time_text(column).label(name)
    return column


def _due_fields(task: Columns) -> ColumnElement[object]:
    # The stored date and time, not the instant in its zone: the zones of the database may have
    # other rules than those by which the instant was computed.
    date = task["due_date"]
    document = func.json_build_object(
        literal_column("'date'", Text),
        date,
        literal_column("'time'", Text),
        func.to_char(task["due_time"], _TIME_OF_DAY),
        literal_column("'time_zone'", Text),
        task["due_time_zone"],
        literal_column("'at'", Text),
        time_text(task["due_at"]),
        type_=JSON,
    )
    return case((date.is_not(None), document))


def _recurrence_fields(task: Columns) -> ColumnElement[object]:
    rule = task["recurrence_rule"]
    document = func.json_build_object(
        literal_column("'rule'", Text),
        rule,
        literal_column("'from'", Text),
        task["recurrence_from"],
        type_=JSON,
    )
    return case((rule.is_not(None), document))


TASK_PROJECTION: Final = task_fields(columns_of(Task), label_names_of(columns_of(Task)))
"""A stored task as clients see it."""
