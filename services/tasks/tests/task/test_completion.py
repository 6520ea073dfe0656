"""`is_completed` and `status` are two spellings of one field."""

import pytest

from devkit.testing.auth_headers import ClientFactory

THEN = "2026-01-02T03:04:05.678901Z"


@pytest.mark.parametrize(
    ("body", "completed"),
    [
        ({"is_completed": True}, True),
        ({"status": "completed"}, True),
        ({"is_completed": True, "status": "completed"}, True),
        ({"status": "pending"}, False),
        ({}, False),
    ],
)
async def test_either_spelling_sets_both(
    as_user: ClientFactory, body: dict[str, object], *, completed: bool
) -> None:
    task = (await as_user("owner").post("/tasks", json={"title": "Do it"} | body)).json()

    assert task["is_completed"] is completed
    assert task["status"] == ("completed" if completed else "pending")
    assert (task["completed_at"] is not None) is completed


async def test_the_completion_time_stays_until_the_task_is_reopened(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    completed_task = (
        await owner.post("/tasks", json={"title": "Do it", "is_completed": True})
    ).json()
    url = f"/tasks/{completed_task['id']}"

    renamed = (await owner.patch(url, json={"title": "Did it"})).json()
    reopened = (await owner.patch(url, json={"status": "pending"})).json()
    completed_again = (await owner.patch(url, json={"is_completed": True})).json()

    assert renamed["completed_at"] == completed_task["completed_at"]
    assert reopened["completed_at"] is None
    assert (
        completed_again["completed_at"]
        == completed_again["updated_at"]
        > completed_task["completed_at"]
    )


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize(
    ("was_completed", "flipped", "is_completed"),
    [
        (False, {"is_completed": True}, True),
        (False, {"status": "completed"}, True),
        (True, {"is_completed": False}, False),
        (True, {"status": "pending"}, False),
    ],
)
async def test_a_task_sent_back_with_one_spelling_changed_is_accepted(
    as_user: ClientFactory,
    method: str,
    flipped: dict[str, object],
    *,
    was_completed: bool,
    is_completed: bool,
) -> None:
    owner = as_user("owner")
    task = (
        await owner.post("/tasks", json={"title": "Do it", "is_completed": was_completed})
    ).json()

    changed = (await owner.request(method, f"/tasks/{task['id']}", json=task | flipped)).json()

    assert changed["is_completed"] is is_completed
    assert (changed["completed_at"] is not None) is is_completed


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
async def test_contradicting_spellings_are_rejected(as_user: ClientFactory, method: str) -> None:
    owner = as_user("owner")
    task = (await owner.post("/tasks", json={"title": "Do it"})).json()
    url = "/tasks" if method == "POST" else f"/tasks/{task['id']}"

    response = await owner.request(
        method, url, json={"title": "x", "is_completed": True, "status": "pending"}
    )

    assert (response.status_code, response.json()["code"]) == (422, "contradiction")
    assert (await owner.get("/tasks")).json() == [task]


@pytest.mark.parametrize(
    "time", ["yesterday", "2026-01-02", "1767322800", "2026-02-30T00:00:00Z", 5, True]
)
async def test_a_completion_time_that_is_sent_back_must_be_valid(
    as_user: ClientFactory, time: object
) -> None:
    owner = as_user("owner")
    task = (await owner.post("/tasks", json={"title": "Do it"})).json()

    response = await owner.patch(f"/tasks/{task['id']}", json={"completed_at": time})

    assert response.status_code == 400


async def test_other_read_only_fields_are_ignored(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task = (await owner.post("/tasks", json={"title": "Do it"})).json()
    echo = {"completed_at": THEN, "created_at": THEN, "updated_at": None, "version": "7"}

    assert (await owner.patch(f"/tasks/{task['id']}", json=echo)).json() == task
