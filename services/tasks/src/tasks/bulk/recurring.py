"""What the completion of many tasks makes: the successors of those that repeat."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, cast
from uuid import UUID

from common.context import RequestContext
from common.database import Row, fetch_all
from common.problems import Unprocessable
from tasks.bulk.queries.successors import read_recurring, read_subtasks
from tasks.task.recurrence.occurrences import in_thread
from tasks.task.recurrence.successors import (
    DueDate,
    Recurrence,
    Successor,
    day_ends_at,
    move_subtask_due,
    plan_successor,
    successor_id,
)
from tasks.task.selection import Conditions

RECURRING_MAX: Final = 100
"""Tasks that get a successor in one request."""

_BATCH_ROWS: Final = 100
"""Tasks whose successors are computed before the rules of other users get their turn."""

_DUE_COLUMNS: Final = ("due_date", "due_time", "due_time_zone")


@dataclass(frozen=True, slots=True)
class _Planned:
    due: DueDate
    successor: Successor


@dataclass(slots=True)
class _NewTasks:
    """Arrays of parameters, one item for each new task."""

    source_ids: list[UUID] = field(default_factory=list[UUID])
    ids: list[UUID] = field(default_factory=list[UUID])
    due_dates: list[date | None] = field(default_factory=list[date | None])
    due_ats: list[datetime | None] = field(default_factory=list[datetime | None])
    rules: list[str | None] = field(default_factory=list[str | None])

    def add(self, source_id: UUID, new_id: UUID, due: DueDate | None, rule: str | None) -> None:
        self.source_ids.append(source_id)
        self.ids.append(new_id)
        self.due_dates.append(due and due.date)
        self.due_ats.append(due and due.at)
        self.rules.append(rule)

    def params(self, source_name: str, prefix: str) -> dict[str, object]:
        return {
            source_name: self.source_ids,
            f"{prefix}_ids": self.ids,
            f"{prefix}_due_dates": self.due_dates,
            f"{prefix}_due_ats": self.due_ats,
            f"{prefix}_rules": self.rules,
        }


async def plan_successors(
    context: RequestContext, conditions: Conditions, params: Row
) -> dict[str, object]:
    """Read the tasks that repeat, and return the parameters with which a change completes them.

    Raises:
        Unprocessable: More than `RECURRING_MAX` tasks would get a successor.
    """
    rows = await fetch_all(
        context.database,
        read_recurring(conditions.names),
        dict(conditions.params),
        current_user_id=context.user.id,
    )
    if not rows:
        return {"expected_counter": 0, "day_ends_at": None} | _params({}, [], params)
    now = cast("datetime", rows[0]["now"])
    recurring = [row for row in rows if row["id"] is not None]
    planned: dict[UUID, _Planned] = {}
    day_ends: list[datetime] = []
    for first in range(0, len(recurring), _BATCH_ROWS):
        batch = recurring[first : first + _BATCH_ROWS]
        # In the thread, and in batches: neither the event loop nor other users' rules wait long.
        batch_planned, batch_ends_at = await in_thread(_plan_batch, batch, params, now)
        planned.update(batch_planned)
        day_ends.append(batch_ends_at)
        if len(planned) > RECURRING_MAX:
            raise Unprocessable(
                "too-many-recurring",
                f"At most {RECURRING_MAX} tasks that repeat can be completed in one request.",
            )
    subtasks: Sequence[Row] = []
    if planned:
        subtasks = await fetch_all(
            context.database,
            read_subtasks(conditions.names),
            dict(conditions.params),
            current_user_id=context.user.id,
            parent_ids=list(planned),
        )
    times = {"expected_counter": rows[0]["counter"], "day_ends_at": min(day_ends, default=None)}
    return times | _params(planned, subtasks, params)


def _params(
    planned: dict[UUID, _Planned], subtasks: Sequence[Row], params: Row
) -> dict[str, object]:
    successors = _NewTasks()
    for task_id, plan in planned.items():
        successor = plan.successor
        successors.add(task_id, successor.id, successor.due, successor.rule.text)
    copies = _NewTasks()
    for row in subtasks:
        subtask_id = cast("UUID", row["id"])
        plan = planned[cast("UUID", row["parent_id"])]
        due = _due_after(row, params) if row["is_matched"] else DueDate.from_columns(row)
        if due is not None:
            due = move_subtask_due(due, plan.due, plan.successor.due)
        copies.add(subtask_id, successor_id(subtask_id), due, None)
    return successors.params("completed_ids", "successor") | copies.params("subtask_ids", "copy")


def _plan_batch(
    rows: Sequence[Row], params: Row, now: datetime
) -> tuple[dict[UUID, _Planned], datetime]:
    """Return the successors of some tasks, and until when they are right."""
    planned: dict[UUID, _Planned] = {}
    day_ends: list[datetime] = []
    for row in rows:
        task_id = cast("UUID", row["id"])
        due = _due_after(row, params)
        recurrence = Recurrence.from_columns(row)
        if due is None or recurrence is None:
            continue  # a release before recurrence has cleared the due date
        day_ends.append(day_ends_at(now, due.time_zone))
        successor = plan_successor(task_id, due, recurrence, now)
        if successor is not None:
            planned[task_id] = _Planned(due, successor)
    return planned, min(day_ends, default=day_ends_at(now, None))


def _due_after(row: Row, params: Row) -> DueDate | None:
    """Return the due date of a task that matches, as the change leaves it."""
    if not params["sets_due"]:
        return DueDate.from_columns(row)
    return DueDate.from_columns({name: params[f"new_{name}"] for name in _DUE_COLUMNS})
