"""Read the ids by which a request is found again: `X-Request-ID` and `traceparent`."""

import re
from secrets import token_hex

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{8,128}")
_TRACE = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def request_id(sent: bytes | None) -> str:
    """Keep the id that the client chose when it is a plain one, else make one."""
    return sent.decode() if sent and _REQUEST_ID.fullmatch(sent) else token_hex(16)


def trace_id(sent: bytes | None) -> str | None:
    """Return the trace that the request belongs to, if its `traceparent` says so well.

    Source: W3C Trace Context, 3.2.
    """
    return found[1].decode() if sent and (found := _TRACE.fullmatch(sent)) else None
