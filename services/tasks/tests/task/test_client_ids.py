"""PUT with `If-None-Match: *`: create a task with an id of the client, or restore a task."""

import asyncio
from uuid import uuid4

import psycopg
import pytest
from httpx import AsyncClient, Response

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.service import TASKS_MAX

ABSENT = {"If-None-Match": "*"}


def _status_and_code(response: Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


async def _put(owner: AsyncClient, url: str, **fields: object) -> Response:
    return await owner.put(url, json={"title": "Offline", **fields}, headers=ABSENT)


async def _fill(owner: AsyncClient, count: int = TASKS_MAX) -> None:
    for number in range(count):
        assert (await owner.post("/tasks", json={"title": str(number)})).status_code == 201


async def test_a_task_is_created_with_the_clients_id(as_user: ClientFactory) -> None:
    owner, task_id = as_user("owner"), str(uuid4())
    url = f"/tasks/{task_id}"

    created = await _put(owner, f"/tasks/{task_id.upper()}", is_completed=True, id=task_id)

    task = created.json()
    assert (created.status_code, created.headers["location"]) == (201, url)
    assert created.headers["etag"] == f'"{task["version"]}"'
    assert (task["id"], task["title"], task["is_completed"]) == (task_id, "Offline", True)
    assert task["created_at"] == task["updated_at"] == task["completed_at"]
    listed = await owner.get("/tasks")
    assert (listed.json(), listed.headers["etag"]) == ([task], created.headers["etag"])


async def test_an_existing_task_is_never_replaced(as_user: ClientFactory) -> None:
    owner, url = as_user("owner"), f"/tasks/{uuid4()}"
    created = await _put(owner, url)

    assert _status_and_code(await _put(owner, url, title="Again")) == (412, "task-exists")
    assert (await owner.get("/tasks")).json() == [created.json()]


async def test_a_retry_learns_that_the_task_exists_even_if_its_list_is_deleted(
    as_user: ClientFactory,
) -> None:
    owner, url = as_user("owner"), f"/tasks/{uuid4()}"
    list_id = (await owner.post("/lists", json={"name": "Garden"})).json()["id"]
    assert (await _put(owner, url, list_id=list_id)).status_code == 201
    await owner.delete(f"/lists/{list_id}")

    assert _status_and_code(await _put(owner, url, list_id=list_id)) == (412, "task-exists")
    assert _status_and_code(await _put(owner, f"/tasks/{uuid4()}", list_id=list_id)) == (
        422,
        "list-not-found",
    )


async def test_an_id_of_another_user_is_taken(as_user: ClientFactory) -> None:
    other_task = await as_user("neighbour").post("/tasks", json={"title": "Theirs"})
    url = other_task.headers["location"]

    owner = as_user("known")
    await _fill(owner, 1)
    before = (await owner.get("/tasks")).headers["etag"]
    assert _status_and_code(await _put(owner, url)) == (409, "id-taken")
    assert (await owner.get("/tasks")).headers["etag"] == before

    assert _status_and_code(await _put(as_user("new"), url)) == (409, "id-taken")
    assert (await as_user("new").get("/tasks")).json() == []
    assert (await as_user("neighbour").get("/tasks")).json() == [other_task.json()]


async def test_the_quota_counts_tasks_with_client_ids(as_user: ClientFactory) -> None:
    owner, url = as_user("owner"), f"/tasks/{uuid4()}"
    assert (await _put(owner, url)).status_code == 201
    await _fill(owner, TASKS_MAX - 1)

    assert _status_and_code(await _put(owner, f"/tasks/{uuid4()}")) == (422, "quota-exceeded")
    assert _status_and_code(await _put(owner, url)) == (412, "task-exists")
    await owner.delete(url)
    assert (await _put(owner, f"/tasks/{uuid4()}")).status_code == 201


@pytest.mark.parametrize("tags", ['"1"', 'W/"1"', '*, "1"', "*,*", "", "x"])
async def test_if_none_match_of_a_put_must_be_an_asterisk(
    as_user: ClientFactory, tags: str
) -> None:
    owner, url = as_user("owner"), f"/tasks/{uuid4()}"

    for headers in ({"If-None-Match": tags}, {"If-None-Match": "*", "If-Match": tags or "*"}):
        response = await owner.put(url, json={"title": "New"}, headers=headers)
        assert _status_and_code(response) == (400, "bad-request")
    assert (await owner.get("/tasks")).json() == []


async def test_the_id_in_the_body_must_match_the_path(as_user: ClientFactory) -> None:
    owner = as_user("owner")

    assert _status_and_code(await _put(owner, f"/tasks/{uuid4()}", id=str(uuid4()))) == (
        422,
        "id-mismatch",
    )
    assert (await owner.get("/tasks")).json() == []


async def test_a_deleted_task_is_restored_without_a_tombstone(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    before = (
        await owner.post("/tasks", json={"title": "Back again", "description": "All of it"})
    ).json()
    url = f"/tasks/{before['id']}"
    await owner.delete(url)

    restored = await owner.put(url, json=before, headers=ABSENT)

    assigned_fields = ("created_at", "updated_at", "version", "position")
    assert restored.status_code == 201
    assert restored.json() == before | {name: restored.json()[name] for name in assigned_fields}
    assert restored.json()["version"] == before["version"] + 2
    with psycopg.connect(proxy.server_url) as connection:
        assert connection.execute("SELECT count(*) FROM task_tombstones").fetchall() == [(0,)]
    assert (await owner.delete(url)).status_code == 204
    assert (await owner.get("/tasks")).json() == []


async def test_one_of_many_concurrent_creations_succeeds(as_user: ClientFactory) -> None:
    owner, url = as_user("owner"), f"/tasks/{uuid4()}"

    responses = await asyncio.gather(*(_put(owner, url, title=str(number)) for number in range(40)))

    assert sorted(response.status_code for response in responses) == [201] + [412] * 39
    (created,) = [response for response in responses if response.is_success]
    assert (await owner.get("/tasks")).json() == [created.json()]
