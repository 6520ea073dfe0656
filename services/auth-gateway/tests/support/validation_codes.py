"""Finds every code that the validation of bodies and query strings can put into `errors`.

Pydantic's own codes cannot be found in our source, so each field of each model is given odd values.
"""

import json
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from typing import Final, cast, get_args
from uuid import UUID

from fastapi.routing import APIRoute
from pydantic import BaseModel, JsonValue

from common.identity import User
from common.validation import StrictModel, collect_errors, validate_json
from devkit.openapi.document import ROUTER_MODULES
from devkit.openapi.operations import query_model

_PACKAGES: Final = ("common.", "tasks.", "users.")

_ODD_TEXTS: Final = (
    "",
    " ",
    "x",
    "none",
    "none:pending",
    "2026-11-21",
    "2026-11-21T00:00:00Z",
    "2026-11-21T08:30:00.5Z",
    "2026-13-41",
    "1969-12-31",
    "9999-12-31",
    "1969-12-31T23:59:59Z",
    "08:30",
    "25:61",
    "Europe/Berlin",
    "01900000-0000-7000-8000-000000000000",
    "0",
    "-1",
    "1.5",
    "1e999",
    "9" * 5_000,
    "true",
    "TRUE",
    "nan",
    "a\0b",
    "e" + "\u0301" * 40,
    "x" * 20_000,
)
_ODD_VALUES: Final[tuple[JsonValue, ...]] = (
    *_ODD_TEXTS,
    None,
    True,
    0,
    -1,
    501,
    2**63,
    10**30,
    0.5,
    1e300,
    [],
    [None],
    ["x" for _ in range(1_000)],
    {},
    {"x": 1},
)
_USER: Final = User.model_validate(
    {"sub": UUID(int=1), "ext": {"issuer": "i", "subject": "s"}, "exp": 0, "passport": ""}
)


def validation_codes() -> set[str]:
    """Return the codes of all errors that odd values provoke."""
    codes: set[str] = set()
    query_models: set[type[StrictModel]] = set()
    for module in ROUTER_MODULES:
        for route in import_module(module).router.routes:
            if isinstance(route, APIRoute):
                query_models.add(query_model(route))
    for model in query_models:
        codes.update(_codes_of_query(model))
    for model in set(_all_models(StrictModel)) - query_models:
        # Other tests of the same process define models, too.
        if model.__module__.startswith(_PACKAGES):
            codes.update(_codes_of_body(model))
    return codes


def _all_models(base: type[StrictModel]) -> Iterator[type[StrictModel]]:
    for model in base.__subclasses__():
        yield model
        yield from _all_models(model)


def _codes_of_body(model: type[StrictModel]) -> Iterator[str]:
    for document in _odd_documents(model):
        text = json.dumps(document).encode("utf-8", "surrogatepass")
        for error in validate_json(text, document, model, _USER).errors:
            yield error["code"]


def _codes_of_query(model: type[StrictModel]) -> Iterator[str]:
    for name in model.model_fields:
        for text in _ODD_TEXTS:
            value = [text] if name in model.repeatable else text
            validate = partial(model.model_validate, {name: value}, strict=False, context=_USER)
            for error in collect_errors("query", validate).errors:
                yield error["code"]


def _odd_documents(model: type[BaseModel]) -> Iterator[JsonValue]:
    """Yield odd values in place of the model, and objects with one odd field each."""
    yield from _ODD_VALUES
    for name, field in model.model_fields.items():
        values: list[JsonValue] = [*_ODD_VALUES]
        for kind in get_args(field.annotation) or [field.annotation]:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                values.extend(_odd_documents(kind))
        for value in values:
            yield cast("JsonValue", {name: value})
