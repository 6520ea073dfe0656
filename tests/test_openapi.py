"""The committed OpenAPI document is what the services do, and is valid."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from jsonschema_rs import Draft202012Validator

from devkit.openapi.document import OPENAPI_FILE, build_document
from devkit.openapi.schemas import ConflictError, Json, SchemaRegistry

COMMITTED = Path(__file__).parents[1] / "docs" / "openapi.json"
PROBLEM = {"$ref": "#/components/schemas/Problem"}

PORTABLE = re.compile(
    r"""(?x)
    \^? (
        [A-Za-z0-9 "!#%&',:;<=>@_`~-]            # a character that stands for itself,
      | \\ ( [tnr.*+?()|/\\^$] | x[0-9a-f]{2} )   # or must be escaped to do so,
      | \[ \^? (                                 # a set of characters,
          [A-Za-z0-9 "!#$%&'()*+,./:;<=>?@_`{|}~-] | \\ ( [tnr\\^\]\[-] | x[0-9a-f]{2} )
        )+ \]
      | \( (?!\?) | \) | \|                       # groups and choices,
      | [*+?]                                    # and how often
      | \{ ( [0-9]+ , )? [0-9]+ \}
    )* \$?
    """
)
"""Patterns with one meaning in RE2 (Go), ECMA 262 with and without `u`, Java, Rust and Python.

`\\u` is no escape of RE2; `\\d`, `\\s` and `\\w` mean ASCII to some and Unicode to others; RE2 has
no lookahead and no lookbehind. Source: https://github.com/google/re2/wiki/Syntax; ECMA 262, 22.2.1.
"""

REPEATED_MAX = 1000
"""How often RE2 can repeat something."""


def components(kind: str) -> dict[str, Json]:
    """Return the schemas, headers or responses of the document by their names."""
    return cast("dict[str, dict[str, Json]]", build_document()["components"])[kind]


def problem_statuses(operation: Json) -> set[str]:
    return {status for status in cast("Json", operation["responses"]) if status >= "400"}


def operations() -> Iterator[Json]:
    for path_item in cast("dict[str, dict[str, Json]]", build_document()["paths"]).values():
        yield from path_item.values()


def parameters() -> Iterator[Json]:
    for operation in operations():
        yield from cast("list[Json]", operation["parameters"])


def is_valid(schema: object, example: object) -> bool:
    """Check an example against a schema that can refer to the components of the document."""
    root = {"allOf": [schema], "components": build_document()["components"]}
    return Draft202012Validator(root, validate_formats=True).is_valid(example)


def patterns_in(part: object) -> Iterator[str]:
    if isinstance(part, list):
        for item in cast("list[object]", part):
            yield from patterns_in(item)
    if isinstance(part, dict):
        for name, member in cast("Json", part).items():
            if name == "pattern" and isinstance(member, str):
                yield member
            yield from patterns_in(member)


def test_the_committed_document_is_not_stale() -> None:
    assert json.loads(COMMITTED.read_text()) == build_document(), "run `make fix`"


def test_the_gateway_serves_the_committed_document() -> None:
    assert COMMITTED.resolve() == OPENAPI_FILE


def test_two_schemas_cannot_have_one_name() -> None:
    schemas = SchemaRegistry()
    reference = {"$ref": "#/components/schemas/Task"}

    assert schemas.reference({"type": "object", "title": "Task"}) == reference
    assert schemas.reference({"type": "object", "title": "Task"}) == reference
    with pytest.raises(ConflictError):
        schemas.reference({"type": "object", "title": "Task", "required": ["title"]})


def test_every_reference_has_a_component() -> None:
    document = build_document()

    for reference in json.dumps(document).split('"$ref": "#/')[1:]:
        pointer, _, _ = reference.partition('"')
        part = document
        for name in pointer.split("/"):
            part = cast("Json", part[name])


def test_every_parameter_and_every_model_has_a_valid_example() -> None:
    for parameter in parameters():
        assert is_valid(parameter["schema"], parameter["example"]), parameter
    for name, schema in components("schemas").items():
        if name not in {"Code", "Fault", "Problem"}:
            (example,) = cast("list[object]", schema["examples"])
            assert is_valid({"$ref": f"#/components/schemas/{name}"}, example), name


@pytest.mark.scenario("S001-FR-006", "S002-SC-007")
def test_every_error_is_a_problem_document_with_an_example() -> None:
    statuses: set[str] = set()
    for operation in operations():
        statuses.update(problem_statuses(operation))
    responses = components("responses")

    assert set(responses) == statuses
    for status, response in responses.items():
        ((media_type, content),) = cast("dict[str, Json]", response["content"]).items()
        example = cast("dict[str, object]", content["example"])
        assert media_type == "application/problem+json"
        assert content["schema"] == PROBLEM
        assert is_valid(PROBLEM, example), example
        assert example["status"] == int(status)


def test_request_models_forbid_unknown_fields_and_response_models_have_all_fields() -> None:
    for name, schema in components("schemas").items():
        if name.endswith("Read"):
            assert schema["required"] == list(cast("Json", schema["properties"]))
        elif name.startswith(("Task", "User")):
            assert schema["additionalProperties"] is False


def test_every_pattern_means_the_same_in_all_languages() -> None:
    patterns = set(patterns_in(build_document()))

    assert patterns
    for pattern in patterns:
        assert PORTABLE.fullmatch(pattern), pattern
        assert re.compile(pattern)
        for times in re.findall(r"([0-9]+)\}", pattern):
            assert int(times) <= REPEATED_MAX, pattern


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\u0041$",
        r"^\d$",
        r"^[\s]$",
        r"^(?=a)b$",
        r"^(?<!a)b$",
        r"^\p{L}$",
        r"^(a)\1$",
        "^[[:alpha:]]$",
        "^a{2,}+$",
    ],
)
def test_a_pattern_that_only_some_languages_know_is_noticed(pattern: str) -> None:
    assert not PORTABLE.fullmatch(pattern)
