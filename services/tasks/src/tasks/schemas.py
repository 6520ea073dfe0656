"""What goes over the wire."""

import base64
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, NamedTuple, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, ValidationInfo, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from common.identity import User
from common.reading import OTHER_USER, Input

TITLE_MAX_CHARACTERS: Final = 200
"""Code points, after normalization and trimming."""

DESCRIPTION_MAX_CHARACTERS: Final = 10_000
"""Code points, after normalization."""

SEARCH_MAX_CHARACTERS: Final = 200
"""Code points of `q`, after normalization."""

PAGE_MAX: Final = 500
"""Tasks in one page."""

WHITE_SPACE: Final = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""Source: Unicode's property White_Space. Python's own list also has four separators that are control characters."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_BREAKS = frozenset("\u2028\u2029")
_LINES = frozenset("\t\n\r")


def _clean_title(text: str) -> str:
    title = unicodedata.normalize("NFC", text).strip(WHITE_SPACE)
    if not title:
        raise PydanticCustomError("too-short", "A title needs at least one character that is not white space.")
    if len(title) > TITLE_MAX_CHARACTERS:
        raise PydanticCustomError("too-long", "A title has at most 200 characters.")
    if any(unicodedata.category(character) == "Cc" or character in _BREAKS for character in title):
        raise PydanticCustomError("control-character", "A title has no control characters and no line breaks.")
    return title


def _clean_text(text: str) -> str:
    clean = unicodedata.normalize("NFC", text)
    if any(unicodedata.category(character) == "Cc" and character not in _LINES for character in clean):
        raise PydanticCustomError("control-character", "Only line breaks and tabs are allowed as control characters.")
    return clean


def _short_description(text: str) -> str:
    if len(text) > DESCRIPTION_MAX_CHARACTERS:
        raise PydanticCustomError("too-long", "A description has at most 10000 characters.")
    return text


def _short_search(text: str) -> str:
    if not 1 <= len(text) <= SEARCH_MAX_CHARACTERS:
        raise PydanticCustomError("wrong-length", "A search text has 1 to 200 characters.")
    return text


def _time_text(text: str) -> str:
    try:
        readable = bool(_TIME.fullmatch(text) and datetime.fromisoformat(text.upper()))
    except ValueError:
        readable = False
    if not readable:
        raise PydanticCustomError("datetime_parsing", "Input should be a time as RFC 3339 writes it")
    return text


def _known_status(text: str) -> str:
    if text not in ("pending", "completed"):
        raise PydanticCustomError("unknown-word", "A status is pending or completed.")
    return text


def _page_size(text: object) -> object:
    if isinstance(text, str) and not re.fullmatch(r"[1-9]\d{0,2}", text, re.ASCII):
        raise PydanticCustomError("int_parsing", "This must be a whole number from 1 to 500.")
    return text


def _refuse_id(_: object) -> object:
    raise PydanticCustomError("read-only", "The service chooses the id: only a PUT to /tasks/{id} may bring one.")


Title = Annotated[
    str,
    AfterValidator(_clean_title),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": TITLE_MAX_CHARACTERS}),
]
"""NFC, trimmed, 1 to 200 code points, one line."""

Description = Annotated[
    str,
    AfterValidator(_clean_text),
    AfterValidator(_short_description),
    WithJsonSchema({"type": "string", "maxLength": DESCRIPTION_MAX_CHARACTERS}),
]
"""NFC, not trimmed, at most 10,000 code points."""

Time = Annotated[str, AfterValidator(_time_text), WithJsonSchema({"type": "string", "format": "date-time"})]
"""Source: RFC 3339, 5.6."""

