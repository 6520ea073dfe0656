"""Rules for every text that people write, whichever service it is for."""

import re
import unicodedata
from typing import Final

from pydantic_core import PydanticCustomError

MARKS_MAX: Final = 30
"""Combining marks in a row. Longer runs mean nothing in any language, and normalizing them takes time that grows with
the square of their length. Source: Unicode Standard Annex 15, section 13, Stream-Safe Text Format."""

DECOMPOSED_MAX: Final = 4
"""Code points that one composed character can stand for. So a text with more than this many times the characters of a
limit is beyond the limit however it is normalized. Source: Unicode Standard Annex 15, maximum expansion factors."""

_MARKS_OF_BASE_MAX: Final = 3
"""Marks with which the decomposition of one base character can end, such as the Greek U+1F82."""

_DOUBLE_MARK: Final = "\u0344"
"""The one mark that stands for two."""

_LONG_RUN = re.compile(rb"[^\0]{%d,}" % ((MARKS_MAX - _MARKS_OF_BASE_MAX) // 2))
"""The shortest run, in combining classes, that can be too long once it is decomposed."""

_ANY_MARK: Final = bytes(range(1, 256))
"""Every combining class but 0."""

_MARKS_OF_CLASS_0: Final = {
    character: unicodedata.normalize("NFKD", character)
    for character in "\u0f73\u0f75\u0f81\uff9e\uff9f"
}
"""Characters that are no marks by their class, but decompose into marks."""


def has_too_many_marks(text: str) -> bool:
    """Tell whether a text is beyond `MARKS_MAX` in any normal form, in time that grows with its length alone."""
    if text.isascii():
        return False
    for character, marks in _MARKS_OF_CLASS_0.items():
        text = text.replace(character, marks)
    classes = bytes(map(unicodedata.combining, text))
    return any(_is_too_long(text, run.start(), run.end()) for run in _LONG_RUN.finditer(classes))


def _is_too_long(text: str, start: int, end: int) -> bool:
    """Count the marks of a run as they are once it is decomposed, with those of the character before it."""
    marks = end - start + text.count(_DOUBLE_MARK, start, end)
    if marks > MARKS_MAX or marks + _MARKS_OF_BASE_MAX <= MARKS_MAX:
        return marks > MARKS_MAX
    base = unicodedata.normalize("NFKD", text[max(start - 1, 0) : start])
    classes = bytes(map(unicodedata.combining, base))
    return marks + len(classes) - len(classes.rstrip(_ANY_MARK)) > MARKS_MAX


def require_few_marks(text: str) -> str:
    """Return the text.

    Raises:
        PydanticCustomError: It has too many combining marks in a row.
    """
    if has_too_many_marks(text):
        message = "A text has at most {max} combining marks in a row."
        raise PydanticCustomError("too-many-marks", message, {"max": MARKS_MAX})
    return text
