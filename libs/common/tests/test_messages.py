"""Clients read every message of our validators whole, and none repeats what they sent."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from pydantic import ValidationInfo, field_validator

from common.identity import User
from common.validation import StrictModel, collect_errors
from tasks.bulk.schemas import BulkChange, TaskSelection
from tasks.sync.schemas import ChangesQuery
from tasks.task.filters import TaskQuery
from tasks.task.schemas import TaskChange, TaskCreate
from tasks.task_list.schemas import ListCreate
from tasks.transfer.ndjson import TaskRecord
from users.schemas import ImportHeader, UserChange

ROOT = Path(__file__).parents[3]
SOURCES = ("libs/common/src", "services/tasks/src", "services/users/src")

ANN = User.model_validate(
    {"sub": uuid4(), "ext": {"issuer": "better-auth", "subject": "ann"}, "exp": 0, "passport": ""}
)

TIME = "2026-11-21T08:30:00Z"
TASK_RECORD: dict[str, object] = {
    "kind": "task",
    "id": str(ANN.id),
    "title": "x",
    "created_at": TIME,
}
CURSOR_OF_ANOTHER_ORDER = "AAAAAAAAAAAZqqXyjkB8MabZOw9cctGE"

INVALID: list[tuple[type[StrictModel], dict[str, object]]] = [
    (TaskCreate, {"title": "x" * 201}),
    (TaskCreate, {"title": "x" * 801}),
    (TaskCreate, {"title": "a\x00"}),
    (TaskCreate, {"title": " "}),
    (TaskCreate, {"title": "x", "description": "x" * 10_001}),
    (TaskCreate, {"title": "x", "description": "\x00"}),
    (TaskCreate, {"title": "a" + "\u0301" * 31}),
    (TaskCreate, {"title": "x", "id": str(ANN.id)}),
    (TaskCreate, {"title": "x", "user_id": "ben"}),
    (TaskCreate, {"title": "x", "status": "qqq"}),
    (TaskCreate, {"title": "x", "priority": "qqq"}),
    (TaskCreate, {"title": "x", "status": "pending", "is_completed": True}),
    (TaskCreate, {"title": "x", "labels": ["x" * 51]}),
    (TaskCreate, {"title": "x", "due": {"date": "qqq"}}),
    (TaskCreate, {"title": "x", "due": {"date": "2201-01-01"}}),
    (TaskCreate, {"title": "x", "due": {"date": "2026-11-21", "time": "qqq"}}),
    (TaskCreate, {"title": "x", "due": {"date": "2026-11-21", "time": "08:30"}}),
    (TaskCreate, {"title": "x", "due": {"date": "2026-11-21", "time_zone": "qqq"}}),
    (
        TaskCreate,
        {
            "title": "x",
            "due": {"date": "2026-03-29", "time": "02:30", "time_zone": "Europe/Berlin"},
        },
    ),
    (TaskChange, {"completed_at": "qqq"}),
    (ListCreate, {"name": "x" * 121}),
    (TaskQuery, {"is_completed": "qqq"}),
    (TaskQuery, {"is_completed": "true", "status": "pending"}),
    (TaskQuery, {"q": ""}),
    (TaskQuery, {"limit": "qqq"}),
    (TaskQuery, {"list_id": "qqq"}),
    (TaskQuery, {"parent_id": "qqq"}),
    (TaskSelection, {"id": ["qqq"]}),
    (TaskQuery, {"sort": "qqq"}),
    (TaskQuery, {"cursor": "qqq"}),
    (TaskQuery, {"cursor": CURSOR_OF_ANOTHER_ORDER, "sort": "due"}),
    (ChangesQuery, {"since": "qqq"}),
    (TaskRecord, TASK_RECORD | {"updated_at": TIME, "kind": "qqq"}),
    (TaskRecord, TASK_RECORD | {"updated_at": "1969-11-21T08:30:00Z"}),
    (TaskRecord, TASK_RECORD | {"updated_at": TIME, "position": "qqq"}),
    (TaskRecord, TASK_RECORD | {"updated_at": TIME, "is_completed": True}),
    (TaskRecord, TASK_RECORD | {"updated_at": TIME, "recurrence": {"rule": "FREQ=DAILY"}}),
    (TaskCreate, {"title": "x", "recurrence": {"rule": "FREQ=DAILY", "from": "qqq"}}),
    (TaskSelection, {}),
    (BulkChange, {"labels_add": ["x"], "labels_remove": ["x"]}),
    (UserChange, {"time_zone": "qqq"}),
    (ImportHeader, {"kind": "qqq", "format": 1, "user": {}}),
    (ImportHeader, {"kind": "export", "format": 2, "user": {}}),
]
"""Together they break every rule that has a message of ours."""


def messages(model: type[StrictModel], document: dict[str, object]) -> list[str]:
    """Return the messages of all errors, as a client reads them."""
    is_query = model.__name__.endswith("Query")

    def validate() -> StrictModel:
        if is_query:
            return model.model_validate(document, strict=False, context=ANN)
        return model.model_validate_json(json.dumps(document), context=ANN)

    return [error["message"] for error in collect_errors("body", validate).errors]


def own_messages() -> Iterator[str]:
    """Yield the message of each `PydanticCustomError` in the source, as a regular expression."""
    for source in SOURCES:
        for file in (ROOT / source).rglob("*.py"):
            tree = ast.parse(file.read_text())
            values: dict[str, ast.expr] = {}
            for node in ast.walk(tree):
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    values[node.targets[0].id] = node.value
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "PydanticCustomError":
                    message = node.args[1]
                    if isinstance(message, ast.Name):
                        message = values[message.id]
                    yield _pattern_of(message)


def _pattern_of(message: ast.expr) -> str:
    parts = [message]
    if isinstance(message, ast.JoinedStr):
        parts = message.values
    pattern = ""
    for part in parts:
        if isinstance(part, ast.Constant):
            pattern += re.sub(r"\\\{\w+\\\}", ".+", re.escape(cast("str", part.value)))
        else:
            pattern += ".+"
    return pattern


def test_every_message_of_ours_is_read_whole() -> None:
    read = [message for model, document in INVALID for message in messages(model, document)]

    patterns = set(own_messages())
    assert len(patterns) > 25
    for pattern in patterns:
        assert any(re.fullmatch(pattern, message) for message in read), pattern


@pytest.mark.parametrize(("model", "document"), INVALID)
def test_a_message_does_not_repeat_the_input(
    model: type[StrictModel], document: dict[str, object]
) -> None:
    [message] = messages(model, document)

    assert "qqq" not in message


@pytest.mark.parametrize(
    ("model", "document", "message"),
    [
        (TaskCreate, {"title": "x", "priority": "!"}, "A priority is none, low, medium or high."),
        (TaskCreate, {"title": "x", "status": "done"}, "A status is pending or completed."),
        (
            TaskQuery,
            {"sort": "name"},
            (
                "A sort is created_at, updated_at, title, due, priority, position, is_completed, "
                "or one of them with - before it."
            ),
        ),
        (TaskQuery, {"limit": "501"}, "Input should be less than or equal to 500"),
        (TaskCreate, {"title": "x", "list_id": "z"}, "Input should be a valid UUID"),
    ],
)
def test_a_message_lists_what_is_possible(
    model: type[StrictModel], document: dict[str, object], message: str
) -> None:
    assert messages(model, document) == [message]


class Colours(StrictModel):
    """A model with a validator that raises what Python raises."""

    colour: str
    size: int = 0

    @field_validator("colour")
    @classmethod
    def _check_colour(cls, colour: str, info: ValidationInfo[Any]) -> str:
        del info
        if colour == "mauve":
            raise AssertionError("Mauve, if it is one, is no colour.")
        raise ValueError("A colour is red, green or blue.")


@pytest.mark.parametrize(
    ("colour", "message"),
    [
        ("lila", "A colour is red, green or blue."),
        ("mauve", "Mauve, if it is one, is no colour."),
    ],
)
def test_the_message_of_an_exception_is_not_cut_at_a_comma(colour: str, message: str) -> None:
    assert messages(Colours, {"colour": colour}) == [message]
