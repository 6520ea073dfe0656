"""Whoever writes an unknown field or parameter reads which one is probably meant."""

import time

import pytest
from httpx import Response
from pydantic import JsonValue

from common.unknown_fields import find_unknown_fields
from devkit.testing.auth_headers import ClientFactory
from tasks.task.schemas import TaskChange


def message_of(response: Response) -> str:
    [error] = response.json()["errors"]
    assert error["code"] == "extra-forbidden"
    return error["message"]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("completed", "is_completed"),
        ("done", "is_completed"),
        ("isCompleted", "is_completed"),
        ("is_complete", "is_completed"),
        ("IS-COMPLETED", "is_completed"),
        ("dueDate", "due"),
        ("due_date", "due"),
        ("dueAt", "due"),
        ("deadline", "due"),
        ("list", "list_id"),
        ("listId", "list_id"),
        ("project", "list_id"),
        ("tags", "labels"),
        ("label", "labels"),
        ("name", "title"),
        ("titel", "title"),
        ("taskTitle", "title"),
        ("text", "title"),
        ("notes", "description"),
        ("desc", "description"),
        ("prio", "priority"),
        ("priorities", "priority"),
        ("state", "status"),
        ("userId", "user_id"),
    ],
)
async def test_an_unknown_field_names_the_likely_one(
    as_user: ClientFactory, name: str, field: str
) -> None:
    ann = as_user("ann")
    created = await ann.post("/tasks", json={"title": "Water the plants"})

    new = await ann.post("/tasks", json={"title": "x", name: 1})
    change = await ann.patch(created.headers["location"], json={name: 1})
    replacement = await ann.put(created.headers["location"], json={"title": "x", name: 1})

    for response in (new, change, replacement):
        assert response.status_code == 422
        assert message_of(response) == f"There is no such field; {field} may be meant."


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("completed", "is_completed"),
        ("done", "is_completed"),
        ("search", "q"),
        ("tag", "label"),
        ("list", "list_id"),
        ("dueBefore", "due_before"),
        ("sortBy", "sort"),
        ("order", "sort"),
        ("page", "cursor"),
        ("per_page", "limit"),
        ("filter[status]", "status"),
    ],
)
async def test_an_unknown_parameter_names_the_likely_one(
    as_user: ClientFactory, name: str, parameter: str
) -> None:
    response = await as_user("ann").get("/tasks", params={name: "1"})

    assert response.status_code == 400
    assert message_of(response) == f"There is no such parameter; {parameter} may be meant."


async def test_a_name_that_resembles_none_lists_all_that_are_useful(
    as_user: ClientFactory,
) -> None:
    ann = as_user("ann")

    field = message_of(await ann.post("/tasks", json={"title": "x", "zzz": 1}))
    parameter = message_of(await ann.get("/tasks?zzz=1"))
    created = await ann.post("/tasks", json={"title": "x"})
    changed = message_of(await ann.patch(created.headers["location"], json={"zzz": 1}))

    # Neither `id`, which a new task must not have, nor the deprecated `user_id`.
    assert field == (
        "There is no such field; possible are is_completed, status, list_id, due, priority, "
        "labels, recurrence, parent_id, title, description."
    )
    # Nor what is ignored, such as `position`.
    assert changed == (
        "There is no such field; possible are is_completed, status, list_id, due, priority, "
        "labels, recurrence, parent_id, id, completed_at, title, description."
    )
    assert parameter == (
        "There is no such parameter; possible are is_completed, status, q, list_id, label, "
        "priority, due_before, due_after, overdue, time_zone, parent_id, limit, cursor, sort."
    )


async def test_the_name_of_a_list_is_called_name(as_user: ClientFactory) -> None:
    response = await as_user("ann").post("/lists", json={"name": "Garden", "title": "Garden"})

    assert message_of(response) == "There is no such field; name may be meant."


async def test_fields_of_the_due_date_are_suggested_too(as_user: ClientFactory) -> None:
    due = {"date": "2026-11-30", "timezone": "Europe/Berlin"}
    response = await as_user("ann").post("/tasks", json={"title": "x", "due": due})

    assert response.json()["errors"][0]["location"] == ["body", "due", "timezone"]
    assert message_of(response) == "There is no such field; time_zone may be meant."


async def test_an_id_that_is_not_the_callers_points_to_the_profile(as_user: ClientFactory) -> None:
    response = await as_user("ann").get("/tasks?user_id=h7RyX2mPqLz0aVtC")

    assert (response.status_code, response.json()["code"]) == (403, "other-user")
    assert "GET /users/me" in response.json()["detail"]


@pytest.mark.parametrize("name", ["importence_{}", "description_of_labels_" * 2 + "_{}", "{}" * 60])
def test_thousands_of_unknown_names_cost_milliseconds(name: str) -> None:
    document: dict[str, JsonValue] = {}
    for number in range(3_000):
        document[name.replace("{}", str(number))] = 1
    started = time.thread_time()  # whatever else the machine does

    errors = find_unknown_fields(("body",), TaskChange, document)

    assert time.thread_time() - started < 0.2
    assert len(errors) == 3_000
