"""The lines of an export and of an import: one JSON object each, which says of what kind it is."""

from collections.abc import AsyncIterable, AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Final, NamedTuple, Self
from uuid import UUID

from pydantic import AfterValidator, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from common.errors import BadRequest, Fault, Refusal
from common.reading import BODY_MAX_BYTES, attempt, parse, refusal
from tasks.fields import Echo, Time
from tasks.fields.texts import Description, Title
from tasks.schemas.tasks import Completion, TaskRead

MEDIA_TYPE: Final = "application/x-ndjson"
"""JSON objects, each with a line feed behind it."""

FIRST_LINE: Final = 2
"""The number of the first line that comes here: the one before it is about the profile, and stays with its service."""

_OLDEST, _NEWEST = datetime.min.replace(1970, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def _require_task(kind: str) -> str:
    if kind != "task":
        raise PydanticCustomError("unknown-word", "A line holds a task.")
    return kind


def _require_storable(text: str) -> str:
    if not _OLDEST <= instant(text) <= _NEWEST:
        raise PydanticCustomError("time-out-of-range", "A time is in the years 1970 to 9999.")
    return text


def instant(text: str) -> datetime:
    """Return the time that a `Time` says."""
    return datetime.fromisoformat(text.upper())


_Kind = Annotated[str, AfterValidator(_require_task)]
_Instant = Annotated[Time, AfterValidator(_require_storable)]


class TaskLine(Completion):
    """A task from elsewhere, with the times that it had there."""

    kind: _Kind
    id: UUID
    user_id: Echo = None
    title: Title
    description: Description | None = None
    completed_at: _Instant | None = None
    created_at: _Instant
    updated_at: _Instant
    version: Echo = None
    list_id: Echo = None
    due: Echo = None
    priority: Echo = None
    labels: Echo = None
    position: Echo = None

    @model_validator(mode="after")
    def _complete_with_its_time(self) -> Self:
        if self.completed not in (None, self.completed_at is not None):
            raise PydanticCustomError("contradiction", "is_completed or status contradicts completed_at.")
        return self


class _Kinded(TypedDict):
    kind: str


class _TaskLineRead(_Kinded, TaskRead):
    """What is written of a task: its kind, and then what is always answered."""


_TASK = TypeAdapter(_TaskLineRead)


class Line(NamedTuple):
    """A task of an import, and the number of its line."""

    number: int
    task: TaskLine


def write_task(task: TaskRead) -> bytes:
    """Write the line of a task."""
    return _TASK.dump_json({"kind": "task", **task}) + b"\n"


async def read_lines(pieces: AsyncIterable[bytes]) -> AsyncIterator[Line]:
    """Read what comes in pieces of any size, and hold no more of it than a piece and a line.

    Raises:
        BadRequest: A line cannot be read, or is longer than a body may be. The refusal names its number.
        Unprocessable: A line breaks a rule; as above.
    """
    number = FIRST_LINE
    async for text in _split(pieces):
        yield _read_line(number, text)
        number += 1


async def _split(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for text in whole:
            yield text
        if len(rest) > BODY_MAX_BYTES:
            break
    if rest:
        yield rest


def _read_line(number: int, text: bytes) -> Line:
    try:
        if len(text) > BODY_MAX_BYTES:
            raise BadRequest(errors=[Fault(location=["body"], code="too-long", message="Longer than 64 KiB")])
        parse(text)
        task, faults = attempt("body", lambda: TaskLine.model_validate_json(text))
        if task is None:
            raise refusal(faults)
    except Refusal as error:
        broken = "cannot be read" if isinstance(error, BadRequest) else "breaks a rule"
        faults = [_in_line(number, fault) for fault in error.errors]
        raise type(error)(error.code, f"Line {number} {broken}.", errors=faults) from None
    return Line(number, task)


def _in_line(number: int, fault: Fault) -> Fault:
    body, *place = fault["location"]
    return Fault(location=[body, number, *place], code=fault["code"], message=fault["message"])
