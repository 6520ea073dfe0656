"""Requests that change or delete many tasks, and their responses."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from common.validation import FILTER_REQUIRED
from tasks.core.types import AssertedUser, Counter, Priority
from tasks.core.types.names import AddedLabels, ListId, RemovedLabels, fold
from tasks.core.types.query import TaskChoice
from tasks.limits import PRIORITIES
from tasks.task.due import NewDue
from tasks.task.filters import TaskFilters
from tasks.task.schemas import CompletionFields

SubtaskChoice = Annotated[
    Literal["keep", "delete"],
    Field(
        description="`keep` makes the subtasks of deleted tasks tasks of their own; `delete` "
        "deletes them.",
        examples=["delete"],
    ),
]
"""What happens to the subtasks of deleted tasks."""


class TaskSelection(TaskFilters):
    """Which tasks are changed: those that match all filters, of which there must be one."""

    repeatable: ClassVar = TaskFilters.repeatable | {"id"}
    no_filters: ClassVar = frozenset({"user_id", "time_zone"})

    id: TaskChoice | None = None

    @model_validator(mode="before")
    @classmethod
    def _require_filter(cls, query: dict[str, object]) -> dict[str, object]:
        """Check before anything else: a request that names nothing is rejected for that."""
        filters = cls.model_fields.keys() - cls.no_filters
        if filters.isdisjoint(query):
            raise PydanticCustomError(
                FILTER_REQUIRED, "At least one filter must say which tasks are meant."
            )
        return query


class TaskDeletion(TaskSelection):
    """Which tasks are deleted."""

    no_filters: ClassVar = TaskSelection.no_filters | {"subtasks"}

    subtasks: SubtaskChoice = "keep"


class BulkChange(CompletionFields):
    """A change of many tasks: absent fields stay as they are, `null` clears."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"is_completed": True}]})

    user_id: AssertedUser = None
    list_id: ListId | None = None
    due: NewDue = None
    priority: Priority = Field(default_factory=lambda: PRIORITIES[0])
    labels_add: AddedLabels = Field(default_factory=list)
    labels_remove: RemovedLabels = Field(default_factory=list)

    @model_validator(mode="after")
    def _check_labels(self) -> Self:
        added = {fold(name) for name in self.labels_add}
        if not added.isdisjoint({fold(name) for name in self.labels_remove}):
            raise PydanticCustomError(
                "contradiction", "labels_add and labels_remove contradict each other."
            )
        return self


class BulkChangeRead(TypedDict):
    """What a change of many tasks did. Tasks that follow from the change are not counted."""

    matched: Annotated[int, Field(ge=0, description="Tasks that match the query.", examples=[12])]
    changed: Annotated[int, Field(ge=0, description="Those that it changed.", examples=[3])]
    version: Counter


class BulkDeletionRead(TypedDict):
    """What a deletion of many tasks did. Subtasks that go along are not counted."""

    matched: Annotated[int, Field(ge=0, description="Tasks that match the query.", examples=[12])]
    deleted: Annotated[int, Field(ge=0, description="Those that it deleted.", examples=[12])]
    version: Counter
