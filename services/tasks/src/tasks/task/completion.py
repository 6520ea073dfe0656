"""Completing and reopening tasks that repeat, and what a recurrence or a due date must fulfil.

A change is one statement. Some changes depend on more than a statement can find out alone: when a
task is due next, or whether a value is sent back unchanged. They read the task, decide, and then
write on the condition that nobody has written for the user since. If somebody has, they begin
again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, cast
from uuid import UUID

from pydantic_core import PydanticCustomError
from sqlalchemy import Executable
from typing_extensions import TypedDict

from common.context import RequestContext
from common.database import Row, fetch_all, fetch_one
from common.problems import FieldError, Unprocessable
from tasks.core.conflicts import ConflictCode, raise_conflict
from tasks.core.context import ChangeLimits
from tasks.task.columns import EDITABLE_COLUMNS
from tasks.task.due import Due, require_moved_time, skipped_time
from tasks.task.queries.change import change_task
from tasks.task.queries.complete import complete_task
from tasks.task.queries.occurrences import READ_FOR_CHANGE
from tasks.task.queries.reopen import reopen_task
from tasks.task.recurrence.occurrences import will_occur_within_40_years
from tasks.task.recurrence.rule import parse_rule
from tasks.task.recurrence.successors import (
    DueDate,
    Recurrence,
    Successor,
    day_ends_at,
    find_successor,
    move_subtask_due,
    successor_id,
)
from tasks.task.schemas import PlanningFields, TaskChange, TaskReplace

_COLUMNS: Final = {column.name: column for column in EDITABLE_COLUMNS}


class Parts(TypedDict):
    """What the statement of a change has to do beside setting columns."""

    with_labels: bool
    with_place: bool


@dataclass(frozen=True, slots=True)
class StatementParams:
    """A statement that changes a task, and its parameters."""

    statement: Executable
    params: Row


async def check_new_task(task: PlanningFields) -> None:
    """Check the recurrence of a task that is created.

    Raises:
        Unprocessable: It has no due date, or no occurrence.
    """
    if task.recurrence is None:
        return
    if task.due is None:
        raise_conflict(ConflictCode.RECURRENCE_WITHOUT_DUE)
    await _require_occurrence(task.recurrence.rule, task.due.date)


def check_restored_due(due: Due | None) -> None:
    """Check the due date of a task that a client creates with its own id, perhaps again.

    A time that clocks skip is taken with the instant that the service gave it.

    Raises:
        Unprocessable: Clocks skip the time.
    """
    try:
        require_moved_time(due)
    except PydanticCustomError:
        _raise_skipped_time()


def parts_of(change: TaskChange | TaskReplace) -> Parts:
    """Return the parts that the fields of a change need."""
    fields = change.model_fields_set
    has_place = not fields.isdisjoint({"list_id", "parent_id"})
    return {"with_labels": "labels" in fields, "with_place": has_place}


async def must_read_first(change: TaskChange | TaskReplace) -> bool:
    """Whether the stored task decides if the due date or the recurrence of a change is accepted."""
    sent_fields = change.model_fields_set
    due = change.due
    if due is not None and due.is_skipped:
        return True
    if "recurrence" not in sent_fields or change.recurrence is None:
        return False
    if "due" not in sent_fields:
        return True
    if due is None:
        return False  # no recurrence without one: the statement says so
    rule = parse_rule(change.recurrence.rule)
    return not await will_occur_within_40_years(rule, due.date)


async def read_and_change(
    context: RequestContext,
    change: TaskChange | TaskReplace,
    params: Mapping[str, object],
    limits: ChangeLimits,
) -> Row | None:
    """Change a task by what was read of it; make its successor, or take that back.

    Args:
        context: The user and the database.
        change: The body of the request.
        params: The parameters of `change_task`.
        limits: How many tasks the user may have, and how long tombstones are kept.

    Returns:
        The row of `change_task`; None if the user has no such task.

    Raises:
        Unprocessable: The recurrence has no occurrence, or clocks skip the time of the due date.
    """
    while True:
        rows = await fetch_all(context.database, READ_FOR_CHANGE, params)
        await _check_change(change, rows, params)
        if not rows:
            return None
        decided = await _decide(rows, params, parts_of(change))
        row = await fetch_one(
            context.database,
            decided.statement,
            dict(params) | dict(decided.params),
            expected_counter=rows[0]["counter"],
            quota=limits.tasks_max,
            retention=limits.retention,
        )
        if row is None or row["conflict"] != ConflictCode.STALE:
            return row


async def _check_change(change: TaskChange | TaskReplace, rows: Sequence[Row], params: Row) -> None:
    """Check what is only accepted if it is sent back unchanged."""
    if change.due is not None and change.due.is_skipped:
        sent_due = DueDate(change.due.date, change.due.clock, change.due.time_zone)
        if not rows or DueDate.from_columns(rows[0]) != sent_due:
            _raise_skipped_time()
    if not rows or change.recurrence is None:
        return
    due = DueDate.from_columns(_values_after(rows[0], params))
    if due is not None and change.recurrence.rule != rows[0]["recurrence_rule"]:
        await _require_occurrence(change.recurrence.rule, due.date)


async def _decide(rows: Sequence[Row], params: Row, parts: Parts) -> StatementParams:
    """Choose the statement: whether it makes a successor, takes it back, or leaves it alone."""
    stored = rows[0]
    after = _values_after(stored, params)
    if stored["is_completed"]:
        # A task that points to its successor cannot be unlinked from it in the same statement.
        points_to_successor = stored["next_id"] in (params["new_parent_id"], stored["previous_id"])
        is_taken_back = stored["next_is_untouched"] and not points_to_successor
        if not after["is_completed"] and is_taken_back:
            statement = reopen_task(**parts)
            return StatementParams(
                statement, {"successor_id": stored["next_id"], "day_ends_at": None}
            )
    elif after["is_completed"] and stored["next_id"] is None:
        return await _complete(rows, after, params, parts)
    return _leave_successor(parts)


def _leave_successor(parts: Parts, ends_at: datetime | None = None) -> StatementParams:
    statement = change_task(**parts, was_read=True)
    return StatementParams(statement, {"day_ends_at": ends_at})


async def _complete(rows: Sequence[Row], after: Row, params: Row, parts: Parts) -> StatementParams:
    due = DueDate.from_columns(after)
    recurrence = Recurrence.from_columns(after)
    if due is None or recurrence is None:
        return _leave_successor(parts)
    completed_at = cast("datetime", rows[0]["now"])
    ends_at = day_ends_at(completed_at, due.time_zone)
    successor = await find_successor(
        cast("UUID", params["target_id"]), due, recurrence, completed_at
    )
    if successor is None:
        return _leave_successor(parts, ends_at)
    successor_params: dict[str, object] = {
        "successor_id": successor.id,
        "successor_due_date": successor.due.date,
        "successor_due_at": successor.due.at,
        "successor_rule": successor.rule.text,
        "day_ends_at": ends_at,
    }
    successor_params.update(_copy_params(rows, due, successor))
    return StatementParams(complete_task(**parts), successor_params)


def _copy_params(rows: Sequence[Row], due: DueDate, successor: Successor) -> dict[str, object]:
    """Return ids and due dates of the copies of the subtasks."""
    subtask_ids: list[UUID] = []
    due_dates: list[date | None] = []
    due_ats: list[datetime | None] = []
    for row in rows:
        subtask_id = cast("UUID | None", row["subtask_id"])
        if subtask_id is None:
            continue
        subtask_ids.append(subtask_id)
        subtask_due = DueDate.from_columns(row, "subtask_")
        copy_due: DueDate | None = None
        if subtask_due is not None:
            copy_due = move_subtask_due(subtask_due, due, successor.due)
        due_dates.append(copy_due and copy_due.date)
        due_ats.append(copy_due and copy_due.at)
    return {
        "subtask_ids": subtask_ids,
        "copy_ids": [successor_id(subtask_id) for subtask_id in subtask_ids],
        "copy_due_dates": due_dates,
        "copy_due_ats": due_ats,
    }


def _values_after(stored: Row, params: Row) -> Row:
    """Return the editable columns of `READ_FOR_CHANGE` as the change leaves them."""
    after: dict[str, object] = {}
    for name, column in _COLUMNS.items():
        if name not in stored:
            continue
        value = params[column.param_name]
        is_set = params[column.flag_name] if column.is_nullable else value is not None
        after[name] = value if is_set else stored[name]
    return after


async def _require_occurrence(rule: str, due: date) -> None:
    if not await will_occur_within_40_years(parse_rule(rule), due):
        raise Unprocessable(
            "recurrence-never", "The rule has no occurrence within 40 years from the due date on."
        )


def _raise_skipped_time() -> None:
    error = skipped_time()
    field_error = FieldError(location=["body", "due"], code=error.type, message=error.message())
    raise Unprocessable("invalid-body", "The body breaks a rule.", errors=[field_error])
