"""The limit of combining marks in a row."""

import sys
import unicodedata
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.texts import DECOMPOSED_MAX, MARKS_MAX, has_too_many_marks

ACUTE: Final = "\u0301"

PECULIAR: Final = (
    "ae\u00e9\u1f82\u0fb3\u0301\u0316\u0344\u0345\u0f71\u0f73\u0f75\u0f81\uff9e\uff9f\u20dd\u3099"
)
"""Characters that are, contain or stand for marks in every way in which that can be."""


def marks_in_a_row(text: str) -> int:
    """Count the marks of the longest run in the slow way."""
    longest = marks = 0
    for character in unicodedata.normalize("NFKD", text):
        marks = marks + 1 if unicodedata.combining(character) else 0
        longest = max(longest, marks)
    return longest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        ("x" * 1_000, False),
        ("a" + ACUTE * 30, False),
        ("a" + ACUTE * 31, True),
        ("a" + "\u0300\u0316" * 15 + ACUTE, True),
        ("\u00e9" + ACUTE * 29, False),
        ("\u00e9" + ACUTE * 30, True),
        ("\u1f82" + ACUTE * 27, False),
        ("\u1f82" + ACUTE * 28, True),
        ("\u0344" * 15, False),
        ("\u0344" * 16, True),
        ("\u0f73" * 15, False),
        ("\u0f73" * 16, True),
        ("\uff9e" * 31, True),
        (ACUTE * 31, True),
        (("a" + ACUTE * 30) * 1_000, False),
        ("x" * 10_000 + "a" + ACUTE * 31 + "x", True),
        ("漢" * 1_000, False),
    ],
)
def test_more_than_30_marks_in_a_row_are_too_many(text: str, *, expected: bool) -> None:
    assert has_too_many_marks(text) is expected


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(PECULIAR), st.integers(1, 31)), max_size=4))
def test_marks_are_counted_alike_in_every_normal_form(parts: list[tuple[str, int]]) -> None:
    text = "".join(character * times for character, times in parts)

    expected = marks_in_a_row(text) > MARKS_MAX
    for form in (text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)):
        assert has_too_many_marks(form) is expected


def test_no_other_character_decomposes_to_more_marks() -> None:
    for number in range(sys.maxunicode + 1):
        character = chr(number)
        assert len(unicodedata.normalize("NFD", character)) <= DECOMPOSED_MAX
        marks = marks_in_a_row(character)
        if unicodedata.combining(character):
            assert marks == (2 if character == "\u0344" else 1), ascii(character)
        elif character not in PECULIAR:
            assert marks <= 3
            assert not unicodedata.combining(unicodedata.normalize("NFKD", character)[0]), ascii(
                character
            )
