"""Write one line of JSON for each request and for each cause of a failure.

A line never holds tokens, texts or anything else that a user wrote.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from hashlib import sha256


def pseudonym(user: object) -> str:
    """Return what stands for a user in the log."""
    return sha256(str(user).encode()).hexdigest()[:16]


def log(level: str, message: str, **fields: object) -> None:
    """Write one line at once; JSON escapes whatever could break it."""
    line = {"time": datetime.now(UTC).isoformat(), "level": level, "message": message, **fields}
    sys.stdout.write(json.dumps(line, default=str) + "\n")
    sys.stdout.flush()


def describe_error(error: BaseException) -> dict[str, object]:
    """Say what happened and where, but not with which values: a driver's message may hold what a user wrote."""
    frames = traceback.extract_tb(error.__traceback__, limit=-12)  # the innermost ones
    return {
        "error": f"{type(error).__module__}.{type(error).__qualname__}",
        "sqlstate": getattr(getattr(error, "orig", error), "sqlstate", None),
        "at": [
            f"{frame.filename.rpartition('/')[2]}:{frame.lineno}:{frame.name}" for frame in frames
        ],
        **({"cause": describe_error(error.__cause__)} if error.__cause__ else {}),
    }


class _Lines(logging.Handler):
    """Sends what libraries log down the same way."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        log(
            record.levelname.lower(),
            record.getMessage(),
            logger=record.name,
            **(describe_error(error) if error else {}),
        )


def configure_logging() -> None:
    """Make what libraries log lines of the same kind."""
    logging.basicConfig(level=logging.INFO, handlers=[_Lines()], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)
