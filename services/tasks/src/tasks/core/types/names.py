"""Types of the names of lists and labels."""

import unicodedata
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, Field, WithJsonSchema

from tasks.core.types.texts import LINE_PATTERN, one_line
from tasks.limits import LABEL_NAME_MAX_CHARACTERS, LIST_NAME_MAX_CHARACTERS

EXAMPLE_LIST: Final = "019aa5f3-1b20-7d4e-8c05-6a9e2f7b4d13"
"""The list id of all examples."""

EXAMPLE_LABEL: Final = "019aa5f4-0c7d-7b92-9f31-d58e4a6c2b70"
"""The label id of all examples."""

LABELS_ON_TASK_MAX: Final = 20
"""Labels that one task may have."""

LABELS_SENT_MAX: Final = 100
"""Label names in one request, repetitions included. A longer array is rejected unread."""


def fold(name: str) -> str:
    """Fold the case of a name: names that are equal then are the same name.

    Searches fold texts by the same rule, in the database.

    Source: Unicode, 3.13.5, canonical caseless matching.
    """
    decomposed = unicodedata.normalize("NFD", name)
    return unicodedata.normalize("NFC", decomposed.casefold())


ListName = Annotated[
    str,
    AfterValidator(one_line("A list's name", LIST_NAME_MAX_CHARACTERS)),
    WithJsonSchema(
        {
            "type": "string",
            "description": (
                "One line, different from the names of all other lists, ignoring case. "
                "Normalized (NFC) and trimmed."
            ),
            "minLength": 1,
            "maxLength": LIST_NAME_MAX_CHARACTERS,
            "pattern": LINE_PATTERN,
            "examples": ["Garden"],
        }
    ),
]
"""NFC, trimmed, 1 to 120 code points, one line."""

LabelName = Annotated[
    str,
    AfterValidator(one_line("A label's name", LABEL_NAME_MAX_CHARACTERS)),
    WithJsonSchema(
        {
            "type": "string",
            "description": (
                "One line, different from the names of all other labels, ignoring case. "
                "Normalized (NFC) and trimmed."
            ),
            "minLength": 1,
            "maxLength": LABEL_NAME_MAX_CHARACTERS,
            "pattern": LINE_PATTERN,
            "examples": ["weekend"],
        }
    ),
]
"""NFC, trimmed, 1 to 50 code points, one line."""

ListId = Annotated[
    UUID, Field(description="The list of the task; null is the inbox.", examples=[EXAMPLE_LIST])
]
"""A list of the user."""

Labels = Annotated[
    list[LabelName],
    Field(
        max_length=LABELS_SENT_MAX,
        description=(
            "Names in alphabetical order. A new name creates a label; an array that is sent "
            "replaces all labels of the task."
        ),
        examples=[["weekend"]],
    ),
]
"""The names of the labels of one task."""

AddedLabels = Annotated[
    list[LabelName],
    Field(
        max_length=LABELS_SENT_MAX,
        description="Labels that each of the tasks gets. A new name creates a label.",
        examples=[["weekend"]],
    ),
]
"""Names of labels that are added to those of tasks."""

RemovedLabels = Annotated[
    list[LabelName],
    Field(
        max_length=LABELS_SENT_MAX,
        description="Labels that none of the tasks keeps. Names that no label has are ignored.",
        examples=[["someday"]],
    ),
]
"""Names of labels that are removed from tasks."""
