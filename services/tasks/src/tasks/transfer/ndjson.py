"""The lines of an export and of an import: one JSON object each, which says of what kind it is."""

import asyncio
import re
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Final, NamedTuple, Self, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, Field, JsonValue, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from common.ndjson import end_line, is_blank
from common.problems import BadRequest, FieldError, ProblemError
from common.validation import BODY_MAX_BYTES, StrictModel, parse, raise_if_invalid, read_document
from tasks.core.types import ORDER_KEY_PATTERN, IgnoredReadOnly, Timestamp
from tasks.core.types.names import LABELS_ON_TASK_MAX, LabelName, Labels, ListName
from tasks.core.types.texts import Description, Title
from tasks.label.schemas import LabelRead
from tasks.task.schemas import CompletionFields, PlanningFields, TaskRead
from tasks.task_list.schemas import ListRead

FIRST_LINE: Final = 2
"""The number of the first line that comes here: the one before it is about the profile, and stays with its service."""

BLANK_LINES_AT_ONCE: Final = 2_000
"""Blank lines that are skipped at one go, in about a millisecond."""

_OLDEST, _NEWEST = datetime.min.replace(1970, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def _require_kind(kind: str) -> str:
    if kind not in _KINDS:
        raise PydanticCustomError("unknown-word", "A line holds a task, a list or a label.")
    return kind


def _require_storable(text: str) -> str:
    if not _OLDEST <= instant(text) <= _NEWEST:
        raise PydanticCustomError("time-out-of-range", "A time is in the years 1970 to 9999.")
    return text


def instant(text: str) -> datetime:
    """Return the time that a `Time` says."""
    return datetime.fromisoformat(text.upper())


def _place(key: str) -> str:
    if not re.fullmatch(ORDER_KEY_PATTERN, key):
        raise PydanticCustomError("unknown-word", "A position is as an export has written it.")
    return key


_Kind = Annotated[str, AfterValidator(_require_kind)]
_Instant = Annotated[Timestamp, AfterValidator(_require_storable)]
_Place = Annotated[str, AfterValidator(_place)]


class _Line(StrictModel):
    """What lines have in common: whose and of which version something was is no matter."""

    kind: _Kind
    id: UUID
    user_id: IgnoredReadOnly = None
    created_at: _Instant
    updated_at: _Instant
    version: IgnoredReadOnly = None


class TaskLine(_Line, PlanningFields):
    """A task from elsewhere, with the times that it had there."""

    title: Title
    description: Description | None = None
    completed_at: _Instant | None = None
    labels: Annotated[Labels, Field(max_length=LABELS_ON_TASK_MAX)] = Field(default_factory=list)
    position: _Place | None = None

    @property
    def is_planned(self) -> bool:
        """Whether it says anything about a plan; before there were plans, no line did."""
        return bool(self.model_fields_set & _PLAN)

    @model_validator(mode="after")
    def _complete_with_its_time(self) -> Self:
        if self.completed not in (None, self.completed_at is not None):
            raise PydanticCustomError(
                "contradiction", "is_completed or status contradicts completed_at."
            )
        return self


_PLAN: Final = frozenset(PlanningFields.model_fields) - frozenset(CompletionFields.model_fields) | {
    "position"
}


class ListLine(_Line):
    """A list from elsewhere."""

    name: ListName
    position: _Place | None = None


class LabelLine(_Line):
    """A label from elsewhere."""

    name: LabelName


AnyLine: TypeAlias = TaskLine | ListLine | LabelLine

_KINDS: Final[Mapping[str, type[AnyLine]]] = {
    "list": ListLine,
    "label": LabelLine,
    "task": TaskLine,
}


class _Kinded(TypedDict):
    kind: str


class _TaskLineRead(_Kinded, TaskRead):
    """What is written of a task: its kind, and then what is always answered."""


class _ListLineRead(_Kinded, ListRead):
    """As for a task."""


class _LabelLineRead(_Kinded, LabelRead):
    """As for a task, so not how many tasks carry it."""


_TASK, _LIST, _LABEL = (
    TypeAdapter(_TaskLineRead),
    TypeAdapter(_ListLineRead),
    TypeAdapter(_LabelLineRead),
)


class LineText(NamedTuple):
    """A line of an import as it came, and its number."""

    number: int
    text: bytes


def write_task(task: TaskRead) -> bytes:
    """Write the line of a task."""
    return end_line(_TASK.dump_json({"kind": "task", **task}))


def write_list(task_list: ListRead) -> bytes:
    """Write the line of a list."""
    return end_line(_LIST.dump_json({"kind": "list", **task_list}))


def write_label(label: LabelRead) -> bytes:
    """Write the line of a label."""
    return end_line(_LABEL.dump_json({"kind": "label", **label}))


async def split_lines(pieces: AsyncIterable[bytes]) -> AsyncIterator[LineText | None]:
    """Yield the lines of what comes in pieces of any size, and hold no more of it than a piece and a line.

    An empty piece says that the client pauses, and is yielded as None. Blank lines only count. Behind a line that is
    longer than a body may be nothing more is read.
    """
    number = FIRST_LINE
    async for text in _split(pieces):
        if text is None:
            yield None
            continue
        is_skipped = is_blank(text) and len(text) <= BODY_MAX_BYTES
        if not is_skipped:
            yield LineText(number, text)
        elif number % BLANK_LINES_AT_ONCE == 0:
            await asyncio.sleep(0)  # others may be waiting for the event loop
        number += 1


async def _split(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes | None]:
    rest = bytearray()
    async for piece in pieces:
        if not piece:
            yield None
        head, line_feed, tail = piece.rpartition(b"\n")
        if line_feed:
            for text in (rest + head).split(b"\n"):
                yield bytes(text)
            rest.clear()
        rest += tail
        if len(rest) > BODY_MAX_BYTES:
            break
    if rest:
        yield bytes(rest)


def read_line(number: int, text: bytes) -> AnyLine:
    """Read a task, a list or a label.

    Raises:
        BadRequest: The line cannot be read, or is longer than a body may be. The refusal names its number.
        Unprocessable: The line breaks a rule; as above.
    """
    try:
        if len(text) > BODY_MAX_BYTES:
            raise BadRequest(
                errors=[
                    FieldError(location=["body"], code="too-long", message="Longer than 64 KiB")
                ]
            )
        document = parse(text)
        return raise_if_invalid(*read_document(text, document, _model_of(document)))
    except ProblemError as error:
        broken = "cannot be read" if isinstance(error, BadRequest) else "breaks a rule"
        faults = [_in_line(number, fault) for fault in error.errors]
        raise type(error)(
            error.code,
            f"Line {number} {broken}.",
            errors=faults,
            errors_omitted=error.errors_omitted,
        ) from None


def _model_of(document: JsonValue) -> type[AnyLine]:
    """Choose by the kind; what has none that is known is refused as a task is."""
    kind = document.get("kind") if isinstance(document, dict) else None
    return _KINDS.get(kind, TaskLine) if isinstance(kind, str) else TaskLine


def _in_line(number: int, fault: FieldError) -> FieldError:
    body, *place = fault["location"]
    return FieldError(location=[body, number, *place], code=fault["code"], message=fault["message"])
