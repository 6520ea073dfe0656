"""Lines of NDJSON, read and written alike in every service.

Reading is lenient where the usual tools are: blank lines are skipped, CRLF and a byte order mark
are accepted. Writing is strict: no line contains a character at which some reader would break it.
"""

from typing import Final

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
"""U+FEFF in UTF-8; some editors write it at the start of a file."""

WHITE_SPACE: Final = b" \t\r\n"
"""White space around a JSON text. Source: RFC 8259, 2."""

_ESCAPES: Final = (
    ("\u0085".encode(), b"\\u0085"),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)
"""Line ends of JavaScript, Python's `splitlines` and others that JSON does not escape by itself.

Source: Unicode Standard Annex 14, classes BK and NL.
"""


def is_blank(line: bytes) -> bool:
    """Tell whether a line is empty but for white space."""
    return not line.strip(WHITE_SPACE)


def end_line(document: bytes) -> bytes:
    """Return a JSON text as a line that every reader sees as one line."""
    for character, escape in _ESCAPES:
        if character in document:
            document = document.replace(character, escape)
    return document + b"\n"
