"""Tasks on the wire."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from common.validation import StrictModel
from tasks.core.types import (
    EXAMPLE_TASK,
    EXAMPLE_USER,
    PRIORITIES,
    AssertedUser,
    DateTimeText,
    ForbiddenId,
    IgnoredReadOnly,
    OrderKey,
    Priority,
    Status,
    Timestamp,
    Version,
)
from tasks.core.types.names import Labels, ListId
from tasks.core.types.texts import Description, Title
from tasks.task.due import Due, DueRead


def _example(**fields: JsonValue) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


class CompletionFields(StrictModel):
    """Whether a task is done, in either of its two spellings."""

    is_completed: bool = Field(default_factory=bool, examples=[False])
    status: Status = Field(default_factory=lambda: "pending")

    @property
    def completed(self) -> bool | None:
        """What the sender wants; None when they said nothing."""
        if "is_completed" in self.model_fields_set:
            return self.is_completed
        return self.status == "completed" if "status" in self.model_fields_set else None

    @model_validator(mode="after")
    def _agree(self) -> Self:
        both = {"is_completed", "status"} <= self.model_fields_set
        if both and self.is_completed != (self.status == "completed"):
            self._settle()
        return self

    def _settle(self) -> None:
        raise PydanticCustomError("contradiction", "is_completed and status contradict each other.")


class PlanningFields(CompletionFields):
    """What is planned for a task; a change and a replacement keep of this what they do not name."""

    list_id: ListId | None = None
    due: Due | None = None
    priority: Priority = Field(default_factory=lambda: PRIORITIES[0])
    labels: Labels = Field(default_factory=list)


class TaskCreate(PlanningFields):
    """A new task."""

    model_config = _example(title="Water the plants", description="The cactus in the kitchen, too.")

    user_id: AssertedUser = None
    title: Title
    description: Description | None = None
    id: ForbiddenId = None


class _Echoed(PlanningFields):
    """What a sender may leave in a task that they read before: it is ignored, but for the three that are checked."""

    user_id: AssertedUser = None
    id: UUID | None = Field(
        default=None, description="Must be the one in the address.", examples=[EXAMPLE_TASK]
    )
    completed_at: Timestamp | None = Field(
        default=None, description="Tells which of two that disagree is the change."
    )
    created_at: IgnoredReadOnly = None
    updated_at: IgnoredReadOnly = None
    version: IgnoredReadOnly = None
    position: IgnoredReadOnly = None

    def _settle(self) -> None:
        """Take the one that differs from what the task was when the sender read it."""
        if "completed_at" not in self.model_fields_set:
            super()._settle()
        if self.is_completed == (self.completed_at is not None):
            self.is_completed = not self.is_completed


class TaskChange(_Echoed):
    """A change: absent fields keep their value, `null` clears."""

    model_config = _example(is_completed=True)

    title: Title = Field(default_factory=str)
    description: Description | None = None


class TaskReplace(_Echoed):
    """A whole task: absent fields go to their defaults, and what is planned for it stays."""

    model_config = _example(title="Water the cactus", is_completed=True)

    title: Title
    description: Description | None = None


class TaskMove(StrictModel):
    """Where a task goes."""

    model_config = _example(after=None)

    user_id: AssertedUser = None
    list_id: ListId | None = Field(
        default=None, description="The list that it moves to; absent stays, null: the inbox."
    )
    after: UUID | None = Field(
        default=None,
        description="The task that it follows; null puts it first, absent last.",
        examples=[EXAMPLE_TASK],
    )


class TaskDelete(StrictModel):
    """The body that a DELETE may have."""

    model_config = _example(user_id=EXAMPLE_USER)

    user_id: AssertedUser = None


class UserIdQuery(StrictModel):
    """The query string of addresses that take nothing else."""

    user_id: AssertedUser = None


class TaskRead(TypedDict):
    """A task as it is answered: every field is always there."""

    id: Annotated[UUID, Field(examples=[EXAMPLE_TASK])]
    user_id: Annotated[UUID, Field(description="Whose task it is.", examples=[EXAMPLE_USER])]
    title: Title
    description: Description | None
    is_completed: Annotated[bool, Field(examples=[False])]
    status: Status
    completed_at: Annotated[
        DateTimeText | None, Field(description="Null while it is not completed.", examples=[None])
    ]
    created_at: DateTimeText
    updated_at: DateTimeText
    version: Version
    list_id: ListId | None
    due: Annotated[
        DueRead | None, Field(description="Null if it can be done at any time.", examples=[None])
    ]
    priority: Priority
    labels: Labels
    position: OrderKey
