"""Say that a backup was restored: `python -m tasks.restored`, or `make restored`.

A service notices most copies by itself. Not that of a disk or a volume, which has all that the original had.
"""

import sys

from common.migrations import begin_new_history, migration_connection
from tasks.revisions import RELEASE


def main() -> None:
    """Begin another history, and say for how many owners."""
    with migration_connection(RELEASE) as connection:
        said = begin_new_history(connection, RELEASE)
    sys.stdout.write(f"The database of tasks: {said}\n")


if __name__ == "__main__":
    main()
