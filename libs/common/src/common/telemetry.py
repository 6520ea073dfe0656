"""One line of JSON for each request and for each cause of a failure, and numbers for Prometheus.

Neither ever holds tokens, texts or what a person wrote.
"""

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPMethod
from secrets import token_hex

from prometheus_client import Histogram

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{8,128}")
_TRACE = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")

REQUESTS = Histogram("http_request_duration_seconds", "Until all was sent.", ["method", "route", "status"])
"""Every request, in seconds."""


def request_id(sent: bytes | None) -> str:
    """Keep the id that the client chose when it is a plain one, else make one."""
    return sent.decode() if sent and _REQUEST_ID.fullmatch(sent) else token_hex(16)


def trace_id(sent: bytes | None) -> str | None:
    """Return the trace that the request belongs to, if its `traceparent` says so well.

    Source: W3C Trace Context, 3.2.
    """
    return found[1].decode() if sent and (found := _TRACE.fullmatch(sent)) else None


def pseudonym(user: object) -> str:
    """Return what stands for a user in the log."""
    return sha256(str(user).encode()).hexdigest()[:16]


def log(level: str, message: str, **fields: object) -> None:
    """Write one line at once; JSON escapes whatever could break it."""
    line = {"time": datetime.now(UTC).isoformat(), "level": level, "message": message, **fields}
    sys.stdout.write(json.dumps(line, default=str) + "\n")
    sys.stdout.flush()


def describe(error: BaseException) -> dict[str, object]:
    """Say what happened and where, but not with which values: a driver's message may hold what a user wrote."""
    frames = traceback.extract_tb(error.__traceback__, limit=-12)  # the innermost ones
    return {
        "error": f"{type(error).__module__}.{type(error).__qualname__}",
        "sqlstate": getattr(getattr(error, "orig", error), "sqlstate", None),
        "at": [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}:{frame.name}" for frame in frames],
        **({"cause": describe(error.__cause__)} if error.__cause__ else {}),
    }


def count_request(verb: str, route: str | None, status: int, seconds: float) -> None:
    """Count a request; what clients make up has no name of its own here, or there would be no end of them."""
    REQUESTS.labels(verb if verb in HTTPMethod.__members__ else "other", route or "unknown", status).observe(seconds)


class _Lines(logging.Handler):
    """Sends what libraries log down the same way."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        log(record.levelname.lower(), record.getMessage(), logger=record.name, **(describe(error) if error else {}))


def configure_logging() -> None:
    """Make what libraries log lines of the same kind."""
    logging.basicConfig(level=logging.INFO, handlers=[_Lines()], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)
