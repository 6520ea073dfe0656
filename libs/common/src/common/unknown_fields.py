"""Field names that a request makes up: which may be repeated, and which known one was meant."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from types import UnionType
from typing import Annotated, Final, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, JsonValue
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo

from common.problems import ERRORS_MAX, FieldError

CODE: Final = "extra-forbidden"
"""pydantic's code for a name that the model does not have."""

Location: TypeAlias = tuple[str | int, ...]
"""A path to a value; it starts with `body`, `query` or `path`."""

_PRINTABLE_NAME = re.compile(r"[A-Za-z0-9_.:$@*/+()\[\]-]{1,64}")
"""A name that may be repeated in a response: short, and harmless in a page or a log."""

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
"""A word of a name in any style: `due_date`, `dueDate`, `due-date` and `DUE_DATE` have two."""

_DESCRIBING_KEYWORDS: Final = frozenset({"default", "description", "examples", "title"})
"""Keywords of JSON Schema that do not restrict a value."""

_FILLERS: Final = frozenset({"id", "is"})
"""Words that many names have: sharing them alone means nothing."""

_SIMILARITY_MIN: Final = 0.7
"""The least similarity of two names, between 0 and 1, at which one may be a misspelling."""


@dataclass(frozen=True, slots=True)
class _Names:
    """The field names of one model; computed once, because any request may look them up."""

    offered: Sequence[str]
    """The names that a client should know: not deprecated, rejected or ignored."""

    by_meaning: Mapping[str, str]
    """The fields by their words without separators, and by their synonyms."""

    words: Mapping[str, frozenset[str]]
    """The words of each offered field but for fillers, fields with the most words first."""

    nested: Sequence[tuple[str, type[BaseModel]]]
    """The fields whose type is a model, or a union with one, with that model."""


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
    names = _names_of(model)
    known = _field_names(model)
    unknown = [name for name in document if name not in known]
    errors = [_describe((*location, name), names) for name in unknown[:ERRORS_MAX]]
    if len(unknown) > ERRORS_MAX:
        # The others are only counted: thousands of names must not cost as many searches for
        # similar ones. None of these repetitions is shown.
        errors += [errors[-1]] * (len(unknown) - ERRORS_MAX)
    for name, nested_model in names.nested:
        errors += find_unknown_fields((*location, name), nested_model, document.get(name))
    return errors


def _describe(location: Location, names: _Names) -> FieldError:
    name = str(location[-1])
    kind = "field"
    if location[0] == "query":
        kind = "parameter"
    if not _PRINTABLE_NAME.fullmatch(name):
        message = (
            f"There is no {kind} of this name, which is too long or has characters that no name "
            "has."
        )
    elif meant := _find_meant(name, names):
        message = f"There is no such {kind}; {meant} may be meant."
    elif names.offered:
        message = f"There is no such {kind}; possible are {', '.join(names.offered)}."
    else:
        message = f"There is no such {kind}; none is possible here."
    return FieldError(location=printable_location(location), code=CODE, message=message)


def _find_meant(name: str, names: _Names) -> str | None:
    """Return the field that a printable name probably stands for.

    It is the one that is only written differently or has this synonym, else one that has all words
    of the name or the other way round, else the one that is spelled most similarly.
    """
    meaning = _meaning_of(name)
    if meaning in names.by_meaning:
        return names.by_meaning[meaning]
    meant_words = frozenset(_words_of(name)) - _FILLERS
    for field, field_words in names.words.items():
        if field_words and meant_words and _is_part(field_words, meant_words):
            return field
    similar = get_close_matches(meaning, names.by_meaning, n=1, cutoff=_SIMILARITY_MIN)
    if similar:
        return names.by_meaning[similar[0]]
    return None


def _is_part(words: frozenset[str], others: frozenset[str]) -> bool:
    """Whether one has all words of the other."""
    return words <= others or words >= others


def _words_of(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _meaning_of(name: str) -> str:
    """Return the words of a name in one, so that names in different styles are equal."""
    return "".join(_words_of(name))


@cache
def _names_of(model: type[BaseModel]) -> _Names:
    # As the API shows them: without fields that exist only to be rejected with an explanation.
    properties: Mapping[str, JsonDict] = model.model_json_schema().get("properties", {})
    offered = [name for name, schema in properties.items() if _is_offered(schema)]
    most_words_first = sorted(offered, key=lambda name: len(_words_of(name)), reverse=True)
    return _Names(
        offered=offered,
        by_meaning=_names_by_meaning(model, properties),
        words={name: frozenset(_words_of(name)) - _FILLERS for name in most_words_first},
        nested=_nested_models(model),
    )


def _is_offered(schema: JsonDict) -> bool:
    # A field that takes any value is one that is ignored.
    is_ignored = schema.keys() <= _DESCRIBING_KEYWORDS
    return not is_ignored and not schema.get("deprecated")


def _names_by_meaning(model: type[BaseModel], names: Iterable[str]) -> Mapping[str, str]:
    by_meaning = {_meaning_of(name): name for name in names}
    synonyms: Mapping[str, Sequence[str]] = getattr(model, "synonyms", {})
    for name, others in synonyms.items():
        # Models share one table of synonyms, and each has only some of its fields.
        if name in _field_names(model):
            for other in others:
                by_meaning.setdefault(_meaning_of(other), name)
    return by_meaning


def _field_names(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """Return the fields by the names that requests use."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _nested_models(model: type[BaseModel]) -> list[tuple[str, type[BaseModel]]]:
    nested: list[tuple[str, type[BaseModel]]] = []
    for name, field in _field_names(model).items():
        nested += [(name, kind) for kind in _models_in(field.annotation)]
    return nested


def _models_in(annotation: object) -> list[type[BaseModel]]:
    """Return the models that a type is, or has in its unions, with whatever is annotated there."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) is Annotated:
        return _models_in(get_args(annotation)[0])
    if get_origin(annotation) not in (Union, UnionType):
        return []
    return [model for kind in get_args(annotation) for model in _models_in(kind)]
