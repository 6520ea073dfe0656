"""PUT with `If-None-Match: *`: create a task with an id of the client, or restore a task."""

import asyncio
from uuid import uuid4

import psycopg
import pytest
from httpx import AsyncClient, Response

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.helpers import IF_ABSENT, problem_code, status_codes
from ..support.service import TASKS_MAX


async def _put(owner: AsyncClient, url: str, **fields: object) -> Response:
    body = {"title": "Offline"} | fields
    return await owner.put(url, json=body, headers=IF_ABSENT)


async def _fill(owner: AsyncClient, count: int = TASKS_MAX) -> None:
    for number in range(count):
        assert (await owner.post("/tasks", json={"title": str(number)})).status_code == 201


async def test_a_task_is_created_with_the_clients_id(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task_id = str(uuid4())

    created = await _put(owner, f"/tasks/{task_id.upper()}", is_completed=True, id=task_id)

    assert created.status_code == 201
    assert created.headers["location"] == f"/tasks/{task_id}"
    task = created.json()
    assert created.headers["etag"] == f'"{task["version"]}"'
    assert task["id"] == task_id
    assert task["title"] == "Offline"
    assert task["is_completed"] is True
    assert task["created_at"] == task["updated_at"] == task["completed_at"]
    listed = await owner.get("/tasks")
    assert listed.json() == [task]
    assert listed.headers["etag"] == created.headers["etag"]


async def test_an_existing_task_is_never_replaced(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    url = f"/tasks/{uuid4()}"
    created = await _put(owner, url)

    assert problem_code(await _put(owner, url, title="Again")) == (412, "task-exists")
    assert (await owner.get("/tasks")).json() == [created.json()]


async def test_a_retry_learns_that_the_task_exists_even_if_its_list_is_deleted(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    url = f"/tasks/{uuid4()}"
    list_id = (await owner.post("/lists", json={"name": "Garden"})).json()["id"]
    assert (await _put(owner, url, list_id=list_id)).status_code == 201
    await owner.delete(f"/lists/{list_id}")

    retried = await _put(owner, url, list_id=list_id)
    other_task = await _put(owner, f"/tasks/{uuid4()}", list_id=list_id)

    assert problem_code(retried) == (412, "task-exists")
    assert problem_code(other_task) == (422, "list-not-found")


async def test_an_id_of_another_user_is_taken(as_user: ClientFactory) -> None:
    other_task = await as_user("neighbour").post("/tasks", json={"title": "Theirs"})
    url = other_task.headers["location"]

    owner = as_user("known")
    await _fill(owner, 1)
    before = (await owner.get("/tasks")).headers["etag"]
    assert problem_code(await _put(owner, url)) == (409, "id-taken")
    assert (await owner.get("/tasks")).headers["etag"] == before

    assert problem_code(await _put(as_user("new"), url)) == (409, "id-taken")
    assert (await as_user("new").get("/tasks")).json() == []
    assert (await as_user("neighbour").get("/tasks")).json() == [other_task.json()]


async def test_the_quota_counts_tasks_with_client_ids(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    url = f"/tasks/{uuid4()}"
    assert (await _put(owner, url)).status_code == 201
    await _fill(owner, TASKS_MAX - 1)

    assert problem_code(await _put(owner, f"/tasks/{uuid4()}")) == (422, "quota-exceeded")
    assert problem_code(await _put(owner, url)) == (412, "task-exists")
    await owner.delete(url)
    assert (await _put(owner, f"/tasks/{uuid4()}")).status_code == 201


@pytest.mark.parametrize("tags", ['"1"', 'W/"1"', '*, "1"', "*,*", "", "x"])
async def test_if_none_match_of_a_put_must_be_an_asterisk(
    as_user: ClientFactory, tags: str
) -> None:
    owner = as_user("owner")
    url = f"/tasks/{uuid4()}"

    both_conditions = {"If-None-Match": "*", "If-Match": tags or "*"}
    for headers in ({"If-None-Match": tags}, both_conditions):
        response = await owner.put(url, json={"title": "New"}, headers=headers)
        assert problem_code(response) == (400, "bad-request")
    assert (await owner.get("/tasks")).json() == []


async def test_the_id_in_the_body_must_match_the_path(as_user: ClientFactory) -> None:
    owner = as_user("owner")

    rejected = await _put(owner, f"/tasks/{uuid4()}", id=str(uuid4()))

    assert problem_code(rejected) == (422, "id-mismatch")
    assert (await owner.get("/tasks")).json() == []


async def test_a_deleted_task_is_restored_without_a_tombstone(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    body = {"title": "Restored", "description": "All of it"}
    task = (await owner.post("/tasks", json=body)).json()
    url = f"/tasks/{task['id']}"
    await owner.delete(url)

    response = await owner.put(url, json=task, headers=IF_ABSENT)

    assert response.status_code == 201
    restored = response.json()
    assert restored["version"] == task["version"] + 2
    for assigned_field in ("created_at", "updated_at", "version", "position"):
        task[assigned_field] = restored[assigned_field]
    assert restored == task
    with psycopg.connect(proxy.server_url) as connection:
        cursor = connection.execute("SELECT count(*) FROM task_tombstones")
        assert cursor.fetchall() == [(0,)]
    assert (await owner.delete(url)).status_code == 204
    assert (await owner.get("/tasks")).json() == []


async def test_one_of_many_concurrent_creations_succeeds(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    url = f"/tasks/{uuid4()}"

    requests = [_put(owner, url, title=str(number)) for number in range(40)]
    responses = await asyncio.gather(*requests)

    assert sorted(status_codes(responses)) == [201] + [412] * 39
    [created] = [response for response in responses if response.is_success]
    assert (await owner.get("/tasks")).json() == [created.json()]
