"""How lines of NDJSON are told apart and written, alike in every service that reads or writes some.

Readers are lenient where the usual tools are: they skip blank lines and take CRLF and a byte order mark. Writers are
strict: no line holds a character at which some reader would break it.
"""

from typing import Final

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
"""U+FEFF in UTF-8: some editors write it at the start of a file."""

WHITE_SPACE: Final = b" \t\r\n"
"""What may stand around a JSON text. Source: RFC 8259, 2."""

_ESCAPES: Final = (
    ("\u0085".encode(), b"\\u0085"),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)
"""Where JavaScript, Python's `splitlines` and others also end a line. JSON escapes all others of their kind by itself:
U+000B, U+000C, U+001C to U+001E. Source: Unicode Standard Annex 14, classes BK and NL."""


def is_blank(line: bytes) -> bool:
    """Tell whether nothing stands on a line."""
    return not line.strip(WHITE_SPACE)


def end_line(document: bytes) -> bytes:
    """Make a line of one JSON text, which any reader sees as one."""
    for character, escape in _ESCAPES:
        if character in document:
            document = document.replace(character, escape)
    return document + b"\n"
