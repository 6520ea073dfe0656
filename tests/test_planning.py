"""The page about lists, labels, due dates and order says what the document does, and the document only grew."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from devkit.openapi.document import build_document
from devkit.openapi.schemas import Json

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "planning.md").read_text()
BEFORE: Json = json.loads((Path(__file__).parent / "openapi_before_planning.json").read_text())
PROBLEMS = tomllib.loads(
    (ROOT / "services/auth-gateway/src/auth_gateway/public/problems.toml").read_text()
)

WORDING = {"description", "example", "examples", "summary", "tags", "info", "pattern"}
"""What may be said in other words; a pattern has to be read by more programs than before."""

WIDER = {
    "/paths//tasks/get/responses/200/headers/ETag/required",  # there is none where the clock decides
}
"""What holds for everything that there was before, and not for what came."""


def fields_before(model: str) -> set[str]:
    schemas = cast("dict[str, dict[str, Json]]", BEFORE["components"])["schemas"]
    return set(cast("Json", schemas.get(model, {}).get("properties", {})))


def fields_now(model: str) -> set[str]:
    schema = cast("dict[str, dict[str, Json]]", build_document()["components"])["schemas"][model]
    return set(cast("Json", schema["properties"]))


def fields_on_page() -> dict[str, set[str]]:
    found, model = dict[str, set[str]](), ""
    for name, field in re.findall(r"^\| (?:`(\w+)`)? ?\| `(\w+)` \|", PAGE, re.MULTILINE):
        model = name or model
        found.setdefault(model, set()).add(field)
    return found


def addresses(of: Json) -> set[tuple[str, str]]:
    return {
        (verb.upper(), path)
        for path, verbs in cast("dict[str, Json]", of["paths"]).items()
        for verb in verbs
    }


@pytest.mark.scenario("S006-US1.1")
def test_the_page_has_every_field_that_came() -> None:
    models = {
        "TaskRead": set[str](),
        "ListRead": set[str](),
        "LabelRead": set[str](),
        "LabelListed": fields_now("LabelRead"),
    }
    came = {
        model: fields_now(model) - fields_before(model) - known for model, known in models.items()
    }

    assert fields_on_page() == came


@pytest.mark.scenario("S006-US2.1", "S006-FR-002")
def test_the_page_has_every_address_that_came() -> None:
    listed = set(re.findall(r"^\| ([A-Z]+) `([^`]+)` \|", PAGE, re.MULTILINE))
    planned = {
        it
        for it in addresses(build_document())
        if it[1].startswith(("/lists", "/labels", "/tasks/{task_id}/move"))
    }

    assert listed == planned | {("GET", "/tasks"), ("GET", "/tasks/changes")}


@pytest.mark.scenario("S006-US2.1")
def test_the_page_has_only_codes_that_are_explained() -> None:
    codes = set(re.findall(r"^\| `([a-z-]+)` \| 4", PAGE, re.MULTILINE))

    assert len(codes) == 11
    assert codes <= PROBLEMS.keys()


@pytest.mark.scenario("S006-US2.2", "S006-FR-006", "S006-SC-003")
def test_the_document_only_grew() -> None:
    assert set(missing(BEFORE, build_document(), "")) == WIDER


@pytest.mark.parametrize("gone", ["/tasks", "/users/me"])
def test_what_goes_from_the_document_is_noticed(gone: str) -> None:
    now = build_document()
    del cast("Json", now["paths"])[gone]

    assert f"/paths/{gone}" in set(missing(BEFORE, now, ""))


def missing(before: object, now: object, place: str) -> Iterator[str]:
    """Say what was there and is not any more, or is something else."""
    if isinstance(before, list) and isinstance(now, list):
        before, now = by_name(cast("list[object]", before)), by_name(cast("list[object]", now))
    if isinstance(before, dict) and isinstance(now, dict):
        for name in cast("Json", before).keys() - WORDING:
            yield from missing(
                cast("Json", before)[name], cast("Json", now).get(name), f"{place}/{name}"
            )
    elif before != now:
        yield place


def by_name(items: list[object]) -> Json:
    """Make the order of a list mean nothing."""
    return {name_of(item): item for item in items}


def name_of(item: object) -> str:
    """Tell items apart by their names, else by what they say, whatever the words."""
    if not isinstance(item, dict):
        return str(item)
    members = cast("Json", item)
    return str(members.get("name") or {name: members[name] for name in members.keys() - WORDING})
