"""Texts that people write: titles, descriptions, and what is searched for in them."""

import unicodedata
from collections.abc import Callable
from typing import Annotated, Final

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

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


_BREAKS = frozenset("\u2028\u2029")
_LINES = frozenset("\t\n\r")


def one_line(what: str, max_characters: int) -> Callable[[str], str]:
    """Make what normalizes and trims a line, and refuses one that is empty, too long or not a line."""

    def clean(text: str) -> str:
        line, said = unicodedata.normalize("NFC", text).strip(WHITE_SPACE), {"what": what, "max": max_characters}
        if not line:
            raise PydanticCustomError("too-short", "{what} needs at least one character that is not white space.", said)
        if len(line) > max_characters:
            raise PydanticCustomError("too-long", "{what} has at most {max} characters.", said)
        if any(unicodedata.category(character) == "Cc" or character in _BREAKS for character in line):
            raise PydanticCustomError("control-character", "{what} has no control characters and no line breaks.", said)
        return line

    return clean


def _clean_text(text: str) -> str:
    clean = unicodedata.normalize("NFC", text)
    if any(unicodedata.category(character) == "Cc" and character not in _LINES for character in clean):
        raise PydanticCustomError("control-character", "Only line breaks and tabs are allowed as control characters.")
    return clean


def _short_description(text: str) -> str:
    if len(text) > DESCRIPTION_MAX_CHARACTERS:
        raise PydanticCustomError("too-long", "A description has at most 10000 characters.")
    return text


def _short_search(text: str) -> str:
    if not 1 <= len(text) <= SEARCH_MAX_CHARACTERS:
        raise PydanticCustomError("wrong-length", "A search text has 1 to 200 characters.")
    return text


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
    AfterValidator(_clean_text),
    AfterValidator(_short_description),
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
    AfterValidator(_clean_text),
    AfterValidator(_short_search),
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
