"""Limits and names that requests and tables share: the service and the database check them."""

from typing import Final

TITLE_MAX_CHARACTERS: Final = 200
"""Code points, after normalization and trimming."""

DESCRIPTION_MAX_CHARACTERS: Final = 10_000
"""Code points, after normalization."""

LIST_NAME_MAX_CHARACTERS: Final = 120
"""Code points, after normalization and trimming."""

LABEL_NAME_MAX_CHARACTERS: Final = 50
"""Code points, after normalization and trimming."""

PRIORITIES: Final = ("none", "low", "medium", "high")
"""The names of priorities, from the lowest; the index is the stored number."""

RECURRENCE_RULE_MAX_CHARACTERS: Final = 200
"""Code points of a recurrence rule, as it is sent and as it is stored."""

RECURRENCE_STARTS: Final = ("due", "completion")
"""What the next occurrence of a task is computed from."""
