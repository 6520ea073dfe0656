"""Parse JSON strictly, within limits on size and depth.

`json` of the standard library accepts more than RFC 8259 does, and can be made slow by deep nesting
and long numbers. Both are rejected here.
"""

import json
import re
from array import array
from itertools import accumulate
from typing import Final

from pydantic import JsonValue

from common.problems import BadRequest, FieldError

DEPTH_MAX: Final = 32
"""Objects and arrays inside each other."""

CONTAINERS_MAX: Final = 1_000
"""Objects and arrays in one text; no request of the API needs more than a few."""

NUMBER_MAX_CHARACTERS: Final = 1_000
"""Longer numbers are rejected before anything computes with them."""

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
"""A JSON string, or an unterminated one: it always matches, so that no byte is scanned twice."""

_BRACKET_STEPS: Final = bytes(1 if byte in b"[{" else 255 for byte in range(256))
"""How each bracket changes the depth, as signed bytes: +1 or -1."""

_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))

_NUMBER_BYTES: Final = bytes(byte if byte in b"+-.0123456789Ee" else 32 for byte in range(256))
"""Keeps the characters of numbers, and replaces all others by spaces."""


def parse_json(text: bytes) -> JsonValue:
    """Parse a JSON text.

    Raises:
        BadRequest: The text is not JSON in UTF-8, starts with a byte order mark, repeats a member
            name, contains NaN or Infinity, or exceeds a limit of this module.
    """
    if _is_within_limits(text):
        try:
            return _DECODER.decode(text.decode())
        except (ValueError, RecursionError):
            pass
    error = FieldError(location=["body"], code="json-invalid", message="Invalid JSON")
    raise BadRequest(errors=[error])


def _is_within_limits(text: bytes) -> bool:
    """Tell whether decoding the text takes time that grows with its length only.

    Scans what is outside of strings, in passes that cost less than the decoding. Whether the text
    is JSON is for the decoder to say.
    """
    may_be_deep = text.count(b"[") + text.count(b"{") > DEPTH_MAX
    if len(text) <= NUMBER_MAX_CHARACTERS and not may_be_deep:
        return True
    without_strings = _STRING.sub(b" ", text)
    steps = array("b", without_strings.translate(_BRACKET_STEPS, _NOT_BRACKETS))
    if max(accumulate(steps), default=0) > DEPTH_MAX:
        return False
    if steps.count(1) > CONTAINERS_MAX:
        return False
    numbers = without_strings.translate(_NUMBER_BYTES).split()
    return max(map(len, numbers), default=0) <= NUMBER_MAX_CHARACTERS


def _object_with_unique_names(members: list[tuple[str, JsonValue]]) -> JsonValue:
    result = dict(members)
    if len(result) < len(members):
        raise ValueError("a member name is repeated")
    return result


# The decoder calls `parse_constant` for NaN and Infinity only, and `int` accepts neither.
_DECODER = json.JSONDecoder(object_pairs_hook=_object_with_unique_names, parse_constant=int)
