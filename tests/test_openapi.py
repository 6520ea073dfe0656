"""The committed document says what the services do."""

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
      | \[ \^? ( [A-Za-z0-9 "!#$%&'()*+,./:;<=>?@_`{|}~-] | \\ ( [tnr\\^\]\[-] | x[0-9a-f]{2} ) )+ \]
      | \( (?!\?) | \) | \|                       # groups and choices,
      | [*+?]                                    # and how often
      | \{ ( [0-9]+ , )? [0-9]+ \}
    )* \$?
    """
)
"""Patterns that RE2 (Go), ECMA 262 with and without `u`, Java, Rust and Python take, and read alike.

`\\u` is none of RE2's escapes; `\\d`, `\\s` and `\\w` mean ASCII to some and Unicode to others; RE2 looks neither
ahead nor behind. Source: https://github.com/google/re2/wiki/Syntax; ECMA 262, 22.2.1.
"""

REPEATED_MAX = 1000
"""Times that RE2 repeats something."""


def named(place: str) -> dict[str, Json]:
    """Return what the document says once."""
    return cast("dict[str, dict[str, Json]]", build_document()["components"])[place]


def refusals_of(operation: Json) -> set[str]:
    return {status for status in cast("Json", operation["responses"]) if status >= "400"}


def operations() -> Iterator[Json]:
    paths = cast("dict[str, dict[str, Json]]", build_document()["paths"])
    return (operation for verbs in paths.values() for operation in verbs.values())


def parameters() -> Iterator[Json]:
    return (
        found for operation in operations() for found in cast("list[Json]", operation["parameters"])
    )


def is_valid(schema: object, example: object) -> bool:
    components = {"components": build_document()["components"]}
    return Draft202012Validator({"allOf": [schema], **components}, validate_formats=True).is_valid(
        example
    )


def patterns(part: object) -> Iterator[str]:
    if isinstance(part, list):
        for each in cast("list[object]", part):
            yield from patterns(each)
    if isinstance(part, dict):
        for name, each in cast("Json", part).items():
            if name == "pattern" and isinstance(each, str):
                yield each
            yield from patterns(each)


def test_the_committed_document_is_not_stale() -> None:
    assert json.loads(COMMITTED.read_text()) == build_document(), "make it again: make fix"


def test_the_gateway_serves_the_committed_document() -> None:
    assert COMMITTED.resolve() == OPENAPI_FILE


def test_two_schemas_cannot_have_one_name() -> None:
    schemas, task = SchemaRegistry(), Json(type="object", title="Task")

    assert (
        schemas.reference({**task})
        == schemas.reference({**task})
        == {"$ref": "#/components/schemas/Task"}
    )
    with pytest.raises(ConflictError):
        schemas.reference({**task, "required": ["title"]})


def test_whatever_is_referred_to_is_there() -> None:
    text = json.dumps(build_document())
    components = build_document()["components"]

    for part in text.split('"$ref": "#/')[1:]:
        found: object = components
        for name in part.partition('"')[0].split("/")[1:]:
            found = cast("Json", found)[name]


def test_every_parameter_and_every_model_has_an_example_that_it_allows() -> None:
    for parameter in parameters():
        assert is_valid(parameter["schema"], parameter["example"]), parameter
    for name in named("schemas").keys() - {"Code", "Fault", "Problem"}:
        (example,) = cast("list[object]", named("schemas")[name]["examples"])
        assert is_valid({"$ref": f"#/components/schemas/{name}"}, example), name


@pytest.mark.scenario("S001-FR-006", "S002-SC-007")
def test_every_refusal_is_a_problem_document_with_an_example() -> None:
    assert set(named("responses")) == {
        status for each in operations() for status in refusals_of(each)
    }
    for status, answer in named("responses").items():
        ((media_type, content),) = cast("dict[str, Json]", answer["content"]).items()
        example = cast("dict[str, object]", content["example"])
        assert (media_type, content["schema"]) == ("application/problem+json", PROBLEM)
        assert is_valid(PROBLEM, example), example
        assert example["status"] == int(status)


def test_what_a_body_may_hold_is_closed_and_what_an_answer_holds_is_always_there() -> None:
    for name, schema in named("schemas").items():
        if name.endswith("Read"):
            assert schema["required"] == list(cast("Json", schema["properties"]))
        elif name.startswith(("Task", "User")):
            assert schema["additionalProperties"] is False


def test_every_pattern_means_the_same_in_all_languages() -> None:
    found = set(patterns(build_document()))

    assert found
    for pattern in found:
        assert PORTABLE.fullmatch(pattern), pattern
        assert re.compile(pattern)
        assert all(int(times) <= REPEATED_MAX for times in re.findall(r"([0-9]+)\}", pattern)), (
            pattern
        )


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
