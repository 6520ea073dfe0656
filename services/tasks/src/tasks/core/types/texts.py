"""Types of the texts that users write: titles, descriptions, search texts."""

import re
import unicodedata
from collections.abc import Callable
from typing import Annotated, Final

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from common.texts import DECOMPOSED_MAX, require_few_marks
from tasks.limits import DESCRIPTION_MAX_CHARACTERS, TITLE_MAX_CHARACTERS

SEARCH_MAX_CHARACTERS: Final = 200
"""Code points of `q`, after normalization."""

WHITE_SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""Source: Unicode's property White_Space. `str.isspace` also accepts four control characters."""

# Patterns of the OpenAPI document, in the syntax that RE2, ECMA 262, Java and Python share: no `\u`
# and no `\s`. They describe U+0000 to U+00A0 only; the functions below check the rest.
_TEXT_PATTERN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
_BLANK = r"[\t-\r \x85\xa0]"
_VISIBLE = r"[^\x00-\x20\x7f-\xa0]"
_IN_LINE = r"[^\x00-\x1f\x7f-\x9f]"

LINE_PATTERN: Final = f"^{_BLANK}*{_VISIBLE}({_IN_LINE}*{_VISIBLE})?{_BLANK}*$"
"""The pattern of titles and names in the OpenAPI document."""


_LINE_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TEXT_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Control characters (category Cc), and for a line also line breaks."""

_IGNORABLE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Source: Unicode's property Default_Ignorable_Code_Point, the same since version 12."""

_DRAWN_EMPTY = r"\u2800\U0001d159\U00013441\U00013442"
"""Characters that are drawn as nothing although they have no such property.

An empty braille pattern, a null note head, and two Egyptian blanks.
"""

_VISIBLE_CHARACTER = re.compile(rf"[^\s{_IGNORABLE}{_DRAWN_EMPTY}]")
"""Visible characters and marks. A mark alone is not visible."""


def one_line(what: str, max_characters: int) -> Callable[[str], str]:
    """Return a validator that normalizes and trims a line of text.

    Args:
        what: What the line is, as the start of the error's sentence.
        max_characters: Code points after normalization and trimming.
    """

    def clean(text: str) -> str:
        context = {"what": what, "max": max_characters}
        trimmed = require_few_marks(text.strip(WHITE_SPACE))
        if len(trimmed) > DECOMPOSED_MAX * max_characters:
            raise PydanticCustomError("too-long", "{what} has at most {max} characters.", context)
        line = unicodedata.normalize("NFC", trimmed)
        if len(line) > max_characters:
            raise PydanticCustomError("too-long", "{what} has at most {max} characters.", context)
        if _LINE_FORBIDDEN.search(line):
            raise PydanticCustomError(
                "control-character", "{what} has no control characters and no line breaks.", context
            )
        if not _has_visible_character(line):
            raise PydanticCustomError(
                "too-short", "{what} needs at least one character that can be seen.", context
            )
        return line

    return clean


def _has_visible_character(text: str) -> bool:
    """Return whether a text has a visible character that is not a mark."""
    for match in _VISIBLE_CHARACTER.finditer(text):
        if not unicodedata.category(match[0]).startswith("M"):
            return True
    return False


def _clean_text(text: str, max_characters: int, too_long: PydanticCustomError) -> str:
    if len(require_few_marks(text)) > DECOMPOSED_MAX * max_characters:
        raise too_long
    clean = unicodedata.normalize("NFC", text)
    if len(clean) > max_characters:
        raise too_long
    if _TEXT_FORBIDDEN.search(clean):
        raise PydanticCustomError(
            "control-character", "Only line breaks and tabs are allowed as control characters."
        )
    return clean


def _clean_description(text: str) -> str:
    too_long = PydanticCustomError("too-long", "A description has at most 10000 characters.")
    return _clean_text(text, DESCRIPTION_MAX_CHARACTERS, too_long)


def _clean_search(text: str) -> str:
    wrong_length = PydanticCustomError("wrong-length", "A search text has 1 to 200 characters.")
    if not text:
        raise wrong_length
    return _clean_text(text, SEARCH_MAX_CHARACTERS, wrong_length)


Title = Annotated[
    str,
    AfterValidator(one_line("A title", TITLE_MAX_CHARACTERS)),
    WithJsonSchema(
        {
            "type": "string",
            "description": "One line. Normalized (NFC); white space around it is removed.",
            "minLength": 1,
            "maxLength": TITLE_MAX_CHARACTERS,
            "pattern": LINE_PATTERN,
            "examples": ["Water the plants"],
        }
    ),
]
"""NFC, trimmed, 1 to 200 code points, one line."""

Description = Annotated[
    str,
    AfterValidator(_clean_description),
    WithJsonSchema(
        {
            "type": "string",
            "description": "May have line breaks and tabs. Normalized (NFC), not trimmed.",
            "maxLength": DESCRIPTION_MAX_CHARACTERS,
            "pattern": _TEXT_PATTERN,
            "examples": ["The cactus in the kitchen, too."],
        }
    ),
]
"""NFC, not trimmed, at most 10,000 code points."""

SearchText = Annotated[
    str,
    AfterValidator(_clean_search),
    WithJsonSchema(
        {
            "type": "string",
            "description": "Text that the title or the description contains, ignoring case.",
            "minLength": 1,
            "maxLength": SEARCH_MAX_CHARACTERS,
            "pattern": _TEXT_PATTERN,
            "examples": ["plants"],
        }
    ),
]
"""NFC, 1 to 200 code points."""
