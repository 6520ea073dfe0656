"""Texts that people write: titles, descriptions, and what is searched for in them."""

import re
import unicodedata
from collections.abc import Callable
from typing import Annotated, Final

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from common.texts import DECOMPOSED_MAX, require_few_marks

TITLE_MAX_CHARACTERS: Final = 200
"""Code points, after normalization and trimming."""

DESCRIPTION_MAX_CHARACTERS: Final = 10_000
"""Code points, after normalization."""

SEARCH_MAX_CHARACTERS: Final = 200
"""Code points of `q`, after normalization."""

WHITE_SPACE: Final = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""Source: Unicode's property White_Space. Python's own list also has four separators that are control characters."""

# Patterns for the OpenAPI document, in what RE2, ECMA 262, Java and Python read alike: no `\u`, no `\s`.
# So they say only what can be said about U+0000 to U+00A0; descriptions and the functions below say the rest.
_TEXT_PATTERN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
_BLANK = r"[\t-\r \x85\xa0]"
_VISIBLE = r"[^\x00-\x20\x7f-\xa0]"
_IN_LINE = r"[^\x00-\x1f\x7f-\x9f]"

LINE_PATTERN: Final = f"^{_BLANK}*{_VISIBLE}({_IN_LINE}*{_VISIBLE})?{_BLANK}*$"
"""What a title and a name look like to whoever reads the OpenAPI document."""


_NO_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Control characters, category Cc, and for a line all that breaks it."""

_IGNORABLE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Source: Unicode's property Default_Ignorable_Code_Point, the same since version 12."""

_DRAWN_EMPTY = r"\u2800\U0001d159\U00013441\U00013442"
"""Characters that are drawn as nothing although no property says so: an empty braille pattern, a null note head, and
two Egyptian blanks."""

_SHOWN = re.compile(rf"[^\s{_IGNORABLE}{_DRAWN_EMPTY}]")
"""Characters that show something, marks among them: they need one that they stand on."""


def one_line(what: str, max_characters: int) -> Callable[[str], str]:
    """Make what normalizes and trims a line, and refuses one that is empty, too long or not a line."""

    def clean(text: str) -> str:
        said = {"what": what, "max": max_characters}
        trimmed = require_few_marks(text.strip(WHITE_SPACE))
        if len(trimmed) > DECOMPOSED_MAX * max_characters:
            raise PydanticCustomError("too-long", "{what} has at most {max} characters.", said)
        line = unicodedata.normalize("NFC", trimmed)
        if len(line) > max_characters:
            raise PydanticCustomError("too-long", "{what} has at most {max} characters.", said)
        if _NO_LINE.search(line):
            raise PydanticCustomError(
                "control-character", "{what} has no control characters and no line breaks.", said
            )
        if not _shows_something(line):
            raise PydanticCustomError(
                "too-short", "{what} needs at least one character that can be seen.", said
            )
        return line

    return clean


def _shows_something(text: str) -> bool:
    """Tell whether anything can be seen of a text: a character that is drawn, and is no mark without a base."""
    return any(unicodedata.category(shown[0])[0] != "M" for shown in _SHOWN.finditer(text))


def _clean_text(text: str, max_characters: int, too_long: PydanticCustomError) -> str:
    if len(require_few_marks(text)) > DECOMPOSED_MAX * max_characters:
        raise too_long
    clean = unicodedata.normalize("NFC", text)
    if len(clean) > max_characters:
        raise too_long
    if _NO_TEXT.search(clean):
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
            "description": "One line. It is normalized (NFC), and white space around it is removed.",
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
            "description": "It may have line breaks and tabs. It is normalized (NFC), and otherwise kept as it is.",
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
            "description": "Plain text that title or description contains, whatever the case.",
            "minLength": 1,
            "maxLength": SEARCH_MAX_CHARACTERS,
            "pattern": _TEXT_PATTERN,
            "examples": ["plants"],
        }
    ),
]
"""NFC, 1 to 200 code points."""
