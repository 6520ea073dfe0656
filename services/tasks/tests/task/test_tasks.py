"""Making, reading, changing, replacing and deleting."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from devkit.testing.auth_headers import ClientFactory

from ..support.task_fields import RESPONSE_FIELDS


@pytest.mark.scenario("S001-US1.1", "S002-US2.1")
async def test_a_made_task_belongs_to_its_maker_and_has_every_field(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    made = await owner.post("/tasks", json={"title": "  Water the plants\n", "description": ""})

    task = made.json()
    assert (made.status_code, made.headers["location"]) == (201, f"/tasks/{task['id']}")
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
async def test_somebody_elses_task_looks_missing(as_user: ClientFactory) -> None:
    made = await as_user("owner").post("/tasks", json={"title": "Water the plants"})
    stranger, address = as_user("stranger"), f"/tasks/{made.json()['id']}"
    own = await stranger.post("/tasks", json={"title": "Water the lawn"})

    for method, body in (
        ("GET", None),
        ("PATCH", {"title": "Mine"}),
        ("PUT", {"title": "Mine"}),
        ("DELETE", None),
    ):
        foreign = await stranger.request(method, address, json=body)
        missing = await stranger.request(method, f"/tasks/{uuid4()}", json=body)
        assert foreign.status_code == 404
        assert foreign.json() | {"request_id": ""} == missing.json() | {"request_id": ""}
    assert (await stranger.get("/tasks")).json() == [own.json()]
    assert (await as_user("owner").get("/tasks")).json() == [made.json()]


@pytest.mark.scenario("S001-US3.1", "S002-US2.3")
async def test_a_change_keeps_what_it_does_not_name(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    before = (await owner.post("/tasks", json={"title": "Old", "description": "Stays"})).json()

    after = (await owner.patch(f"/tasks/{before['id']}", json={"title": "New"})).json()

    moved = {"title": "New", "version": before["version"] + 1, "updated_at": after["updated_at"]}
    assert after == before | moved
    assert after["updated_at"] > before["updated_at"]


async def test_null_clears_a_description(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task = (await owner.post("/tasks", json={"title": "Old", "description": "Goes"})).json()

    assert (await owner.patch(f"/tasks/{task['id']}", json={"description": None})).json()[
        "description"
    ] is None


async def test_a_replacement_puts_what_it_does_not_name_to_its_default(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    body = {"title": "Old", "description": "Goes", "is_completed": True}
    before = (await owner.post("/tasks", json=body)).json()

    after = (await owner.put(f"/tasks/{before['id']}", json={"title": "New"})).json()

    gone = {
        "title": "New",
        "description": None,
        "is_completed": False,
        "status": "pending",
        "completed_at": None,
    }
    assert after == before | gone | {
        "version": before["version"] + 1,
        "updated_at": after["updated_at"],
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

    again = await owner.request(method, f"/tasks/{task['id']}", json=task | {"title": " Same "})

    assert (again.status_code, again.json()) == (200, task)
    next_one = (await owner.post("/tasks", json={"title": "Next"})).json()
    assert next_one["version"] == task["version"] + 1


@pytest.mark.scenario("S001-US4.1", "S002-US2.4")
async def test_a_deleted_task_is_gone_and_takes_a_version_with_it(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    kept, gone = [
        (await owner.post("/tasks", json={"title": title})).json() for title in ("Kept", "Gone")
    ]

    answer = await owner.delete(f"/tasks/{gone['id']}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert (await owner.delete(f"/tasks/{gone['id']}")).status_code == 404
    assert (await owner.get("/tasks")).json() == [kept]
    next_one = (await owner.post("/tasks", json={"title": "Next"})).json()
    assert next_one["version"] == gone["version"] + 2


async def test_a_put_to_a_missing_task_makes_none(as_user: ClientFactory) -> None:
    owner = as_user("owner")

    assert (await owner.put(f"/tasks/{uuid4()}", json={"title": "New"})).status_code == 404
    assert (await owner.get("/tasks")).json() == []


async def test_an_owner_has_at_most_so_many_tasks(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    made = [await owner.post("/tasks", json={"title": str(number)}) for number in range(6)]

    assert [answer.status_code for answer in made] == [201] * 5 + [422]
    assert made[-1].json()["code"] == "quota-exceeded"
    await owner.delete(made[0].headers["location"])
    assert (await owner.post("/tasks", json={"title": "Room again"})).status_code == 201
    assert (
        await as_user("neighbour").post("/tasks", json={"title": "Room too"})
    ).status_code == 201


async def test_the_body_of_a_change_may_not_hold_another_task(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task = (await owner.post("/tasks", json={"title": "Old"})).json()

    for method in ("PATCH", "PUT"):
        answer = await owner.request(
            method, f"/tasks/{task['id']}", json={"title": "New", "id": str(uuid4())}
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "id-mismatch")
    assert (await owner.get(f"/tasks/{task['id']}")).json() == task
