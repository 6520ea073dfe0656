"""How many lists and labels one user may have. The quota of tasks is a setting."""

from typing import Final

LISTS_MAX: Final = 200

LABELS_MAX: Final = 500
