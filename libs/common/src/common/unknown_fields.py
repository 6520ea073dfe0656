"""Field names that a request makes up: which may be repeated, and which known one was meant."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from typing import Final, TypeAlias, get_args

from pydantic import BaseModel, JsonValue

from common.problems import ERRORS_MAX, FieldError

CODE: Final = "extra-forbidden"
"""pydantic's code for a name that the model does not have."""

Location: TypeAlias = tuple[str | int, ...]
"""A path to a value; it starts with `body`, `query` or `path`."""

_PRINTABLE_NAME = re.compile(r"[A-Za-z0-9_.:$@*/+()\[\]-]{1,64}")
"""A name that may be repeated in a response: short, and harmless in a page or a log."""


def printable_location(location: Location) -> list[str | int]:
    """Return the location without the names that must not be repeated."""
    return [part for part in location if _is_printable(part)]


def _is_printable(part: str | int) -> bool:
    return isinstance(part, int) or _PRINTABLE_NAME.fullmatch(part) is not None


def find_unknown_fields(
    location: Location, model: type[BaseModel], document: JsonValue
) -> list[FieldError]:
    """Return an error for each name that the model, or a model in one of its fields, lacks.

    Args:
        location: Where the document is in the request.
        model: What the document is validated as.
        document: The parsed document; anything but an object has no unknown fields.
    """
    if not isinstance(document, dict):
        return []
    known = list(model.model_fields)
    unknown = [name for name in document if name not in model.model_fields]
    errors = [_describe((*location, name), known) for name in unknown[:ERRORS_MAX]]
    # The others are only counted, so that thousands of names cost no search for similar ones.
    errors += errors[-1:] * (len(unknown) - len(errors))
    for name, nested_model in _nested_models(model):
        errors += find_unknown_fields((*location, name), nested_model, document.get(name))
    return errors


def _describe(location: Location, known: Sequence[str]) -> FieldError:
    name = str(location[-1])
    kind = "field"
    if location[0] == "query":
        kind = "parameter"
    message = f"There is no such {kind}."
    if not _PRINTABLE_NAME.fullmatch(name):
        message = (
            f"There is no {kind} of this name, which is too long or has characters that no name "
            "has."
        )
    else:
        similar = get_close_matches(name, known, n=1)
        if similar:
            message = f"There is no such {kind}; {similar[0]} may be meant."
    return FieldError(location=printable_location(location), code=CODE, message=message)


@cache
def _nested_models(model: type[BaseModel]) -> list[tuple[str, type[BaseModel]]]:
    """Return the fields whose type is a model, or a union with one, with that model."""
    nested: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        for kind in get_args(field.annotation) or [field.annotation]:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                nested.append((name, kind))
    return nested
