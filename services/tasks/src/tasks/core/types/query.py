"""What only a query string holds: which list, which labels, which priorities, in which order."""

import re
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from tasks.core.types import Priority
from tasks.core.types.names import EXAMPLE_LIST, LABELS_SENT_MAX, LabelName

NO_LIST: Final = "none"
"""The word for the inbox."""

SORTS: Final = ("created_at", "updated_at", "title", "due", "priority", "position", "is_completed")
"""What tasks can be sorted by."""

PRIORITIES_SENT_MAX: Final = 100
"""Words that one request may hold, be it the same one again and again."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UUID_PATTERN = f"^(none|{_UUID.pattern})$"


def _list_or_none(text: object) -> object:
    if text is None or text == NO_LIST:
        return None
    if not isinstance(text, str) or not _UUID.fullmatch(text):
        raise PydanticCustomError("uuid_parsing", "This must be the id of a list, or none.")
    return text


def _known_sort(text: str) -> str:
    if text.removeprefix("-") not in SORTS:
        raise PydanticCustomError(
            "unknown-word", f"A sort is {', '.join(SORTS)}, or one of them with - before it."
        )
    return text


ListChoice = Annotated[
    UUID | None,
    BeforeValidator(_list_or_none),
    WithJsonSchema(
        {
            "type": "string",
            "description": "The tasks of this list; `none` for those in no list.",
            "pattern": _UUID_PATTERN,
            "examples": [EXAMPLE_LIST],
        }
    ),
]
"""A list, or None for the inbox."""

LabelChoice = Annotated[
    list[LabelName],
    Field(
        max_length=LABELS_SENT_MAX,
        description="Tasks with this label; with several, those with all.",
        examples=[["weekend"]],
    ),
]
"""Labels, whatever their case."""

PriorityChoice = Annotated[
    list[Priority],
    Field(
        max_length=PRIORITIES_SENT_MAX,
        description="Tasks of this priority; with several, of any.",
        examples=[["high"]],
    ),
]
"""Priorities."""

Sort = Annotated[
    str,
    AfterValidator(_known_sort),
    WithJsonSchema(
        {
            "type": "string",
            "description": "The order; with `-` before it, the other way round. Tasks without it come last in both.",
            "enum": [*SORTS, *(f"-{name}" for name in SORTS)],
            "examples": ["due"],
        }
    ),
]
"""What the tasks are sorted by."""
