"""The path of a request, in the one spelling that is routed and handed on."""

import re
from typing import Final

from common.problems import BadRequest

NOT_LET_IN: Final = frozenset(b"/\\\0;%?#")
"""Characters that mean something else to somebody when they come encoded."""

_UNRESERVED: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
)
_FOREIGN = re.compile(rb"[^!-\[\]-~]")
_NOT_CLEAN = re.compile(rb"%|//|/\.")
_ENCODED = re.compile(rb"%([0-9A-Fa-f]{2})?")
_SLASHES = re.compile(rb"/+")


def clean(raw_path: bytes) -> bytes:
    """Return the path without needless encoding, dot segments and doubled slashes.

    Raises:
        BadRequest: It is no path, or one that two programs could read in two ways.

    Source: RFC 3986, 6.2.2.
    """
    if not raw_path.startswith(b"/") or _FOREIGN.search(raw_path):
        raise _unreadable()
    if not _NOT_CLEAN.search(raw_path):
        return raw_path
    return _without_dots(_SLASHES.sub(b"/", _ENCODED.sub(_decode, raw_path)))


def _decode(encoded: re.Match[bytes]) -> bytes:
    # A percent sign that encodes nothing counts as NUL, which is not let in either.
    character = int(encoded[1] or b"00", 16)
    if character in NOT_LET_IN:
        raise _unreadable()
    return bytes([character]) if character in _UNRESERVED else encoded[0].upper()


def _without_dots(path: bytes) -> bytes:
    """Resolve `.` and `..`; nothing leads above the root.

    Source: RFC 3986, 5.2.4.
    """
    kept: list[bytes] = []
    segments = path.split(b"/")[1:]
    for segment in segments:
        if segment == b"..":
            del kept[-1:]
        elif segment != b".":
            kept.append(segment)
    if segments[-1] in (b".", b".."):
        kept.append(b"")
    return b"/" + b"/".join(kept)


def _unreadable() -> BadRequest:
    return BadRequest(detail="The address cannot be read.")
