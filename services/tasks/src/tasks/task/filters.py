"""The query parameters of GET /tasks; the filters are also those of changes of many tasks."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from tasks.core.pagination import CreatedAtCursor, Cursor
from tasks.core.types import PageSize, QueryBool, Status
from tasks.core.types.query import LabelChoice, ListChoice, ParentChoice, PriorityChoice, Sort
from tasks.core.types.texts import SearchText
from tasks.task.due import Day, TimeZone
from tasks.task.schemas import UserIdQuery


class TaskFilters(UserIdQuery):
    """Which tasks are meant: those that match all filters."""

    repeatable: ClassVar = frozenset({"label", "priority"})

    is_completed: QueryBool | None = None
    status: Status | None = None
    q: SearchText | None = None
    list_id: ListChoice = None
    label: LabelChoice | None = None
    priority: PriorityChoice | None = None
    due_before: Annotated[Day, Field(description="Due before this day.")] | None = None
    due_after: Annotated[Day, Field(description="Due after this day.")] | None = None
    overdue: QueryBool | None = Field(
        default=None, description="Whether the task is past its due date and not completed."
    )
    time_zone: TimeZone | None = Field(
        default=None, description="The user's time zone, for `overdue`; UTC if absent."
    )
    parent_id: ParentChoice = None

    @property
    def completed(self) -> bool | None:
        """The state of the tasks; None for both."""
        if self.status:
            return self.status == "completed"
        return self.is_completed

    @property
    def is_inbox(self) -> bool:
        """Whether only tasks without a list are meant (`list_id=none`)."""
        return "list_id" in self.model_fields_set and self.list_id is None

    @property
    def is_without_parent(self) -> bool:
        """Whether only tasks that are no subtasks are meant (`parent_id=none`)."""
        return "parent_id" in self.model_fields_set and self.parent_id is None

    @model_validator(mode="after")
    def _check_spellings(self) -> Self:
        if self.status and self.is_completed is not None and self.is_completed != self.completed:
            raise PydanticCustomError(
                "contradiction", "is_completed and status contradict each other."
            )
        return self


class TaskQuery(TaskFilters):
    """Filters, order and page of a list of tasks."""

    limit: PageSize | None = None
    cursor: Cursor | None = None
    sort: Sort | None = None

    @property
    def order(self) -> str:
        """The sort; lists and subtasks have by default the order that the user arranged by hand."""
        if self.sort:
            return self.sort
        if "list_id" in self.model_fields_set or self.parent_id is not None:
            return "position"
        return "created_at"

    @model_validator(mode="after")
    def _check_cursor(self) -> Self:
        if self.cursor and self.order != self._order_of_cursor():
            raise PydanticCustomError("cursor_parsing", "This is no cursor of this list.")
        return self

    def _order_of_cursor(self) -> str | None:
        if self.cursor is None:
            return None
        if isinstance(self.cursor, CreatedAtCursor):
            return "created_at"
        return self.cursor.sort
