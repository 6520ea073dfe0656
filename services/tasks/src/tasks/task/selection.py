"""Lists of tasks: the statement and the parameters for a query, and the cursors of its pages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Executable

from common.database import Row
from tasks.core.pagination import CreatedAtCursor, NullSortCursor, SortCursor, TaskCursor
from tasks.core.types.names import fold
from tasks.limits import PRIORITIES
from tasks.task.filters import TaskFilters, TaskQuery
from tasks.task.queries.listing import list_tasks


@dataclass(frozen=True, slots=True)
class Conditions:
    """The filters of a query, as statements take them.

    Attributes:
        names: Names of `queries.listing.FILTERS`.
        params: Parameters of these filters.
    """

    names: frozenset[str]
    params: Row

    @classmethod
    def from_filters(cls, filters: TaskFilters) -> "Conditions":
        """Read the filters. Where they depend on the time, the clock is read here, once."""
        values: dict[str, object] = {
            "is_completed": filters.completed,
            "q": filters.q,
            "list_id": filters.list_id,
            "labels": _folded_names(filters.label or []),
            "priorities": _priority_numbers(filters.priority or []),
            "due_before": filters.due_before,
            "due_after": filters.due_after,
            "parent_id": filters.parent_id,
        }
        params = {name: value for name, value in values.items() if value is not None}
        names = set(params)
        if filters.is_inbox:
            names.add("in_inbox")
        if filters.is_without_parent:
            names.add("without_parent")
        if filters.overdue is not None:
            names.add("overdue" if filters.overdue else "not_overdue")
            now = datetime.now(UTC)
            params["now"] = now
            params["today"] = now.astimezone(ZoneInfo(filters.time_zone or "UTC")).date()
        return cls(frozenset(names), params)


@dataclass(frozen=True, slots=True)
class TaskSelection:
    """The tasks that a query selects, in its order.

    Attributes:
        sort: What they are sorted by; `created_at` is the default order.
        filters: Names of the filters that all of them match.
        params: Parameters of the filters.
    """

    sort: str
    filters: frozenset[str]
    params: Row

    @classmethod
    def from_query(cls, query: TaskQuery, other_filters: Iterable[str] = ()) -> "TaskSelection":
        """Read the filters of a query, and add others. All pages of a list mean the same moment."""
        conditions = Conditions.from_filters(query)
        return cls(query.order, conditions.names.union(other_filters), conditions.params)

    def statement(self, after: TaskCursor | None) -> Executable:
        """Return the statement that lists the tasks after a cursor, or from the start."""
        cursor_type = None if after is None else type(after)
        return list_tasks(self.filters, self.sort, cursor_type)

    def params_after(self, after: TaskCursor | None) -> dict[str, object]:
        """Return the parameters of `statement`, but for user, limit and `if_none_match`."""
        params = dict(self.params)
        if after is None:
            return params
        params["after_id"] = after.id
        if isinstance(after, CreatedAtCursor):
            params["after_created_at"] = after.created_at
        elif isinstance(after, SortCursor):
            params["after_value"] = after.value
        return params

    def cursor_of(self, task: Row) -> TaskCursor:
        """Return the cursor for the tasks after one that `statement` has returned."""
        task_id = cast("UUID", task["id"])
        if self.sort == "created_at":
            created_at = datetime.fromisoformat(cast("str", task["created_at"]))
            return CreatedAtCursor(created_at, task_id)
        value = cast("str | None", task["value"])
        if value is None:
            return NullSortCursor(self.sort, task_id)
        return SortCursor(self.sort, task_id, value)


def _folded_names(names: Sequence[str]) -> list[str] | None:
    return sorted({fold(name) for name in names}) or None


def _priority_numbers(words: Sequence[str]) -> list[int] | None:
    return [PRIORITIES.index(word) for word in words] or None
