"""`docs/planning.md` (lists, due dates, order, repetition) agrees with the OpenAPI document.

The document has everything that it had before these features.
"""

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


def read_document(name: str) -> Json:
    document: Json = json.loads(Path(__file__).with_name(name).read_text())
    return document


DOCUMENT_BEFORE = read_document("openapi_before_planning.json")
DOCUMENT_BEFORE_REPEATING = read_document("openapi_before_repeating.json")
PROBLEMS = tomllib.loads(
    (ROOT / "services/auth-gateway/src/auth_gateway/public/problems.toml").read_text()
)

WORDING = {"description", "example", "examples", "summary", "tags", "info", "pattern"}
"""Members that may change; a pattern must be readable by more programs than before."""

ALLOWED_CHANGES = {
    # There is no ETag if the response depends on the clock.
    "/paths//tasks/get/responses/200/headers/ETag/required",
}

NEW_PATH_PREFIXES = ("/lists", "/labels", "/tasks/{task_id}/move")


def schemas_of(document: Json) -> dict[str, Json]:
    components = cast("dict[str, dict[str, Json]]", document["components"])
    return components["schemas"]


def fields_of(document: Json, model: str) -> set[str]:
    """Return the names of a model's fields; none if there is no such model."""
    schema = schemas_of(document).get(model, {})
    return set(cast("Json", schema.get("properties", {})))


def new_fields(model: str) -> set[str]:
    return fields_of(build_document(), model) - fields_of(DOCUMENT_BEFORE, model)


def fields_on_page() -> dict[str, set[str]]:
    """Return the fields of each model in the tables of the page.

    A row without a model continues the one above.
    """
    fields: dict[str, set[str]] = {}
    model = ""
    for row_model, field in re.findall(r"^\| (?:`(\w+)`)? ?\| `(\w+)` \|", PAGE, re.MULTILINE):
        model = row_model or model
        fields.setdefault(model, set()).add(field)
    return fields


def operations_of(document: Json) -> set[tuple[str, str]]:
    """Return the method and path of each operation."""
    operations: set[tuple[str, str]] = set()
    for path, methods in cast("dict[str, Json]", document["paths"]).items():
        operations.update((method.upper(), path) for method in methods)
    return operations


@pytest.mark.scenario("S006-US1.1")
def test_the_page_has_every_new_field() -> None:
    new_fields_by_model = {
        "TaskRead": new_fields("TaskRead"),
        "RecurrenceRead": new_fields("RecurrenceRead"),
        "ListRead": new_fields("ListRead"),
        "LabelRead": new_fields("LabelRead"),
        "LabelListed": new_fields("LabelListed") - fields_of(build_document(), "LabelRead"),
    }

    assert fields_on_page() == new_fields_by_model


@pytest.mark.scenario("S006-US2.1", "S006-FR-002")
def test_the_page_has_every_new_operation() -> None:
    new_operations = {
        ("GET", "/tasks"),
        ("GET", "/tasks/changes"),
        ("PATCH", "/tasks"),
        ("DELETE", "/tasks"),
        ("DELETE", "/tasks/{task_id}"),
    }
    for method, path in operations_of(build_document()):
        if path.startswith(NEW_PATH_PREFIXES):
            new_operations.add((method, path))

    operations_on_page = set(re.findall(r"^\| ([A-Z]+) `([^`]+)` \|", PAGE, re.MULTILINE))

    assert operations_on_page == new_operations


@pytest.mark.scenario("S006-US2.1")
def test_the_page_has_only_codes_that_are_explained() -> None:
    codes = set(re.findall(r"^\| `([a-z-]+)` \| 4", PAGE, re.MULTILINE))

    assert len(codes) == 20
    assert codes <= PROBLEMS.keys()


@pytest.mark.scenario("S006-US2.2", "S006-FR-006", "S006-SC-003")
def test_nothing_was_removed_from_the_document() -> None:
    assert set(find_changes(DOCUMENT_BEFORE, build_document())) == ALLOWED_CHANGES


def test_nothing_was_removed_from_the_document_before_tasks_repeated() -> None:
    assert set(find_changes(DOCUMENT_BEFORE_REPEATING, build_document())) == set()


@pytest.mark.parametrize("path", ["/tasks", "/users/me"])
def test_a_path_that_is_removed_from_the_document_is_noticed(path: str) -> None:
    document = build_document()
    del cast("Json", document["paths"])[path]

    assert f"/paths/{path}" in set(find_changes(DOCUMENT_BEFORE, document))


def find_changes(before: object, now: object, location: str = "") -> Iterator[str]:
    """Yield the location of each part that is missing now, or differs."""
    if isinstance(before, list) and isinstance(now, list):
        before = items_by_name(cast("list[object]", before))
        now = items_by_name(cast("list[object]", now))
    if isinstance(before, dict) and isinstance(now, dict):
        members_before = cast("Json", before)
        members_now = cast("Json", now)
        for name in members_before.keys() - WORDING:
            yield from find_changes(
                members_before[name], members_now.get(name), f"{location}/{name}"
            )
    elif before != now:
        yield location


def items_by_name(items: list[object]) -> Json:
    """Return the items of a list whose order has no meaning."""
    return {name_of(item): item for item in items}


def name_of(item: object) -> str:
    """Return the name of a parameter or tag, else the item itself without its wording."""
    if not isinstance(item, dict):
        return str(item)
    members = cast("Json", item)
    if members.get("name"):
        return str(members["name"])
    return str({name: members[name] for name in sorted(members.keys() - WORDING)})
