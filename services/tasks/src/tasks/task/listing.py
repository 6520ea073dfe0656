"""Which of their tasks a caller is shown, as a statement and its values."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Executable

from common.database import Row
from tasks.core.pagination import CreatedAtCursor, NullSortCursor, SortCursor, TaskCursor
from tasks.core.types import PRIORITIES
from tasks.core.types.names import fold
from tasks.task.filters import TaskQuery
from tasks.task.queries.listing import list_tasks

_ONLY_VALUES = frozenset({"now", "today"})


class Selection:
    """The tasks that a query asks for, in its order. The clock is read once: all pages of a list mean one moment."""

    def __init__(self, query: TaskQuery) -> None:
        asked = dict(_asked(query))
        self._order = query.order
        self._filters = frozenset(asked) - _ONLY_VALUES
        self._values = {name: value for name, value in asked.items() if value is not None}

    def statement(self, behind: TaskCursor | None) -> Executable:
        """Return the statement that lists what is behind a place."""
        is_plain = self._order == "created_at"
        return list_tasks(self._filters, self._order, is_plain=is_plain, behind=_place(behind).kind)

    def values(self, behind: TaskCursor | None) -> Row:
        """Return what that statement is run with, beside the owner, the limit and the versions that were seen."""
        return {**self._values, **_place(behind).values}

    def position(self, task: Row) -> TaskCursor:
        """Return the place of a task that the statement has returned."""
        task_id = cast("UUID", task["id"])
        if self._order == "created_at":
            return CreatedAtCursor(datetime.fromisoformat(cast("str", task["created_at"])), task_id)
        value = cast("str | None", task["value"])
        if value is None:
            return NullSortCursor(self._order, task_id)
        return SortCursor(self._order, task_id, value)


class _Place(NamedTuple):
    """What is known of the last task of the page before, and the values that say it."""

    kind: str | None
    values: Row


def _asked(query: TaskQuery) -> Iterator[tuple[str, object]]:
    """Give each filter that is used, with its value; some have none."""
    plain = {
        "is_completed": query.completed,
        "q": query.q,
        "due_before": query.due_before,
        "due_after": query.due_after,
    }
    yield from ((name, value) for name, value in plain.items() if value is not None)
    if "list_id" in query.model_fields_set:
        yield ("list_id", query.list_id) if query.list_id else ("in_inbox", None)
    if query.label:
        yield "labels", sorted({fold(name) for name in query.label})
    if query.priority:
        yield "priorities", [PRIORITIES.index(word) for word in query.priority]
    if query.overdue is not None:
        now = datetime.now(UTC)
        yield from {
            "now": now,
            "today": now.astimezone(ZoneInfo(query.time_zone or "UTC")).date(),
        }.items()
        yield "overdue" if query.overdue else "not_overdue", None


def _place(behind: TaskCursor | None) -> _Place:
    if behind is None:
        return _Place(None, {})
    if isinstance(behind, CreatedAtCursor):
        return _Place("time", {"after_time": behind.created_at, "after_id": behind.id})
    if isinstance(behind, NullSortCursor):
        return _Place("nothing", {"after_id": behind.id})
    return _Place("value", {"after_value": behind.value, "after_id": behind.id})
