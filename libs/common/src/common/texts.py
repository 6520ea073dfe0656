"""Rules for all texts that users write."""

import re
import unicodedata
from typing import Final

from pydantic_core import PydanticCustomError

MARKS_MAX: Final = 30
"""Combining marks in a row.

Longer runs have no meaning in any language, and the time to normalize them grows with the square of
their length. Source: Unicode Standard Annex 15, section 13, Stream-Safe Text Format.
"""

DECOMPOSED_MAX: Final = 4
"""Code points to which one composed character can decompose.

A text with more than this many times the characters of a limit is beyond the limit in every normal
form. Source: Unicode Standard Annex 15, maximum expansion factors.
"""

_MARKS_OF_BASE_MAX: Final = 3
"""Marks at the end of the decomposition of a base character, such as the Greek U+1F82."""

_DOUBLE_MARK: Final = "\u0344"
"""The only mark that decomposes to two marks."""

_LONG_RUN = re.compile(rb"[^\0]{%d,}" % ((MARKS_MAX - _MARKS_OF_BASE_MAX) // 2))
"""The shortest run, in combining classes, that can be too long when it is decomposed."""

_ANY_MARK: Final = bytes(range(1, 256))
"""Every combining class but 0."""

_MARKS_OF_CLASS_0: Final = {
    character: unicodedata.normalize("NFKD", character)
    for character in "\u0f73\u0f75\u0f81\uff9e\uff9f"
}
"""Characters with the combining class 0 that decompose to marks."""


def has_too_many_marks(text: str) -> bool:
    """Tell whether a text is beyond `MARKS_MAX` in any normal form, in linear time."""
    if text.isascii():
        return False
    for character, marks in _MARKS_OF_CLASS_0.items():
        text = text.replace(character, marks)
    classes = bytes(map(unicodedata.combining, text))
    for run in _LONG_RUN.finditer(classes):
        if _is_too_long(text, run.start(), run.end()):
            return True
    return False


def _is_too_long(text: str, start: int, end: int) -> bool:
    """Count the marks of a decomposed run and of the character before it."""
    marks = end - start + text.count(_DOUBLE_MARK, start, end)
    if marks > MARKS_MAX or marks + _MARKS_OF_BASE_MAX <= MARKS_MAX:
        return marks > MARKS_MAX
    base = unicodedata.normalize("NFKD", text[max(start - 1, 0) : start])
    classes = bytes(map(unicodedata.combining, base))
    marks_of_base = len(classes) - len(classes.rstrip(_ANY_MARK))
    return marks + marks_of_base > MARKS_MAX


def require_few_marks(text: str) -> str:
    """Return the text unchanged.

    Raises:
        PydanticCustomError: The text has too many combining marks in a row.
    """
    if has_too_many_marks(text):
        message = "A text has at most {max} combining marks in a row."
        raise PydanticCustomError("too-many-marks", message, {"max": MARKS_MAX})
    return text
