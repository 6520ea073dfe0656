"""One fact in two spellings: `is_completed` and `status`."""

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


async def test_the_time_of_completion_stays_until_the_task_is_open_again(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    done = (await owner.post("/tasks", json={"title": "Do it", "is_completed": True})).json()
    address = f"/tasks/{done['id']}"

    renamed = (await owner.patch(address, json={"title": "Did it"})).json()
    opened = (await owner.patch(address, json={"status": "pending"})).json()
    again = (await owner.patch(address, json={"is_completed": True})).json()

    assert renamed["completed_at"] == done["completed_at"]
    assert opened["completed_at"] is None
    assert again["completed_at"] == again["updated_at"] > done["completed_at"]


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize(
    ("was", "flipped", "becomes"),
    [
        (False, {"is_completed": True}, True),
        (False, {"status": "completed"}, True),
        (True, {"is_completed": False}, False),
        (True, {"status": "pending"}, False),
    ],
)
async def test_whoever_echoes_a_task_and_flips_one_field_is_understood(
    as_user: ClientFactory, method: str, flipped: dict[str, object], *, was: bool, becomes: bool
) -> None:
    owner = as_user("owner")
    task = (await owner.post("/tasks", json={"title": "Do it", "is_completed": was})).json()

    after = (await owner.request(method, f"/tasks/{task['id']}", json=task | flipped)).json()

    assert after["is_completed"] is becomes
    assert (after["completed_at"] is not None) is becomes


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
async def test_a_contradiction_without_an_echo_is_refused(
    as_user: ClientFactory, method: str
) -> None:
    owner = as_user("owner")
    task = (await owner.post("/tasks", json={"title": "Do it"})).json()
    address = "/tasks" if method == "POST" else f"/tasks/{task['id']}"

    answer = await owner.request(
        method, address, json={"title": "x", "is_completed": True, "status": "pending"}
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "contradiction")
    assert (await owner.get("/tasks")).json() == [task]


@pytest.mark.parametrize(
    "time", ["yesterday", "2026-01-02", "1767322800", "2026-02-30T00:00:00Z", 5, True]
)
async def test_an_echoed_time_must_be_one(as_user: ClientFactory, time: object) -> None:
    owner = as_user("owner")
    task = (await owner.post("/tasks", json={"title": "Do it"})).json()

    answer = await owner.patch(f"/tasks/{task['id']}", json={"completed_at": time})

    assert answer.status_code == 400


async def test_other_echoed_fields_are_ignored_whatever_they_say(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task = (await owner.post("/tasks", json={"title": "Do it"})).json()
    echo = {"completed_at": THEN, "created_at": THEN, "updated_at": None, "version": "7"}

    assert (await owner.patch(f"/tasks/{task['id']}", json=echo)).json() == task
