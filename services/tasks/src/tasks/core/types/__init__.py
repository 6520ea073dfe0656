"""What one field may hold, and what a client reads about it in the OpenAPI document."""

import re
from datetime import datetime
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from common.identity import User
from common.validation import OTHER_USER

EXAMPLE_USER: Final = "5f0c6a3e-8d1b-4c7a-9e52-b7d64f1a0c38"
"""The user of all examples."""

EXAMPLE_TASK: Final = "019aa5f2-8e40-7c31-a6d9-3b0f5c72e184"
"""The task of all examples."""

INT64: Final[JsonDict] = {"format": "int64"}
"""How OpenAPI calls what fits a `bigint`. Source: the OpenAPI Format Registry."""

PAGE_MAX: Final = 500
"""Tasks in one page."""

PRIORITIES: Final = ("none", "low", "medium", "high")
"""The words for priorities, from the least on."""

ORDER_KEY_PATTERN: Final = r"^[0-9]{20}(\.[0-9]{0,229}[1-9])?$"
"""250 digits, with as many zeros before as make texts sort like numbers, and none behind."""

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _time_text(text: str) -> str:
    try:
        readable = bool(_TIME.fullmatch(text) and datetime.fromisoformat(text.upper()))
    except ValueError:
        readable = False
    if not readable:
        raise PydanticCustomError(
            "datetime_parsing", "Input should be a time as RFC 3339 writes it"
        )
    return text


def _known_status(text: str) -> str:
    if text not in ("pending", "completed"):
        raise PydanticCustomError("unknown-word", "A status is pending or completed.")
    return text


def _known_priority(text: str) -> str:
    if text not in PRIORITIES:
        raise PydanticCustomError("unknown-word", "A priority is none, low, medium or high.")
    return text


def _page_size(text: object) -> object:
    if isinstance(text, str) and not re.fullmatch(r"[1-9]\d{0,2}", text, re.ASCII):
        raise PydanticCustomError("int_parsing", "This must be a whole number from 1 to 500.")
    return text


def _refuse_id(_: object) -> object:
    raise PydanticCustomError(
        "read-only", "The service chooses the id: only a PUT to its address may bring one."
    )


Timestamp = Annotated[
    str,
    AfterValidator(_time_text),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-11-21T08:30:00.000000Z"]}
    ),
]
"""Source: RFC 3339, 5.6."""

DateTimeText = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
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

Priority = Annotated[
    str,
    AfterValidator(_known_priority),
    WithJsonSchema(
        {
            "type": "string",
            "description": "How much it matters.",
            "enum": list(PRIORITIES),
            "examples": ["high"],
        }
    ),
]
"""How much a task matters."""

OrderKey = Annotated[
    str,
    Field(
        description="Sorts by its bytes as what is ordered by hand; only a move changes it.",
        pattern=ORDER_KEY_PATTERN,
        examples=["00001795249800000000"],
    ),
]
"""A number, padded with zeros before the point: as many as keep texts in the order of the numbers."""

Version = Annotated[
    int,
    Field(
        ge=1,
        description="It grows with every change.",
        examples=[1795249800000000],
        json_schema_extra=INT64,
    ),
]
"""A value of the owner's counter."""


def _must_be_caller(named: str | None, request: ValidationInfo[User]) -> str | None:
    """Let the caller be named by their UUID in any case, or by the token's own subject."""
    user = request.context
    if named is not None and named.lower() != str(user.id) and named != user.subject:
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


QueryBool = Annotated[bool, BeforeValidator(_true_or_false), Field(examples=[False])]
"""A truth value in a query string: `true` or `false`, and no other spelling."""


PageSize = Annotated[
    int,
    Field(
        ge=1,
        le=PAGE_MAX,
        description="Tasks in one page; without it, all are listed.",
        examples=[20],
    ),
    BeforeValidator(_page_size),
]
"""Tasks in one page."""

ForbiddenId = SkipJsonSchema[Annotated[object, AfterValidator(_refuse_id)]]
"""Nobody may send it, and whoever does is told what to do instead."""

IgnoredReadOnly = Annotated[
    JsonValue, WithJsonSchema({"description": "May be sent as it was read; it is ignored."})
]
"""What only the service sets, in what is sent back."""
