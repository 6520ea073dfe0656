"""The records of exports and imports: one JSON object on each line, of the kind in `kind`."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Self, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, Field, JsonValue, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError, from_json, to_json
from typing_extensions import TypedDict

from common.ndjson import end_line
from common.problems import BadRequest, FieldError, ProblemError
from common.strict_json import parse_json
from common.validation import BODY_MAX_BYTES, StrictModel, raise_if_invalid, validate_json
from tasks.core.types import ORDER_KEY_PATTERN, IgnoredReadOnly, Timestamp
from tasks.core.types.names import LABELS_ON_TASK_MAX, LabelName, Labels, ListName
from tasks.core.types.texts import Description, Title
from tasks.label.schemas import LabelRead
from tasks.task.due import Due, require_moved_time
from tasks.task.schemas import CompletionFields, PlanningFields, TaskRead
from tasks.task_list.schemas import ListRead
from tasks.transfer.lines import Line

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime.max.replace(tzinfo=UTC)


def parse_time(text: str) -> datetime:
    """Return the time of a validated `Timestamp`."""
    return datetime.fromisoformat(text.upper())


def _require_known_kind(kind: str) -> str:
    if kind not in _RECORD_CLASSES:
        raise PydanticCustomError("unknown-word", "A line holds a task, a list or a label.")
    return kind


def _require_storable_time(text: str) -> str:
    if not _EPOCH <= parse_time(text) <= _LATEST:
        raise PydanticCustomError("time-out-of-range", "A time is in the years 1970 to 9999.")
    return text


def _require_order_key(position: str) -> str:
    if not re.fullmatch(ORDER_KEY_PATTERN, position):
        raise PydanticCustomError("unknown-word", "A position is as an export has written it.")
    return position


Kind = Annotated[str, AfterValidator(_require_known_kind)]
StorableTime = Annotated[Timestamp, AfterValidator(_require_storable_time)]
Position = Annotated[str, AfterValidator(_require_order_key)]
RecordDue = Annotated[Due | None, AfterValidator(require_moved_time)]


class ImportRecord(StrictModel):
    """The fields of all records. The former owner and version are ignored."""

    kind: Kind
    id: UUID
    user_id: IgnoredReadOnly = None
    created_at: StorableTime
    updated_at: StorableTime
    version: IgnoredReadOnly = None


class TaskRecord(ImportRecord, PlanningFields):
    """A task with the times that it had where it was exported."""

    title: Title
    description: Description | None = None
    due: RecordDue = None
    completed_at: StorableTime | None = None
    labels: Annotated[Labels, Field(max_length=LABELS_ON_TASK_MAX)] = Field(default_factory=list)
    position: Position | None = None
    previous_id: UUID | None = None

    @property
    def has_list(self) -> bool:
        """Whether the record says in which list the task is: null is the inbox."""
        return "list_id" in self.model_fields_set

    @property
    def has_links(self) -> bool:
        """Whether the task is a subtask, or follows another occurrence."""
        return self.parent_id is not None or self.previous_id is not None

    @property
    def is_planned(self) -> bool:
        """Whether any planning field is set; exports from before the planning feature have none."""
        return bool(self.model_fields_set & _PLANNING_FIELDS)

    @model_validator(mode="after")
    def _require_consistent_completion(self) -> Self:
        is_completed = self.completed_at is not None
        if self.completed not in (None, is_completed):
            raise PydanticCustomError(
                "contradiction", "is_completed or status contradicts completed_at."
            )
        return self

    @model_validator(mode="after")
    def _require_due_of_recurrence(self) -> Self:
        # Whether the rule still has an occurrence is not asked: the last task of a series has none.
        if self.recurrence is not None and self.due is None:
            raise PydanticCustomError(
                "recurrence-without-due", "A task that repeats needs a due date."
            )
        return self


_PLANNING_FIELDS: Final = (
    frozenset(PlanningFields.model_fields) - frozenset(CompletionFields.model_fields)
) | {"position", "previous_id"}


class ListRecord(ImportRecord):
    """A list."""

    name: ListName
    position: Position | None = None


class LabelRecord(ImportRecord):
    """A label."""

    name: LabelName


AnyRecord: TypeAlias = TaskRecord | ListRecord | LabelRecord

_RECORD_CLASSES: Final[Mapping[str, type[AnyRecord]]] = {
    "list": ListRecord,
    "label": LabelRecord,
    "task": TaskRecord,
}


def stored_position(position: str | None, created_at: datetime) -> Decimal | None:
    """Return the value of the column `position` for the position in a record.

    None for a row that was never moved: its exported position is the time of its creation.
    """
    if position is None:
        return None
    number = Decimal(position)
    default_position = (created_at - _EPOCH) // timedelta(microseconds=1)
    if number == default_position:
        return None
    return number


def read_record(line: Line) -> AnyRecord:
    """Read the task, list or label of a line.

    Raises:
        BadRequest: The line is longer than `BODY_MAX_BYTES`, or is not a JSON object of the
            expected types. The problem and its field errors name the number of the line.
        Unprocessable: The record breaks a rule; the line is named likewise.
    """
    try:
        return _read(line.text)
    except ProblemError as error:
        flaw = "breaks a rule"
        if isinstance(error, BadRequest):
            flaw = "cannot be read"
        field_errors = [_with_line_number(line.number, item) for item in error.errors]
        raise type(error)(
            error.code,
            f"Line {line.number} {flaw}.",
            errors=field_errors,
            errors_omitted=error.errors_omitted,
        ) from None


def _read(text: bytes) -> AnyRecord:
    if len(text) > BODY_MAX_BYTES:
        too_long = FieldError(location=["body"], code="too-long", message="Longer than 64 KiB")
        raise BadRequest(errors=[too_long])
    document = parse_json(text)
    return raise_if_invalid(validate_json(text, document, _record_class(document)))


def _record_class(document: JsonValue) -> type[AnyRecord]:
    """Choose the class by the kind; `TaskRecord` reports a missing or unknown kind."""
    if isinstance(document, dict):
        kind = document.get("kind")
        if isinstance(kind, str):
            return _RECORD_CLASSES.get(kind, TaskRecord)
    return TaskRecord


def _with_line_number(number: int, error: FieldError) -> FieldError:
    """Insert the number of the line after "body"."""
    location = error["location"]
    return FieldError(
        location=[location[0], number, *location[1:]], code=error["code"], message=error["message"]
    )


class _Kind(TypedDict):
    kind: str


class _ExportedTask(_Kind, TaskRead):
    pass


class _ExportedList(_Kind, ListRead):
    pass


class _ExportedLabel(_Kind, LabelRead):
    """A label without the number of its tasks."""


_EXPORTED_TASK: Final = TypeAdapter(_ExportedTask)
_EXPORTED_LIST: Final = TypeAdapter(_ExportedList)
_EXPORTED_LABEL: Final = TypeAdapter(_ExportedLabel)


def write_task(task: TaskRead) -> bytes:
    """Return the line of a task."""
    return _write("task", task, _EXPORTED_TASK)


def write_list(task_list: ListRead) -> bytes:
    """Return the line of a list."""
    return _write("list", task_list, _EXPORTED_LIST)


def write_label(label: LabelRead) -> bytes:
    """Return the line of a label."""
    return _write("label", label, _EXPORTED_LABEL)


def write_change(kind: str, content: bytes) -> bytes:
    """Return the line of a task, list or label that the database has returned as JSON."""
    return end_line(to_json({"kind": kind, **from_json(content)}))


def _write(kind: str, fields: Mapping[str, object], adapter: TypeAdapter[Any]) -> bytes:
    record = {"kind": kind, **fields}
    return end_line(adapter.dump_json(record))
