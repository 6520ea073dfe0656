"""Types of fields: how they are validated, and how the OpenAPI document describes them."""

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
from tasks.limits import PRIORITIES

EXAMPLE_USER: Final = "5f0c6a3e-8d1b-4c7a-9e52-b7d64f1a0c38"
"""The user id of all examples."""

EXAMPLE_TASK: Final = "019aa5f2-8e40-7c31-a6d9-3b0f5c72e184"
"""The task id of all examples."""

INT64: Final[JsonDict] = {"format": "int64"}
"""The format of a `bigint`. Source: the OpenAPI Format Registry."""

PAGE_MAX: Final = 500
"""Tasks in one page, at most."""

ORDER_KEY_PATTERN: Final = r"^[0-9]{20}(\.[0-9]{0,229}[1-9])?$"
"""Up to 250 digits: 20 before the point, padded with zeros so that texts sort like numbers."""

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _check_timestamp(text: str) -> str:
    if not _is_timestamp(text):
        raise PydanticCustomError(
            "datetime_parsing", "Input should be a time as RFC 3339 writes it"
        )
    return text


def _is_timestamp(text: str) -> bool:
    if not _TIMESTAMP.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text.upper())
    except ValueError:
        return False
    return True


def _check_status(text: str) -> str:
    if text not in ("pending", "completed"):
        raise PydanticCustomError("unknown-word", "A status is pending or completed.")
    return text


def _check_priority(text: str) -> str:
    if text not in PRIORITIES:
        raise PydanticCustomError("unknown-word", "A priority is none, low, medium or high.")
    return text


def _check_page_size_text(text: object) -> object:
    if isinstance(text, str) and not re.fullmatch(r"[1-9]\d{0,2}", text, re.ASCII):
        raise PydanticCustomError("int_parsing", "This must be a whole number from 1 to 500.")
    return text


def _reject_id(_: object) -> object:
    raise PydanticCustomError(
        "read-only", "The service chooses the id: only a PUT to its address may bring one."
    )


Timestamp = Annotated[
    str,
    AfterValidator(_check_timestamp),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-11-21T08:30:00.000000Z"]}
    ),
]
"""A time with an offset. Source: RFC 3339, 5.6."""

DateTimeText = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
        examples=["2026-11-21T08:30:00.000000Z"],
        json_schema_extra={"format": "date-time"},
    ),
]
"""A time in a response: RFC 3339, UTC, `Z`, microseconds."""

Status = Annotated[
    str,
    AfterValidator(_check_status),
    WithJsonSchema(
        {
            "type": "string",
            "description": "The same state as `is_completed`, as a word.",
            "enum": ["pending", "completed"],
            "examples": ["pending"],
        }
    ),
]
"""The same state as `is_completed`, as a word."""

Priority = Annotated[
    str,
    AfterValidator(_check_priority),
    WithJsonSchema(
        {
            "type": "string",
            "description": "The importance of the task.",
            "enum": list(PRIORITIES),
            "examples": ["high"],
        }
    ),
]
"""The importance of a task."""

OrderKey = Annotated[
    str,
    Field(
        description="Sorts, byte by byte, in the order arranged by hand; only a move changes it.",
        pattern=ORDER_KEY_PATTERN,
        examples=["00001795249800000000"],
    ),
]
"""A position as text, padded with zeros so that texts sort like the numbers."""

Version = Annotated[
    int,
    Field(
        ge=1,
        description="Grows with every change.",
        examples=[1795249800000000],
        json_schema_extra=INT64,
    ),
]
"""A value of the owner's counter."""

Counter = Annotated[
    int,
    Field(
        ge=0,
        description="The user's counter afterwards: the `ETag` of the list of tasks.",
        examples=[1795249800000000],
        json_schema_extra=INT64,
    ),
]
"""The owner's counter; 0 for an owner who never wrote."""


def _check_asserted_user(asserted: str | None, info: ValidationInfo[User]) -> str | None:
    """Accept the user's id in either case, or the subject of the token."""
    user = info.context
    if asserted is None or asserted.lower() == str(user.id) or asserted == user.subject:
        return asserted
    raise PydanticCustomError(
        OTHER_USER, "This must be the caller: the id in GET /users/me, or the subject of the token."
    )


AssertedUser = Annotated[
    str | None,
    AfterValidator(_check_asserted_user),
    Field(
        description="The authenticated user, if it is sent: the id in GET /users/me, or the "
        "subject of the token, which is the user's id at Better Auth.",
        examples=[EXAMPLE_USER],
        deprecated=True,
    ),
]
"""The user that the client assumes; it never chooses whose data is used."""


def _check_boolean_text(text: object) -> object:
    if isinstance(text, str) and text not in ("true", "false"):
        raise PydanticCustomError("bool_parsing", "This must be true or false.")
    return text


QueryBool = Annotated[bool, BeforeValidator(_check_boolean_text), Field(examples=[False])]
"""A boolean in a query string: only `true` or `false`."""


PageSize = Annotated[
    int,
    Field(
        ge=1,
        le=PAGE_MAX,
        description="Tasks in one page; without it, all tasks are listed.",
        examples=[20],
    ),
    BeforeValidator(_check_page_size_text),
]
"""The query parameter `limit`."""

ForbiddenId = SkipJsonSchema[Annotated[object, AfterValidator(_reject_id)]]
"""An id in a body that must not have one; the error says what to do instead."""

IgnoredReadOnly = Annotated[
    JsonValue, WithJsonSchema({"description": "Read-only; ignored in requests."})
]
"""A read-only field in a request body: ignored, so that a response can be sent back."""
