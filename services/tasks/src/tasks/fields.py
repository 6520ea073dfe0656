"""What one field may hold, and what a client reads about it in the OpenAPI document."""

import re
import unicodedata
from datetime import datetime
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, ValidationInfo, WithJsonSchema
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from common.identity import User
from common.reading import OTHER_USER

EXAMPLE_USER: Final = "5f0c6a3e-8d1b-4c7a-9e52-b7d64f1a0c38"
"""The user of all examples."""

EXAMPLE_TASK: Final = "019aa5f2-8e40-7c31-a6d9-3b0f5c72e184"
"""The task of all examples."""

INT64: Final[JsonDict] = {"format": "int64"}
"""How OpenAPI calls what fits a `bigint`. Source: the OpenAPI Format Registry."""

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

_UNSEEN = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"
_TEXT_PATTERN = f"^[^{_UNSEEN}]*$"
_SEEN, _INSIDE = rf"[^\s{_UNSEEN}]", rf"[^\t\n\r\u2028\u2029{_UNSEEN}]"
_TITLE_PATTERN = rf"^\s*{_SEEN}({_INSIDE}*{_SEEN})?\s*$"

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
    WithJsonSchema(
        {
            "type": "string",
            "description": "One line. It is normalized (NFC), and white space around it is removed.",
            "minLength": 1,
            "maxLength": TITLE_MAX_CHARACTERS,
            "pattern": _TITLE_PATTERN,
            "examples": ["Water the plants"],
        }
    ),
]
"""NFC, trimmed, 1 to 200 code points, one line."""

Description = Annotated[
    str,
    AfterValidator(_clean_text),
    AfterValidator(_short_description),
    WithJsonSchema(
        {
            "type": "string",
            "description": "It may have line breaks and tabs. It is normalized (NFC), and otherwise kept as it is.",
            "maxLength": DESCRIPTION_MAX_CHARACTERS,
            "pattern": _TEXT_PATTERN,
            "examples": ["The cactus in the kitchen, too."],
        }
    ),
]
"""NFC, not trimmed, at most 10,000 code points."""

SearchText = Annotated[
    str,
    AfterValidator(_clean_text),
    AfterValidator(_short_search),
    WithJsonSchema(
        {
            "type": "string",
            "description": "Plain text that title or description contains, whatever the case.",
            "minLength": 1,
            "maxLength": SEARCH_MAX_CHARACTERS,
            "pattern": _TEXT_PATTERN,
            "examples": ["plants"],
        }
    ),
]
"""NFC, 1 to 200 code points."""

Time = Annotated[
    str,
    AfterValidator(_time_text),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-21T08:30:00.000000Z"]}),
]
"""Source: RFC 3339, 5.6."""

WireTime = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$",
        examples=["2026-11-21T08:30:00.000000Z"],
        json_schema_extra={"format": "date-time"},
    ),
]
"""RFC 3339, UTC, `Z`, microseconds."""

Status = Annotated[
    str,
    AfterValidator(_known_status),
    WithJsonSchema(
        {
            "type": "string",
            "description": "The other spelling of `is_completed`.",
            "enum": ["pending", "completed"],
            "examples": ["pending"],
        }
    ),
]
"""The other spelling of `is_completed`."""

Version = Annotated[
    int, Field(ge=1, description="It grows with every change.", examples=[1795249800000000], json_schema_extra=INT64)
]
"""A value of the owner's counter."""


def _must_be_caller(named: str | None, request: ValidationInfo[User]) -> str | None:
    if named is not None and not request.context.is_called(named):
        raise PydanticCustomError(OTHER_USER, "This must be the caller.")
    return named


AssertedUser = Annotated[
    str | None,
    AfterValidator(_must_be_caller),
    Field(
        description="Must be the caller, if it is given: their id, or the token's own subject.",
        examples=[EXAMPLE_USER],
        deprecated=True,
    ),
]
"""Who the sender thinks they are; it can never choose whose data is used."""


def _true_or_false(text: object) -> object:
    if isinstance(text, str) and text not in ("true", "false"):
        raise PydanticCustomError("bool_parsing", "This must be true or false.")
    return text


Flag = Annotated[bool, BeforeValidator(_true_or_false), Field(examples=[False])]
"""A truth value in a query string: `true` or `false`, and no other spelling."""


PageSize = Annotated[
    int,
    Field(ge=1, le=PAGE_MAX, description="Tasks in one page; without it, all are listed.", examples=[20]),
    BeforeValidator(_page_size),
]
"""Tasks in one page."""

RefusedId = SkipJsonSchema[Annotated[object, AfterValidator(_refuse_id)]]
"""Nobody may send it, and whoever does is told what to do instead."""

Echo = Annotated[JsonValue, WithJsonSchema({"description": "May be sent as it was read; it is ignored."})]
"""What only the service sets, in a task that is sent back."""
