"""Clients that know nothing of lists, labels, due dates, priorities and order."""

import psycopg
import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.helpers import JsonObject, create_list, create_task, json_object, move_task

OLD_FIELDS = [
    *("id", "user_id", "title", "description", "is_completed", "status", "completed_at"),
    *("created_at", "updated_at", "version"),
]

OLD_CONTENT = b'{"new_title": "Once", "new_description": null, "new_is_completed": false}'
"""What a key stood for."""


async def _planned(owner: AsyncClient) -> JsonObject:
    garden = await create_list(owner)
    due = {"date": "2026-11-30", "time": "08:30", "time_zone": "Europe/Berlin"}
    task = await create_task(
        owner, "Dig", list_id=garden["id"], due=due, priority="high", labels=["home", "Weekend"]
    )
    await create_task(owner, "Plant", list_id=garden["id"])
    return await move_task(owner, task)


def _plan(task: JsonObject) -> JsonObject:
    return {name: value for name, value in task.items() if name not in OLD_FIELDS}


@pytest.mark.scenario("S006-AC-11", "S006-SC-003")
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_what_an_old_client_writes_loses_nothing_of_a_plan(
    as_user: ClientFactory, method: str
) -> None:
    owner = as_user("owner")
    before = await _planned(owner)
    body = {"title": "Dig deeper", "is_completed": True}

    after = await json_object(await owner.request(method, f"/tasks/{before['id']}", json=body))

    assert _plan(after) == _plan(before)
    assert (after["title"], after["status"]) == ("Dig deeper", "completed")
    assert after["version"] == int(str(before["version"])) + 1


@pytest.mark.scenario("S006-AC-11")
async def test_an_old_client_sees_what_it_always_saw(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    planned = await _planned(owner)
    task = await create_task(owner, "Old")

    listed = (await owner.get("/tasks")).json()
    assert [each["title"] for each in listed] == ["Dig", "Plant", "Old"]
    assert [list(each)[: len(OLD_FIELDS)] for each in listed] == [OLD_FIELDS] * 3
    assert (await owner.put(f"/tasks/{task['id']}", json=task)).json() == task
    assert (await owner.delete(f"/tasks/{planned['id']}")).status_code == 204
    [deletion] = (await owner.get(f"/tasks/changes?since={planned['version']}")).json()["deleted"]
    assert (deletion["kind"], deletion["id"]) == ("task", planned["id"])
    assert (await owner.get("/lists")).json()[0]["name"] == "Garden"


async def test_a_key_means_what_it_meant_before_there_were_plans(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner, headers = as_isolated_user("owner"), {"Idempotency-Key": "key"}
    await owner.post("/tasks", json={"title": "Once", "description": None}, headers=headers)
    with psycopg.connect(proxy.server_url) as connection:
        connection.execute("UPDATE idempotency_keys SET digest = sha256(%s)", [OLD_CONTENT])

    again = await owner.post(
        "/tasks", json={"title": "Once", "priority": "none", "labels": []}, headers=headers
    )

    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
