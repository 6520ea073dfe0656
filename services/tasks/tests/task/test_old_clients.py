"""Clients that do not know lists, labels, due dates, priorities and positions."""

import psycopg
import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.helpers import (
    JsonObject,
    create_list,
    create_task,
    field_values,
    json_object,
    move_task,
)

OLD_FIELDS = [
    "id",
    "user_id",
    "title",
    "description",
    "is_completed",
    "status",
    "completed_at",
    "created_at",
    "updated_at",
    "version",
]

OLD_CONTENT = b'{"new_title": "Once", "new_description": null, "new_is_completed": false}'
"""The content of the fingerprint before the planning feature."""


async def _create_planned_task(owner: AsyncClient) -> JsonObject:
    garden = await create_list(owner)
    due = {"date": "2026-11-30", "time": "08:30", "time_zone": "Europe/Berlin"}
    task = await create_task(
        owner, "Dig", list_id=garden["id"], due=due, priority="high", labels=["home", "Weekend"]
    )
    await create_task(owner, "Plant", list_id=garden["id"])
    return await move_task(owner, task)


def _planning_fields(task: JsonObject) -> JsonObject:
    return {name: value for name, value in task.items() if name not in OLD_FIELDS}


@pytest.mark.scenario("S006-AC-11", "S006-SC-003")
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_writes_of_an_old_client_keep_the_planning_fields(
    as_user: ClientFactory, method: str
) -> None:
    owner = as_user("owner")
    before = await _create_planned_task(owner)
    body = {"title": "Dig deeper", "is_completed": True}

    changed = await json_object(await owner.request(method, f"/tasks/{before['id']}", json=body))

    assert _planning_fields(changed) == _planning_fields(before)
    assert changed["title"] == "Dig deeper"
    assert changed["status"] == "completed"
    assert changed["version"] == int(str(before["version"])) + 1


@pytest.mark.scenario("S006-AC-11")
async def test_an_old_client_reads_the_fields_it_knows(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    planned_task = await _create_planned_task(owner)
    task = await create_task(owner, "Old")

    listed = (await owner.get("/tasks")).json()
    assert field_values(listed, "title") == ["Dig", "Plant", "Old"]
    for listed_task in listed:
        assert list(listed_task)[: len(OLD_FIELDS)] == OLD_FIELDS
    assert (await owner.put(f"/tasks/{task['id']}", json=task)).json() == task
    assert (await owner.delete(f"/tasks/{planned_task['id']}")).status_code == 204
    changes = await owner.get(f"/tasks/changes?since={planned_task['version']}")
    [deletion] = changes.json()["deleted"]
    assert deletion["kind"] == "task"
    assert deletion["id"] == planned_task["id"]
    assert (await owner.get("/lists")).json()[0]["name"] == "Garden"


async def test_a_key_from_before_the_planning_feature_is_replayed(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    headers = {"Idempotency-Key": "key"}
    await owner.post("/tasks", json={"title": "Once", "description": None}, headers=headers)
    with psycopg.connect(proxy.server_url) as connection:
        connection.execute("UPDATE idempotency_keys SET digest = sha256(%s)", [OLD_CONTENT])

    retried = await owner.post(
        "/tasks", json={"title": "Once", "priority": "none", "labels": []}, headers=headers
    )

    assert retried.status_code == 201
    assert retried.headers["idempotency-replayed"] == "true"
