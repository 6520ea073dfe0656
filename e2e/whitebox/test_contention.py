"""Many concurrent requests for one thing: one succeeds, and other users do not wait."""

import asyncio
from collections import Counter

import psycopg
import pytest
from httpx import Response

from devkit.testing.lock_waits import wait_for_blocked_statements
from e2e.support.contract import assert_problem
from e2e.support.isolated_platform import IsolatedPlatform
from e2e.support.user_client import UserClient

REQUESTS_AT_ONCE = 64

WRITES_AT_ONCE = 2
"""How many writes of one user a process of the tasks service executes at a time."""

BLOCKED_STATEMENTS = """
SELECT count(*) AS blocked FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""

LOCK_OWNER = "SELECT id FROM owners WHERE id = %s FOR UPDATE"

COUNT_AND_COUNTER = """
SELECT (SELECT count(*) FROM tasks WHERE user_id = %s) AS tasks, counter FROM owners WHERE id = %s
"""


async def test_of_200_changes_with_one_etag_exactly_one_succeeds(
    isolated_platform: IsolatedPlatform,
) -> None:
    ann = isolated_platform.client_for("ann-200")
    task = await ann.create_task()
    path = f"/tasks/{task['id']}"
    headers = {"If-Match": f'"{task["version"]}"'}

    requests = [
        ann.patch(path, json={"title": str(number)}, headers=headers) for number in range(200)
    ]
    responses = await asyncio.gather(*requests)

    statuses = Counter(response.status_code for response in responses)
    assert statuses == {200: 1, 412: 199}
    [changed_task] = [response.json() for response in responses if response.is_success]
    assert await ann.list_tasks() == [changed_task]
    assert changed_task["version"] == task["version"] + 1


async def test_2000_creations_with_one_idempotency_key_create_one_task(
    isolated_platform: IsolatedPlatform,
) -> None:
    ben = isolated_platform.client_for("ben-2000")
    semaphore = asyncio.Semaphore(REQUESTS_AT_ONCE)

    async def create_task() -> Response:
        async with semaphore:
            headers = {"Idempotency-Key": "the-same"}
            return await ben.post("/tasks", json={"title": "Once"}, headers=headers)

    requests = [create_task() for _ in range(2000)]
    responses = await asyncio.gather(*requests)

    assert {response.status_code for response in responses} == {201}
    assert len({response.content for response in responses}) == 1
    originals = [
        response for response in responses if "idempotency-replayed" not in response.headers
    ]
    assert len(originals) == 1
    task = originals[0].json()
    assert [stored_task["id"] for stored_task in await ben.list_tasks()] == [task["id"]]
    rows = await isolated_platform.fetch_rows("tasks", COUNT_AND_COUNTER, ben.id, ben.id)
    assert rows == [{"tasks": 1, "counter": task["version"]}]


@pytest.mark.parametrize("method", ["PATCH", "POST"])
async def test_queued_writes_of_one_user_do_not_delay_other_users(
    isolated_platform: IsolatedPlatform, method: str
) -> None:
    cleo = isolated_platform.client_for(f"cleo-{method}")
    other_users = [isolated_platform.client_for(f"other-{method}-{number}") for number in range(10)]
    task = await cleo.create_task()
    for other in other_users:
        await other.create_task()
    path = "/tasks"
    if method == "PATCH":
        path = f"/tasks/{task['id']}"

    tasks_url = isolated_platform.urls["tasks"]
    async with await psycopg.AsyncConnection.connect(tasks_url) as connection:
        await connection.execute(LOCK_OWNER, (cleo.id,))
        queued_requests: list[asyncio.Task[Response]] = []
        for number in range(REQUESTS_AT_ONCE):
            request = cleo.request(method, path, json={"title": str(number)})
            queued_requests.append(asyncio.create_task(request))
        await wait_for_blocked_statements(tasks_url, WRITES_AT_ONCE)
        statuses = await asyncio.gather(*[use_all_methods(other) for other in other_users])
        rows = await isolated_platform.fetch_rows("tasks", BLOCKED_STATEMENTS)
        assert rows == [{"blocked": WRITES_AT_ONCE}]
        assert not any(request.done() for request in queued_requests)
        await connection.commit()

    assert statuses == [[200, 201, 200, 204]] * len(other_users)
    responses = await asyncio.gather(*queued_requests)
    assert {response.status_code for response in responses} <= {200, 201}


async def test_an_idempotency_key_that_stays_in_use_is_a_conflict(
    isolated_platform: IsolatedPlatform,
) -> None:
    dan = isolated_platform.client_for("dan-in-use")
    task = await dan.create_task()
    headers = {"Idempotency-Key": "in-use"}

    tasks_url = isolated_platform.urls["tasks"]
    async with await psycopg.AsyncConnection.connect(tasks_url) as connection:
        await connection.execute(LOCK_OWNER, (dan.id,))
        responses = await asyncio.gather(
            dan.post("/tasks", json={"title": "Once"}, headers=headers),
            dan.post("/tasks", json={"title": "Once"}, headers=headers),
        )
        for response in responses:
            assert_problem(response, 409, "key-in-use")
        assert await dan.list_tasks() == [task]

    created = await dan.post("/tasks", json={"title": "Once"}, headers=headers)
    assert created.status_code == 201
    assert "idempotency-replayed" not in created.headers


async def use_all_methods(user: UserClient) -> list[int]:
    """List tasks, then create, change and delete one; return the statuses."""
    listed = await user.get("/tasks")
    created = await user.post("/tasks", json={"title": "New"})
    path = created.headers["location"]
    changed = await user.patch(path, json={"title": "Newer"})
    deleted = await user.delete(path)
    return [listed.status_code, created.status_code, changed.status_code, deleted.status_code]
