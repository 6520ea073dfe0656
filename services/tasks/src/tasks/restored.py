"""Declare that a backup was restored: `python -m tasks.restored`, or `make restored`.

The service detects most copies by itself, but not a copied disk or volume: it equals the original.
"""

import sys

from common.migrations import begin_new_history, migration_connection
from tasks.revisions import RELEASE


def main() -> None:
    """Begin a new history, and print for how many owners."""
    with migration_connection(RELEASE) as connection:
        summary = begin_new_history(connection, RELEASE)
    sys.stdout.write(f"The database of tasks: {summary}\n")


if __name__ == "__main__":
    main()
