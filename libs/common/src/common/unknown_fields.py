"""Names that a request makes up: which of them are told, and which of ours was probably meant."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from typing import Final, TypeAlias, get_args

from pydantic import BaseModel, JsonValue

from common.problems import ERRORS_MAX, FieldError

CODE: Final = "extra-forbidden"
"""The validator's own code for a name that it does not know."""

Location: TypeAlias = tuple[str | int, ...]
"""From `body`, `query` or `path` down to what is meant."""

_PLAIN = re.compile(r"[A-Za-z0-9_.:$@*/+()\[\]-]{1,64}")
"""A name that can be repeated to whoever sent it: short, and nothing that a page or a log could take for more."""


def plain(location: Location) -> list[str | int]:
    """Leave out of a location what cannot be repeated."""
    return [part for part in location if isinstance(part, int) or _PLAIN.fullmatch(part)]


def name_unknown(place: Location, model: type[BaseModel], document: JsonValue) -> list[FieldError]:
    """Return a fault for each name that a model, and those of its fields that are models, do not know.

    Only as many as are listed are described one by one.
    """
    if not isinstance(document, dict):
        return []
    fields = model.model_fields
    unknown = [name for name in document if name not in fields]
    faults = [_describe((*place, name), list(fields)) for name in unknown[:ERRORS_MAX]]
    faults += faults[-1:] * (len(unknown) - len(faults))
    for name, inner in _models_of_fields(model):
        faults += name_unknown((*place, name), inner, document.get(name))
    return faults


def _describe(location: Location, known: Sequence[str]) -> FieldError:
    name = str(location[-1])
    what = "parameter" if location[0] == "query" else "field"
    message = f"There is no such {what}."
    if not _PLAIN.fullmatch(name):
        message = f"There is no {what} of this name, which is too long or has characters that no name has."
    elif likely := get_close_matches(name, known, n=1):
        message = f"There is no such {what}; {likely[0]} may be meant."
    return FieldError(location=plain(location), code=CODE, message=message)


@cache
def _models_of_fields(model: type[BaseModel]) -> list[tuple[str, type[BaseModel]]]:
    """Find the fields of a model that hold another one, or nothing."""
    found: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        kinds = (field.annotation, *get_args(field.annotation))
        found.extend(
            (name, kind) for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)
        )
    return found
