"""JSON log lines on standard output: one for each request and for each cause of a failure.

A line never contains tokens, texts or anything else that a user wrote.
"""

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

FRAMES_MAX: Final = 12
"""Stack frames of an exception that are logged, the innermost ones."""


def pseudonym(user: object) -> str:
    """Return what the log calls a user: the beginning of a hash of the id."""
    return sha256(str(user).encode()).hexdigest()[:16]


def log(level: str, message: str, **fields: object) -> None:
    """Write one line with these fields."""
    write_line(level, message, fields)


def write_line(level: str, message: str, fields: Mapping[str, object]) -> None:
    """Write one line at once. JSON escapes whatever could break it."""
    line: dict[str, object] = {
        "time": datetime.now(UTC).isoformat(),
        "level": level,
        "message": message,
    }
    line.update(fields)
    sys.stdout.write(json.dumps(line, default=str) + "\n")
    sys.stdout.flush()


def class_name(error: BaseException) -> str:
    """Return the full name of an exception's class."""
    return f"{type(error).__module__}.{type(error).__qualname__}"


def describe_error(error: BaseException) -> dict[str, object]:
    """Return type, SQLSTATE, stack and cause of an exception.

    Its message is left out: a driver's may quote what a user wrote.
    """
    frames: list[str] = []
    for frame in traceback.extract_tb(error.__traceback__, limit=-FRAMES_MAX):
        file_name = frame.filename.rpartition("/")[2]
        frames.append(f"{file_name}:{frame.lineno}:{frame.name}")
    description: dict[str, object] = {
        "error": class_name(error),
        "sqlstate": getattr(getattr(error, "orig", error), "sqlstate", None),
        "at": frames,
    }
    if error.__cause__ is not None:
        description["cause"] = describe_error(error.__cause__)
    return description


class _JsonHandler(logging.Handler):
    """Writes the records of libraries as lines of the same kind."""

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, object] = {"logger": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            fields.update(describe_error(record.exc_info[1]))
        write_line(record.levelname.lower(), record.getMessage(), fields)


def configure_logging() -> None:
    """Send the records of libraries, from INFO on, to the same log."""
    logging.basicConfig(level=logging.INFO, handlers=[_JsonHandler()], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)
