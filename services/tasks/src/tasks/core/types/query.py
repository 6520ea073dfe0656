"""Types of the query parameters that filter and sort tasks."""

import re
from typing import Annotated, Final, LiteralString
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from tasks.core.types import EXAMPLE_TASK, Priority
from tasks.core.types.names import EXAMPLE_LIST, LABELS_SENT_MAX, LabelName

NONE: Final = "none"
"""The value of `list_id` for the inbox, and of `parent_id` for tasks without a parent."""

SORTS: Final = ("created_at", "updated_at", "title", "due", "priority", "position", "is_completed")
"""The values of `sort`, without the sign of the descending order."""

PRIORITIES_SENT_MAX: Final = 100
"""Priorities in one request, repetitions included."""

TASKS_SENT_MAX: Final = 100
"""Ids of tasks in one request, repetitions included."""

_DESCENDING_SORTS = [f"-{name}" for name in SORTS]
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UUID_PATTERN = f"^(none|{_UUID.pattern})$"


def _read_choice(text: object, kind: LiteralString) -> object:
    if text is None or text == NONE:
        return None
    if not isinstance(text, str) or not _UUID.fullmatch(text):
        raise PydanticCustomError("uuid_parsing", f"This must be the id of a {kind}, or none.")
    return text


def _read_list_choice(text: object) -> object:
    return _read_choice(text, "list")


def _read_parent_choice(text: object) -> object:
    return _read_choice(text, "task")


def _check_task_id(text: object) -> object:
    if not isinstance(text, str) or not _UUID.fullmatch(text):
        raise PydanticCustomError("uuid_parsing", "This must be the id of a task.")
    return text


def _check_sort(text: str) -> str:
    if text.removeprefix("-") not in SORTS:
        raise PydanticCustomError(
            "unknown-word", f"A sort is {', '.join(SORTS)}, or one of them with - before it."
        )
    return text


ListChoice = Annotated[
    UUID | None,
    BeforeValidator(_read_list_choice),
    WithJsonSchema(
        {
            "type": "string",
            "description": "Tasks of this list; `none` for tasks without a list.",
            "pattern": _UUID_PATTERN,
            "examples": [EXAMPLE_LIST],
        }
    ),
]
"""The id of a list, or None for the inbox."""

ParentChoice = Annotated[
    UUID | None,
    BeforeValidator(_read_parent_choice),
    WithJsonSchema(
        {
            "type": "string",
            "description": "Subtasks of this task; `none` for tasks without a parent.",
            "pattern": _UUID_PATTERN,
            "examples": [EXAMPLE_TASK],
        }
    ),
]
"""The id of a task, or None for tasks without a parent."""

LabelChoice = Annotated[
    list[LabelName],
    Field(
        max_length=LABELS_SENT_MAX,
        description="Tasks with this label; with several labels, tasks that have all of them.",
        examples=[["weekend"]],
    ),
]
"""Names of labels, in any case."""

PriorityChoice = Annotated[
    list[Priority],
    Field(
        max_length=PRIORITIES_SENT_MAX,
        description="Tasks of this priority; with several, of any of them.",
        examples=[["high"]],
    ),
]
"""Names of priorities."""

TaskChoice = Annotated[
    list[Annotated[UUID, BeforeValidator(_check_task_id)]],
    Field(
        max_length=TASKS_SENT_MAX,
        description="This task; with several ids, these tasks.",
        examples=[[EXAMPLE_TASK]],
    ),
]
"""Ids of tasks."""

Sort = Annotated[
    str,
    AfterValidator(_check_sort),
    WithJsonSchema(
        {
            "type": "string",
            "description": (
                "The order, descending with `-` before it. Tasks without a value come last in both "
                "directions."
            ),
            "enum": [*SORTS, *_DESCENDING_SORTS],
            "examples": ["due"],
        }
    ),
]
"""The query parameter `sort`."""
