"""The columns of a task that clients can edit, each listed once.

Parameters, INSERT, PATCH, PUT, import and the idempotency fingerprint are derived from
`EDITABLE_COLUMNS`. Types, nullability and defaults are those of `models.Task`. Responses and
exports are derived from `schemas.TaskRead` (see `projection`). `docs/extending.md` adds a field
step by step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum, auto
from functools import cached_property
from typing import Any, Final

from sqlalchemy import BindParameter, Boolean, ColumnElement, bindparam, case, func

from tasks.limits import PRIORITIES
from tasks.model_base import Columns, columns_of
from tasks.models import Task
from tasks.task.schemas import PlanningFields


class FingerprintPart(Enum):
    """How a column is part of the fingerprint of a request with an `Idempotency-Key`."""

    ALWAYS = auto()
    """As it is, null included."""

    UNLESS_DEFAULT = auto()
    """As text, but only if it is not the default.

    Requests without the field then keep the fingerprint that they had before the field existed.
    """

    NEVER = auto()
    """Not at all: other columns imply it."""


@dataclass(frozen=True)
class EditableColumn:
    """A column of `tasks` that clients can edit.

    Attributes:
        name: The column in `models.Task` and `models.StagedTask`.
        fields: The fields of a request that set it; none if there is one of the column's name.
        read: Returns the value to store from a request or an imported task. None if that is the
            value of the field.
        is_planning: Whether a PUT without the field leaves the column as it is; if not, it resets
            the column. True for every new field, because older clients send a PUT without it.
        fingerprint_part: How it is part of the idempotency fingerprint.
    """

    name: str
    fields: tuple[str, ...] = ()
    read: Callable[[PlanningFields], object] | None = None
    is_planning: bool = True
    fingerprint_part: FingerprintPart = FingerprintPart.UNLESS_DEFAULT

    @cached_property
    def request_fields(self) -> tuple[str, ...]:
        """The fields of a request that set the column."""
        return self.fields or (self.name,)

    @cached_property
    def default(self) -> object:
        """The value of a new task without the field."""
        return Task.model_fields[self.name].default

    @cached_property
    def is_nullable(self) -> bool:
        """Whether null can be stored. If not, null in a change leaves the column as it is."""
        return bool(columns_of(Task)[self.name].nullable)

    @property
    def param(self) -> BindParameter[Any]:
        """The parameter with the value to store."""
        return bindparam(self.param_name, type_=columns_of(Task)[self.name].type)

    @cached_property
    def param_name(self) -> str:
        """Never the column's own name: SQLAlchemy would set the column to it."""
        return f"new_{self.name}"

    @property
    def flag(self) -> BindParameter[bool]:
        """The parameter of a change that tells whether a nullable column is set."""
        return bindparam(self.flag_name, type_=Boolean)

    @cached_property
    def flag_name(self) -> str:
        """One name for all columns that a field sets."""
        return f"sets_{self.request_fields[0]}"

    @property
    def new_value(self) -> ColumnElement[Any]:
        """What the column gets by a change: the parameter, or what it has."""
        return self.new_value_in(columns_of(Task))

    def new_value_in(self, row: Columns) -> ColumnElement[Any]:
        """Return what the column gets by a change of a row.

        Args:
            row: The columns of `tasks`, or of a CTE that has all of them.
        """
        current = row[self.name]
        if self.is_nullable:
            return case((self.flag, self.param), else_=current)
        return func.coalesce(self.param, current)

    def value_in(self, task: PlanningFields) -> object:
        """Return the value to store; the default of the field if it was not sent."""
        if self.read is None:
            return getattr(task, self.name)
        return self.read(task)


def _is_completed(task: PlanningFields) -> bool:
    return bool(task.completed)


def _due_date(task: PlanningFields) -> date | None:
    if task.due is None:
        return None
    return task.due.date


def _due_time(task: PlanningFields) -> time | None:
    if task.due is None:
        return None
    return task.due.clock


def _due_at(task: PlanningFields) -> datetime | None:
    if task.due is None:
        return None
    return task.due.moment


def _due_time_zone(task: PlanningFields) -> str | None:
    if task.due is None:
        return None
    return task.due.time_zone


def _recurrence_rule(task: PlanningFields) -> str | None:
    if task.recurrence is None:
        return None
    return task.recurrence.rule


def _recurrence_from(task: PlanningFields) -> str | None:
    if task.recurrence is None:
        return None
    return task.recurrence.start


def _priority(task: PlanningFields) -> int:
    return PRIORITIES.index(task.priority)


EDITABLE_COLUMNS: Final = (
    EditableColumn("title", is_planning=False, fingerprint_part=FingerprintPart.ALWAYS),
    EditableColumn("description", is_planning=False, fingerprint_part=FingerprintPart.ALWAYS),
    EditableColumn(
        "is_completed",
        fields=("is_completed", "status"),
        read=_is_completed,
        is_planning=False,
        fingerprint_part=FingerprintPart.ALWAYS,
    ),
    EditableColumn("list_id"),
    EditableColumn("due_date", fields=("due",), read=_due_date),
    EditableColumn(
        "due_time", fields=("due",), read=_due_time, fingerprint_part=FingerprintPart.NEVER
    ),
    EditableColumn("due_at", fields=("due",), read=_due_at),
    EditableColumn("due_time_zone", fields=("due",), read=_due_time_zone),
    EditableColumn("priority", read=_priority),
    EditableColumn("recurrence_rule", fields=("recurrence",), read=_recurrence_rule),
    EditableColumn("recurrence_from", fields=("recurrence",), read=_recurrence_from),
    EditableColumn("parent_id"),
)
"""In the order in which they are part of the fingerprint: new columns come last."""
