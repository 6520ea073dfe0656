"""Request and response bodies of tasks."""

from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from common.validation import StrictModel
from tasks.core.types import (
    EXAMPLE_TASK,
    EXAMPLE_USER,
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
from tasks.core.types.recurrence import RecurrenceRuleText, RecurrenceStart
from tasks.core.types.synonyms import SYNONYMS
from tasks.core.types.texts import Description, Title
from tasks.limits import PRIORITIES, RECURRENCE_STARTS
from tasks.task.due import Due, DueRead, NewDue
from tasks.task.recurrence.rule import InvalidRule, parse_rule


def _example(**fields: JsonValue) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


class CompletionFields(StrictModel):
    """Whether a task is completed, in either of two spellings."""

    synonyms: ClassVar = SYNONYMS

    is_completed: bool = Field(default_factory=bool, examples=[False])
    status: Status = Field(default_factory=lambda: "pending")

    @property
    def completed(self) -> bool | None:
        """The value that was sent in either spelling; None if none was."""
        if "is_completed" in self.model_fields_set:
            return self.is_completed
        if "status" in self.model_fields_set:
            return self.status == "completed"
        return None

    @model_validator(mode="after")
    def _check_spellings(self) -> Self:
        has_both = {"is_completed", "status"} <= self.model_fields_set
        if has_both and self.is_completed != (self.status == "completed"):
            self._handle_contradiction()
        return self

    def _handle_contradiction(self) -> None:
        raise PydanticCustomError("contradiction", "is_completed and status contradict each other.")


ParentId = Annotated[
    UUID,
    Field(
        description="The task that this is a subtask of; null if it is none.",
        examples=[None],
    ),
]


def _canonical_rule(text: str) -> str:
    try:
        return parse_rule(text).text
    except InvalidRule as error:
        raise PydanticCustomError("invalid-recurrence", "{flaw}", {"flaw": str(error)}) from None


class Recurrence(StrictModel):
    """When a task repeats."""

    model_config = _example(**{"rule": "FREQ=WEEKLY;BYDAY=MO,TH", "from": "due"})

    rule: Annotated[RecurrenceRuleText, AfterValidator(_canonical_rule)]
    start: RecurrenceStart = Field(default=RECURRENCE_STARTS[0], alias="from")


class PlanningFields(CompletionFields):
    """The planning fields of a task: a PATCH or a PUT without one of them leaves it as it is."""

    list_id: ListId | None = None
    due: Due | None = None
    priority: Priority = Field(default_factory=lambda: PRIORITIES[0])
    labels: Labels = Field(default_factory=list)
    recurrence: Recurrence | None = None
    parent_id: ParentId | None = None


class TaskCreate(PlanningFields):
    """A new task."""

    model_config = _example(title="Water the plants", description="The cactus in the kitchen, too.")

    user_id: AssertedUser = None
    title: Title
    description: Description | None = None
    due: NewDue = None
    id: ForbiddenId = None


class _ReadOnlyFields(PlanningFields):
    """Read-only fields that a client may send back as it read them.

    They are ignored, except `user_id`, `id` and `completed_at`, which are checked.
    """

    user_id: AssertedUser = None
    id: UUID | None = Field(
        default=None, description="Must be the one in the path.", examples=[EXAMPLE_TASK]
    )
    completed_at: Timestamp | None = Field(
        default=None,
        description="Tells which of `is_completed` and `status` is the change, if they differ.",
    )
    created_at: IgnoredReadOnly = None
    updated_at: IgnoredReadOnly = None
    version: IgnoredReadOnly = None
    position: IgnoredReadOnly = None
    previous_id: IgnoredReadOnly = None

    def _handle_contradiction(self) -> None:
        """Take the spelling that differs from the task as the client read it."""
        if "completed_at" not in self.model_fields_set:
            super()._handle_contradiction()
        was_completed = self.completed_at is not None
        if self.is_completed == was_completed:
            self.is_completed = not was_completed


class TaskChange(_ReadOnlyFields):
    """A change: absent fields stay as they are, `null` clears."""

    model_config = _example(is_completed=True)

    title: Title = Field(default_factory=str)
    description: Description | None = None


class TaskReplace(_ReadOnlyFields):
    """A whole task: absent fields get their defaults, but planning fields stay as they are."""

    model_config = _example(title="Water the cactus", is_completed=True)

    title: Title
    description: Description | None = None


class TaskMove(StrictModel):
    """Where to move a task."""

    model_config = _example(after=None)
    synonyms: ClassVar = SYNONYMS

    user_id: AssertedUser = None
    list_id: ListId | None = Field(
        default=None,
        description="The list to move to; null is the inbox. Absent: the list that it is in.",
    )
    after: UUID | None = Field(
        default=None,
        description="The task that it follows; null puts it first, absent last.",
        examples=[EXAMPLE_TASK],
    )


class TaskDelete(StrictModel):
    """The optional body of a DELETE."""

    model_config = _example(user_id=EXAMPLE_USER)

    user_id: AssertedUser = None


class UserIdQuery(StrictModel):
    """The query string of endpoints without other query parameters."""

    synonyms: ClassVar = SYNONYMS

    user_id: AssertedUser = None


class TaskDeletion(UserIdQuery):
    """What happens to the subtasks of a deleted task."""

    subtasks: Annotated[
        Literal["keep", "delete"],
        Field(
            description="`keep` makes them ordinary tasks; `delete` deletes them.",
            examples=["delete"],
        ),
    ] = "keep"


RecurrenceRead = TypedDict("RecurrenceRead", {"rule": RecurrenceRuleText, "from": RecurrenceStart})
"""When a task repeats."""


class TaskRead(TypedDict):
    """A task in a response: every field is always present."""

    id: Annotated[UUID, Field(examples=[EXAMPLE_TASK])]
    user_id: Annotated[
        UUID,
        Field(
            description="The owner: the id in GET /users/me. The user's id at Better Auth is "
            "another one, unless it is a UUID.",
            examples=[EXAMPLE_USER],
        ),
    ]
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
        DueRead | None,
        Field(description="When it is due; null if it has no due date.", examples=[None]),
    ]
    priority: Priority
    labels: Labels
    position: OrderKey
    recurrence: Annotated[
        RecurrenceRead | None,
        Field(description="When it repeats; null if it does not.", examples=[None]),
    ]
    previous_id: Annotated[
        UUID | None,
        Field(
            description="The occurrence before this one; for a subtask of a task that repeats, "
            "the subtask that it is a copy of.",
            examples=[None],
        ),
    ]
    parent_id: ParentId | None
