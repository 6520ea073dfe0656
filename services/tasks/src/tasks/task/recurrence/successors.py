"""What follows a completed task: its id, its due date and its rule."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from enum import StrEnum
from typing import Final, Self, cast
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from tasks.task.due import FIRST_YEAR, LAST_YEAR, moved_instant
from tasks.task.recurrence.occurrences import in_thread, next_occurrence
from tasks.task.recurrence.rule import RecurrenceRule, parse_rule

_SUCCESSOR: Final = "successor"

_ONE_DAY: Final = timedelta(days=1)


class RecurrenceStart(StrEnum):
    """From which day the next one is computed: the field `from`."""

    DUE = "due"
    COMPLETION = "completion"


@dataclass(frozen=True)
class Recurrence:
    """How a task repeats."""

    rule: RecurrenceRule
    starts_from: RecurrenceStart

    @classmethod
    def from_columns(cls, row: Mapping[str, object]) -> Self | None:
        """Return the recurrence that a row of `tasks` has in its columns, if it has one."""
        rule = cast("str | None", row["recurrence_rule"])
        if rule is None:
            return None
        return cls(parse_rule(rule), RecurrenceStart(cast("str", row["recurrence_from"])))


@dataclass(frozen=True)
class DueDate:
    """The due date of a task. It has a time and a time zone, or neither."""

    date: date
    time: time_of_day | None = None
    time_zone: str | None = None

    @classmethod
    def from_columns(cls, row: Mapping[str, object], prefix: str = "") -> Self | None:
        """Return the due date that a row has in its columns, if it has one.

        Args:
            row: The columns of `tasks`.
            prefix: What comes before their names.
        """
        day = cast("date | None", row[f"{prefix}due_date"])
        if day is None:
            return None
        clock = cast("time_of_day | None", row[f"{prefix}due_time"])
        return cls(day, clock, cast("str | None", row[f"{prefix}due_time_zone"]))

    @property
    def at(self) -> datetime | None:
        """The instant, if there is a time; a time that clocks skip is moved forward."""
        if self.time is None or self.time_zone is None:
            return None
        return moved_instant(self.date, self.time, self.time_zone)


@dataclass(frozen=True)
class Successor:
    """What of a successor is not copied from the completed task."""

    id: UUID
    due: DueDate
    rule: RecurrenceRule


def successor_id(task_id: UUID) -> UUID:
    """Return the id of the task that follows this one, or of the copy of this subtask.

    It is the same on every device: whoever completes the task, however often, makes one successor.
    """
    return uuid5(task_id, _SUCCESSOR)


def plan_successor(
    task_id: UUID, due: DueDate, recurrence: Recurrence, completed_at: datetime
) -> Successor | None:
    """Return what follows a task that is completed at that instant; None if it was the last one."""
    rule = recurrence.rule.counted_down()
    if rule is None:
        return None
    start = due.date
    after = completion_day(completed_at, due.time_zone)
    if recurrence.starts_from is RecurrenceStart.COMPLETION:
        start = after
    elif after < due.date:
        after = due.date
    day = next_occurrence(rule, start, after)
    if day is None:
        return None
    return Successor(successor_id(task_id), replace(due, date=day), rule)


async def find_successor(
    task_id: UUID, due: DueDate, recurrence: Recurrence, completed_at: datetime
) -> Successor | None:
    """Do as `plan_successor`, in a thread."""
    return await in_thread(plan_successor, task_id, due, recurrence, completed_at)


def completion_day(completed_at: datetime, time_zone: str | None) -> date:
    """Return the day that the calendar shows in that zone, or else in UTC."""
    return completed_at.astimezone(_zone(time_zone)).date()


def day_ends_at(completed_at: datetime, time_zone: str | None) -> datetime:
    """Return the first instant after this one at which the calendar shows a later day."""
    zone = _zone(time_zone)
    day = completion_day(completed_at, time_zone)
    midnight = datetime.combine(day + _ONE_DAY, time_of_day(), zone)
    # Where clocks go back across midnight, the next day begins twice.
    for fold in (0, 1):
        moment = midnight.replace(fold=fold).astimezone(UTC)
        if moment > completed_at and completion_day(moment, time_zone) > day:
            break
    return moment


def move_subtask_due(
    subtask_due: DueDate, parent_due: DueDate, next_due: DueDate
) -> DueDate | None:
    """Move the due date of a subtask by as many days as its parent's; None outside 1970 to 2200."""
    day = subtask_due.date + (next_due.date - parent_due.date)
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return None
    return replace(subtask_due, date=day)


def _zone(time_zone: str | None) -> ZoneInfo:
    return ZoneInfo(time_zone or "UTC")