WireTime = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339, UTC, `Z`, microseconds."""

Status = Annotated[
    str, AfterValidator(_known_status), WithJsonSchema({"type": "string", "enum": ["pending", "completed"]})
]
"""The other spelling of `is_completed`."""


def _must_be_caller(named: str | None, request: ValidationInfo[User]) -> str | None:
    if named is not None and not request.context.is_called(named):
        raise PydanticCustomError(OTHER_USER, "This must be the caller.")
    return named


AssertedUser = Annotated[
    str | None,
    AfterValidator(_must_be_caller),
    Field(description="Must be the caller, if it is given.", json_schema_extra={"deprecated": True}),
]
"""Who the sender thinks they are; it can never choose whose data is used."""


def _true_or_false(text: object) -> object:
    if isinstance(text, str) and text not in ("true", "false"):
        raise PydanticCustomError("bool_parsing", "This must be true or false.")
    return text


Flag = Annotated[bool, BeforeValidator(_true_or_false)]
"""A truth value in a query string: `true` or `false`, and no other spelling."""


class Position(NamedTuple):
    """A place in the plain list: behind the task with this time and id."""

    created_at: datetime
    id: UUID

    def cursor(self) -> str:
        """Write it as the opaque text of a cursor."""
        microseconds = (self.created_at - _EPOCH) // timedelta(microseconds=1)
        return base64.urlsafe_b64encode(microseconds.to_bytes(8) + self.id.bytes).decode()


def _read_cursor(text: object) -> object:
    """Read the text that `Position.cursor` wrote, and no other spelling of it."""
    if not isinstance(text, str):
        return text
    try:
        place = base64.b64decode(text, altchars=b"-_", validate=True)
        position = Position(_EPOCH + timedelta(microseconds=int.from_bytes(place[:8])), UUID(bytes=place[8:]))
    except (ValueError, OverflowError):
        position = None
    if position is None or position.cursor() != text:
        raise PydanticCustomError("cursor_parsing", "This is no cursor of this list.")
    return position


class Completion(Input):
    """Whether a task is done, in either of its two spellings."""

    is_completed: bool = Field(default_factory=bool)
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


class TaskCreate(Completion):
    """A new task."""

    user_id: AssertedUser = None
    title: Title
    description: Description | None = None
    id: SkipJsonSchema[Annotated[object, AfterValidator(_refuse_id)]] = None


class _Echoed(Completion):
    """What a sender may leave in a task that they read before: it is ignored, but for the three that are checked."""

    user_id: AssertedUser = None
    id: UUID | None = None
    completed_at: Time | None = None
    created_at: JsonValue = None
    updated_at: JsonValue = None
    version: JsonValue = None

    def _settle(self) -> None:
        """Take the one that differs from what the task was when the sender read it."""
        if "completed_at" not in self.model_fields_set:
            super()._settle()
        if self.is_completed == (self.completed_at is not None):
            self.is_completed = not self.is_completed


class TaskChange(_Echoed):
    """A change: absent fields keep their value, `null` clears."""

    title: Title = Field(default_factory=str)
    description: Description | None = None


class TaskReplace(_Echoed):
    """A whole task: absent fields go to their defaults."""

    title: Title
    description: Description | None = None


class TaskDelete(Input):
    """The body that a DELETE may have."""

    user_id: AssertedUser = None


class Assertion(Input):
    """The query string of addresses that take nothing else."""

    user_id: AssertedUser = None


class TaskQuery(Assertion):
    """Which tasks, and how many of them."""

    is_completed: Flag | None = None
    status: Status | None = None
    q: Annotated[str, AfterValidator(_clean_text), AfterValidator(_short_search)] | None = None
    limit: Annotated[int, BeforeValidator(_page_size), Field(ge=1, le=PAGE_MAX)] | None = None
    cursor: Annotated[Position, BeforeValidator(_read_cursor), WithJsonSchema({"type": "string"})] | None = None

    @property
    def completed(self) -> bool | None:
        """The state asked for; None for both."""
        return self.status == "completed" if self.status else self.is_completed

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.status and self.is_completed is not None and self.is_completed != self.completed:
            raise PydanticCustomError("contradiction", "is_completed and status contradict each other.")
        return self


class TaskRead(TypedDict):
    """A task as it is answered: every field is always there."""

    id: UUID
    user_id: UUID
    title: str
    description: str | None
    is_completed: bool
    status: Status
    completed_at: WireTime | None
    created_at: WireTime
    updated_at: WireTime
    version: int
