"""No field of a task is forgotten in any of the ways in which tasks are written and read."""

import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory
from tasks.models import StagedTask, Task
from tasks.task.columns import EDITABLE_COLUMNS
from tasks.task.schemas import TaskChange, TaskCreate, TaskRead, TaskReplace
from tasks.transfer.ndjson import TaskRecord

from ..support.helpers import IF_ABSENT, JsonObject, create_task, json_object
from ..support.import_export import erase_owner, export, import_records, without_versions
from ..support.task_fields import (
    EDITABLE_FIELDS,
    FIRST_LIST_ID,
    RESPONSE_FIELDS,
    SECOND_LIST_ID,
)

SET_BY_THE_SERVICE = {
    "id",
    "user_id",
    "status",
    "completed_at",
    "created_at",
    "updated_at",
    "version",
    "position",
    "previous_id",
    "made_version",
    "made_subtask_count",
}
"""Columns of a task that no client can edit."""

NOT_IMPORTED = {"id", "user_id", "status", "version", "made_version", "made_subtask_count"}
"""Columns of a task that an import does not stage under the same name."""

NO_COLUMN = {"labels"}
"""Editable fields that have tables of their own."""

LINKS = {"parent_id"}
"""Editable fields that name other tasks: `test_subtasks` is about them."""

ALL_FIELDS: JsonObject = {name: values.first for name, values in EDITABLE_FIELDS.items()}


def _request_fields() -> set[str]:
    fields: set[str] = set()
    for column in EDITABLE_COLUMNS:
        fields.update(column.request_fields)
    return fields


def test_every_column_is_editable_or_set_by_the_service() -> None:
    editable = {column.name for column in EDITABLE_COLUMNS}

    assert len(editable) == len(EDITABLE_COLUMNS)
    assert editable | SET_BY_THE_SERVICE == set(Task.model_fields)
    assert not editable & SET_BY_THE_SERVICE


def test_every_column_is_staged_by_an_import() -> None:
    assert set(Task.model_fields) - NOT_IMPORTED <= set(StagedTask.model_fields)


@pytest.mark.parametrize("model", [TaskCreate, TaskChange, TaskReplace, TaskRecord])
def test_every_body_has_exactly_the_fields_of_the_columns(
    model: type[TaskCreate | TaskChange | TaskReplace | TaskRecord],
) -> None:
    not_editable = {
        "kind",
        "id",
        "user_id",
        "completed_at",
        "created_at",
        "updated_at",
        "version",
        "position",
        "previous_id",
    }

    assert set(model.model_fields) - not_editable == _request_fields() | NO_COLUMN


def test_a_response_has_every_field() -> None:
    assert list(TaskRead.__annotations__) == RESPONSE_FIELDS
    assert _request_fields() | NO_COLUMN <= set(RESPONSE_FIELDS)


def test_these_tests_know_every_editable_field() -> None:
    assert set(EDITABLE_FIELDS) == (_request_fields() | NO_COLUMN) - {"status"} - LINKS


@pytest.fixture
async def owner(as_isolated_user: ClientFactory) -> AsyncClient:
    """Return a user with both lists that tasks can be moved between."""
    client = as_isolated_user("owner")
    for list_id in (FIRST_LIST_ID, SECOND_LIST_ID):
        body = {"name": list_id}
        response = await client.put(f"/lists/{list_id}", json=body, headers=IF_ABSENT)
        assert response.status_code == 201
    return client


def _editable(task: JsonObject) -> JsonObject:
    return {name: task[name] for name in EDITABLE_FIELDS}


async def test_a_created_task_has_what_was_sent(owner: AsyncClient) -> None:
    task = await json_object(await owner.post("/tasks", json=ALL_FIELDS), 201)

    assert _editable(task) == ALL_FIELDS
    assert (await owner.get(f"/tasks/{task['id']}")).json() == task
    assert (await owner.get("/tasks")).json() == [task]
    assert (await owner.get("/tasks/changes")).json()["tasks"] == [task]


async def test_a_task_with_the_clients_id_has_what_was_sent(owner: AsyncClient) -> None:
    path = "/tasks/01900000-0000-7000-8000-00000000000c"

    task = await json_object(await owner.put(path, json=ALL_FIELDS, headers=IF_ABSENT), 201)

    assert _editable(task) == ALL_FIELDS


async def test_each_field_can_be_changed_alone(owner: AsyncClient) -> None:
    task = await json_object(await owner.post("/tasks", json=ALL_FIELDS), 201)
    expected = ALL_FIELDS
    for name, values in EDITABLE_FIELDS.items():
        change = {name: values.second}
        expected = expected | change

        changed = await json_object(await owner.patch(f"/tasks/{task['id']}", json=change))

        assert _editable(changed) == expected


async def test_each_field_can_be_replaced(owner: AsyncClient) -> None:
    task = await json_object(await owner.post("/tasks", json=ALL_FIELDS), 201)
    body = ALL_FIELDS
    for name, values in EDITABLE_FIELDS.items():
        body = body | {name: values.second}

        replaced = await json_object(await owner.put(f"/tasks/{task['id']}", json=body))

        assert _editable(replaced) == body


async def test_a_put_without_planning_fields_leaves_them_as_they_are(owner: AsyncClient) -> None:
    task = await json_object(await owner.post("/tasks", json=ALL_FIELDS), 201)

    replaced = await json_object(await owner.put(f"/tasks/{task['id']}", json={"title": "New"}))

    reset: JsonObject = {"title": "New", "description": None, "is_completed": False}
    assert _editable(replaced) == ALL_FIELDS | reset


async def test_a_key_is_for_one_value_of_each_field(owner: AsyncClient) -> None:
    headers = {"Idempotency-Key": "key"}
    first = await owner.post("/tasks", json=ALL_FIELDS, headers=headers)

    again = await owner.post("/tasks", json=ALL_FIELDS, headers=headers)

    assert (again.status_code, again.content) == (201, first.content)
    for name, values in EDITABLE_FIELDS.items():
        body = ALL_FIELDS | {name: values.second}
        other = await owner.post("/tasks", json=body, headers=headers)
        assert (other.status_code, other.json()["code"]) == (422, "key-reused"), name


async def test_an_export_comes_back_with_every_field(owner: AsyncClient) -> None:
    await create_task(owner, "Without anything else")
    await json_object(await owner.post("/tasks", json=ALL_FIELDS), 201)
    records = await export(owner)
    await erase_owner(owner)

    await import_records(owner, records)

    assert without_versions(await export(owner)) == without_versions(records)


async def test_an_import_changes_each_field(owner: AsyncClient) -> None:
    record = await json_object(await owner.post("/tasks", json=ALL_FIELDS), 201)
    record["kind"] = "task"
    expected = ALL_FIELDS
    for name, values in EDITABLE_FIELDS.items():
        expected = expected | {name: values.second}
        record[name] = values.second
        if name == "is_completed":
            record["status"] = "pending"
            record["completed_at"] = None

        report = await import_records(owner, [record])

        assert report.updated == 1, name
        [imported] = (await owner.get("/tasks")).json()
        assert _editable(imported) == expected
