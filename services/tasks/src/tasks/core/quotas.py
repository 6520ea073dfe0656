"""How many lists, labels and subtasks there may be. The quota of tasks is a setting."""

from typing import Final

LISTS_MAX: Final = 200

LABELS_MAX: Final = 500

SUBTASKS_MAX: Final = 100
"""How many subtasks one task may have."""
