"""Ids that find a request again: `X-Request-ID` and `traceparent`."""

import re
from secrets import token_hex

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{8,128}")
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def choose_request_id(header: bytes | None) -> str:
    """Return the client's request id if it is harmless in a log, else a new one."""
    if header and _REQUEST_ID.fullmatch(header):
        return header.decode()
    return token_hex(16)


def parse_trace_id(header: bytes | None) -> str | None:
    """Return the trace id of a valid `traceparent` header.

    Source: W3C Trace Context, 3.2.
    """
    if not header:
        return None
    match = _TRACEPARENT.fullmatch(header)
    if match is None:
        return None
    return match[1].decode()
