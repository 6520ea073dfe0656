"""Progress messages on standard error."""

import sys


def report_progress(step: str) -> None:
    """Show a step: on a terminal it replaces the one before."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{step}")
    else:
        sys.stderr.write(f"{step}\n")
    sys.stderr.flush()
