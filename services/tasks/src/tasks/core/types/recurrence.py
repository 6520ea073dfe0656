"""Types of the recurrence of a task."""

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from tasks.limits import RECURRENCE_RULE_MAX_CHARACTERS, RECURRENCE_STARTS


def _check_start(word: str) -> str:
    if word not in RECURRENCE_STARTS:
        raise PydanticCustomError("unknown-word", "A recurrence goes from due or from completion.")
    return word


RecurrenceRuleText = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "description": "A recurrence rule of RFC 5545 without `RRULE:` and `DTSTART`.",
            "maxLength": RECURRENCE_RULE_MAX_CHARACTERS,
            "examples": ["FREQ=WEEKLY;BYDAY=MO,TH"],
        }
    ),
]
"""Source: RFC 5545, 3.3.10."""

RecurrenceStart = Annotated[
    str,
    AfterValidator(_check_start),
    WithJsonSchema(
        {
            "type": "string",
            "description": "What the next occurrence is computed from: the due date, or the day on "
            "which the task is completed.",
            "enum": list(RECURRENCE_STARTS),
            "examples": [RECURRENCE_STARTS[0]],
        }
    ),
]
"""What the next occurrence is computed from."""
