"""The committed document says what the services do."""

import json
from pathlib import Path
from typing import cast

import pytest

from devkit.openapi import FILE, ConflictError, Json, Schemas, document

COMMITTED = Path(__file__).parents[1] / "docs" / "openapi.json"


def test_the_committed_document_is_not_stale() -> None:
    assert json.loads(COMMITTED.read_text()) == document(), "make it again: python -m devkit.openapi"


def test_the_gateway_serves_the_committed_document() -> None:
    assert COMMITTED.resolve() == FILE


def test_two_schemas_cannot_have_one_name() -> None:
    schemas, task = Schemas(), Json(type="object", title="Task")

    assert schemas.refer({**task}) == schemas.refer({**task}) == {"$ref": "#/components/schemas/Task"}
    with pytest.raises(ConflictError):
        schemas.refer({**task, "required": ["title"]})


def test_whatever_is_referred_to_is_there() -> None:
    text = json.dumps(document())
    components = document()["components"]

    for part in text.split('"$ref": "#/')[1:]:
        found: object = components
        for name in part.partition('"')[0].split("/")[1:]:
            found = cast("Json", found)[name]
