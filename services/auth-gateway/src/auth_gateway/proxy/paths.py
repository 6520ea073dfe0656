"""Normalizes the path of a request to the one spelling that is routed and forwarded."""

import re
from typing import Final

from common.problems import BadRequest

FORBIDDEN_DECODED: Final = frozenset(b"/\\\0;%?#")
"""Characters that must not be percent-encoded: programs differ in how they read them decoded."""

_UNRESERVED: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
)
_FORBIDDEN_RAW = re.compile(rb"[^!-\[\]-~]")
_NOT_NORMAL = re.compile(rb"%|//|/\.")
_PERCENT_ENCODED = re.compile(rb"%([0-9A-Fa-f]{2})?")
_SLASHES = re.compile(rb"/+")


def normalize(raw_path: bytes) -> bytes:
    """Return the path without needless encoding, dot segments and repeated slashes.

    Raises:
        BadRequest: It is no path, or one that two programs could read in two ways.

    Source: RFC 3986, 6.2.2.
    """
    if not raw_path.startswith(b"/") or _FORBIDDEN_RAW.search(raw_path):
        raise _unreadable()
    if not _NOT_NORMAL.search(raw_path):
        return raw_path
    decoded = _PERCENT_ENCODED.sub(_decode_unreserved, raw_path)
    return _remove_dot_segments(_SLASHES.sub(b"/", decoded))


def _decode_unreserved(match: re.Match[bytes]) -> bytes:
    # A percent sign without two digits counts as NUL, which is forbidden as well.
    character = int(match[1] or b"00", 16)
    if character in FORBIDDEN_DECODED:
        raise _unreadable()
    if character in _UNRESERVED:
        return bytes([character])
    return match[0].upper()


def _remove_dot_segments(path: bytes) -> bytes:
    """Resolve `.` and `..`; nothing leads above the root.

    Source: RFC 3986, 5.2.4.
    """
    segments = path.split(b"/")[1:]
    resolved: list[bytes] = []
    for segment in segments:
        if segment == b"..":
            del resolved[-1:]
        elif segment != b".":
            resolved.append(segment)
    if segments[-1] in (b".", b".."):
        resolved.append(b"")
    return b"/" + b"/".join(resolved)


def _unreadable() -> BadRequest:
    return BadRequest(detail="The address cannot be read.")
