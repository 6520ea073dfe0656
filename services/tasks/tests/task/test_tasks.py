"""Create, read, change, replace and delete tasks."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from devkit.testing.auth_headers import ClientFactory

from ..support.task_fields import RESPONSE_FIELDS


@pytest.mark.scenario("S001-US1.1", "S002-US2.1")
async def test_a_created_task_belongs_to_its_user_and_has_every_field(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    created = await owner.post("/tasks", json={"title": "  Water the plants\n", "description": ""})

    task = created.json()
    assert (created.status_code, created.headers["location"]) == (201, f"/tasks/{task['id']}")
    assert list(task) == RESPONSE_FIELDS
    assert (task["title"], task["description"], task["status"]) == (
        "Water the plants",
        "",
        "pending",
    )
    assert task["user_id"] == owner.headers["x-user-id"]
    assert UUID(task["id"]).version == 7
    assert (await owner.get(f"/tasks/{task['id']}")).json() == task
    assert (await owner.get("/tasks")).json() == [task]


async def test_times_are_utc_with_microseconds(as_user: ClientFactory) -> None:
    task = (
        await as_user("owner").post("/tasks", json={"title": "Now", "is_completed": True})
    ).json()

    for name in ("created_at", "updated_at", "completed_at"):
        assert datetime.strptime(task[name], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        assert len(task[name]) == 27
    assert task["created_at"] == task["updated_at"] == task["completed_at"]


@pytest.mark.scenario("S001-US3.2", "S001-US4.2", "S001-SC-003", "S002-US2.2")
async def test_another_users_task_looks_missing(as_user: ClientFactory) -> None:
    created = await as_user("owner").post("/tasks", json={"title": "Water the plants"})
    other_user, url = as_user("stranger"), f"/tasks/{created.json()['id']}"
    own = await other_user.post("/tasks", json={"title": "Water the lawn"})

    for method, body in (
        ("GET", None),
        ("PATCH", {"title": "Mine"}),
        ("PUT", {"title": "Mine"}),
        ("DELETE", None),
    ):
        other_users = await other_user.request(method, url, json=body)
        missing = await other_user.request(method, f"/tasks/{uuid4()}", json=body)
        assert other_users.status_code == 404
        assert other_users.json() | {"request_id": ""} == missing.json() | {"request_id": ""}
    assert (await other_user.get("/tasks")).json() == [own.json()]
    assert (await as_user("owner").get("/tasks")).json() == [created.json()]


@pytest.mark.scenario("S001-US3.1", "S002-US2.3")
async def test_a_patch_keeps_absent_fields(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    before = (await owner.post("/tasks", json={"title": "Old", "description": "Stays"})).json()

    changed = (await owner.patch(f"/tasks/{before['id']}", json={"title": "New"})).json()

    change_fields = {
        "title": "New",
        "version": before["version"] + 1,
        "updated_at": changed["updated_at"],
    }
    assert changed == before | change_fields
    assert changed["updated_at"] > before["updated_at"]


async def test_null_clears_a_description(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task = (await owner.post("/tasks", json={"title": "Old", "description": "Goes"})).json()

    assert (await owner.patch(f"/tasks/{task['id']}", json={"description": None})).json()[
        "description"
    ] is None


async def test_a_put_resets_absent_fields(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    body = {"title": "Old", "description": "Goes", "is_completed": True}
    before = (await owner.post("/tasks", json=body)).json()

    changed = (await owner.put(f"/tasks/{before['id']}", json={"title": "New"})).json()

    deleted = {
        "title": "New",
        "description": None,
        "is_completed": False,
        "status": "pending",
        "completed_at": None,
    }
    assert changed == before | deleted | {
        "version": before["version"] + 1,
        "updated_at": changed["updated_at"],
    }


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_a_write_that_changes_nothing_takes_no_version(
    as_user: ClientFactory, method: str
) -> None:
    owner = as_user("owner")
    task = (
        await owner.post(
            "/tasks", json={"title": "Same", "description": "Same", "status": "completed"}
        )
    ).json()

    response = await owner.request(method, f"/tasks/{task['id']}", json=task | {"title": " Same "})

    assert (response.status_code, response.json()) == (200, task)
    next_task = (await owner.post("/tasks", json={"title": "Next"})).json()
    assert next_task["version"] == task["version"] + 1


@pytest.mark.scenario("S001-US4.1", "S002-US2.4")
async def test_a_deletion_takes_a_version(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    remaining, deleted = [
        (await owner.post("/tasks", json={"title": title})).json() for title in ("Kept", "Gone")
    ]

    response = await owner.delete(f"/tasks/{deleted['id']}")

    assert (response.status_code, response.content) == (204, b"")
    assert (await owner.delete(f"/tasks/{deleted['id']}")).status_code == 404
    assert (await owner.get("/tasks")).json() == [remaining]
    next_task = (await owner.post("/tasks", json={"title": "Next"})).json()
    assert next_task["version"] == deleted["version"] + 2


async def test_a_put_creates_no_task(as_user: ClientFactory) -> None:
    owner = as_user("owner")

    assert (await owner.put(f"/tasks/{uuid4()}", json={"title": "New"})).status_code == 404
    assert (await owner.get("/tasks")).json() == []


async def test_the_number_of_tasks_is_limited(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    created = [await owner.post("/tasks", json={"title": str(number)}) for number in range(6)]

    assert [response.status_code for response in created] == [201] * 5 + [422]
    assert created[-1].json()["code"] == "quota-exceeded"
    await owner.delete(created[0].headers["location"])
    assert (await owner.post("/tasks", json={"title": "Room again"})).status_code == 201
    assert (
        await as_user("neighbour").post("/tasks", json={"title": "Room too"})
    ).status_code == 201


async def test_the_id_in_the_body_must_be_that_of_the_path(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task = (await owner.post("/tasks", json={"title": "Old"})).json()

    for method in ("PATCH", "PUT"):
        response = await owner.request(
            method, f"/tasks/{task['id']}", json={"title": "New", "id": str(uuid4())}
        )
        assert (response.status_code, response.json()["code"]) == (422, "id-mismatch")
    assert (await owner.get(f"/tasks/{task['id']}")).json() == task
