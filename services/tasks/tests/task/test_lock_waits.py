"""What a write does that waited for the lock on its owner while another transaction wrote."""

import asyncio
from collections.abc import Awaitable
from uuid import uuid4

import psycopg
import pytest
from httpx import AsyncClient, Response

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy
from devkit.testing.lock_waits import wait_for_blocked_statements

from ..support.helpers import field_values, json_object, status_codes
from ..support.owner_lock import (
    DELETE_ALL_OWNERS,
    commit_after_requests_wait,
    create_task_url,
    lock_owners,
)

COUNT_BLOCKED = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


def _changes(owner: AsyncClient, url: str, count: int) -> list[Awaitable[Response]]:
    """Return requests that give a task the titles "New 0", "New 1" and so on."""
    return [owner.patch(url, json={"title": f"New {number}"}) for number in range(count)]


async def test_a_change_builds_on_a_concurrent_change(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    url = await create_task_url(owner)

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute("UPDATE owners SET counter = counter + 1")
        await lock_holder.execute(
            "UPDATE tasks SET description = 'Theirs', version = (SELECT counter FROM owners)"
        )
        change = owner.patch(url, json={"title": "Ours"})
        [response] = await commit_after_requests_wait(proxy, lock_holder, change)

    task = response.json()
    assert task["title"] == "Ours"
    assert task["description"] == "Theirs"
    assert task == (await owner.get(url)).json()


async def test_a_change_that_another_request_made_meanwhile_takes_no_version(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    url = await create_task_url(owner)
    before = (await owner.get(url)).json()

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute("UPDATE owners SET counter = counter + 1")
        await lock_holder.execute(
            "UPDATE tasks SET title = 'New', version = (SELECT counter FROM owners)"
        )
        change = owner.patch(url, json={"title": "New"})
        [response] = await commit_after_requests_wait(proxy, lock_holder, change)

    assert response.json() == before | {"title": "New", "version": before["version"] + 1}


async def test_a_request_that_waits_for_the_owner_locks_no_task(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    changed_url = await create_task_url(owner, "1")
    deleted_url = await create_task_url(owner, "2")

    async with lock_owners(proxy) as lock_holder:
        change = asyncio.ensure_future(owner.patch(changed_url, json={"title": "New"}))
        deletion = asyncio.ensure_future(owner.delete(deleted_url))
        await wait_for_blocked_statements(proxy.server_url, 2)
        await lock_holder.execute("SELECT id FROM tasks FOR UPDATE NOWAIT")
        await lock_holder.commit()

    assert (await change).status_code == 200
    assert (await deletion).status_code == 204


async def test_a_write_after_a_concurrent_delete_is_404(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    url = await create_task_url(owner)

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute("DELETE FROM tasks")
        await lock_holder.execute("UPDATE owners SET task_count = 0")
        change = owner.patch(url, json={"title": "New"})
        deletion = owner.delete(url)
        responses = await commit_after_requests_wait(proxy, lock_holder, change, deletion)

    assert status_codes(responses) == [404, 404]


@pytest.mark.parametrize("headers", [{}, {"If-Match": '"1"'}])
async def test_a_write_after_a_concurrent_erasure_is_404(
    as_isolated_user: ClientFactory, proxy: FaultProxy, headers: dict[str, str]
) -> None:
    owner = as_isolated_user("owner")
    url = await create_task_url(owner)

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute(DELETE_ALL_OWNERS)
        change = owner.patch(url, json={"title": "New"}, headers=headers)
        deletion = owner.delete(url, headers=headers)
        responses = await commit_after_requests_wait(proxy, lock_holder, change, deletion)

    for response in responses:
        problem = await json_object(response, 404)
        assert problem["code"] == "task-not-found"
    assert (await owner.get("/tasks/changes")).json()["next"] == "0"


async def test_if_match_is_checked_after_the_lock_wait(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    url = await create_task_url(owner)
    version = (await owner.get(url)).json()["version"]
    old_etag = {"If-Match": f'"{version}"'}
    new_etag = {"If-Match": f'"{version + 1}"'}

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute("UPDATE owners SET counter = counter + 1")
        await lock_holder.execute(
            "UPDATE tasks SET title = 'Theirs', version = (SELECT counter FROM owners)"
        )
        change = owner.patch(url, json={"title": "Ours"}, headers=old_etag)
        deletion = owner.delete(url, headers=old_etag)
        responses = await commit_after_requests_wait(proxy, lock_holder, change, deletion)
    assert status_codes(responses) == [412, 412]
    assert (await owner.get(url)).json()["title"] == "Theirs"

    async with lock_owners(proxy) as lock_holder:
        deletion = owner.delete(url, headers=new_etag)
        [response] = await commit_after_requests_wait(proxy, lock_holder, deletion)
    assert response.status_code == 204


async def test_a_tombstone_renewed_meanwhile_is_not_pruned(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    deleted_url = await create_task_url(owner, "Deleted")
    url = await create_task_url(owner)
    await owner.delete(deleted_url)
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        await connection.execute(
            "UPDATE task_tombstones SET deleted_at = deleted_at - interval '90 days'"
        )

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute("UPDATE owners SET counter = counter + 2")
        await lock_holder.execute(
            "UPDATE task_tombstones SET deleted_at = now(), version = (SELECT counter FROM owners)"
        )
        [response] = await commit_after_requests_wait(proxy, lock_holder, owner.delete(url))

    assert response.status_code == 204
    assert len((await owner.get("/tasks/changes")).json()["deleted"]) == 2


async def test_versions_and_times_follow_the_order_of_the_lock(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    url = await create_task_url(owner, "0")
    other_url = await create_task_url(owner, "1")

    async with lock_owners(proxy) as lock_holder:
        change = owner.patch(url, json={"title": "New"})
        other_change = owner.patch(other_url, json={"title": "New"})
        responses = await commit_after_requests_wait(proxy, lock_holder, change, other_change)

    tasks = [response.json() for response in responses]
    first, second = sorted(tasks, key=lambda task: task["version"])
    assert second["version"] == first["version"] + 1
    assert second["updated_at"] > first["updated_at"]


async def test_no_user_takes_all_connections(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    neighbour = as_isolated_user("neighbour")
    url = await create_task_url(owner)
    neighbours_url = await create_task_url(neighbour)

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.rollback()
        await lock_holder.execute(
            "SELECT id FROM owners WHERE id = %s FOR UPDATE", (owner.headers["x-user-id"],)
        )
        changes = asyncio.gather(*_changes(owner, url, 30))
        await wait_for_blocked_statements(proxy.server_url, 2)
        async with asyncio.timeout(2):
            change = await neighbour.patch(neighbours_url, json={"title": "New"})
            assert change.status_code == 200
            assert (await owner.get(url)).json()["title"] == "Old"
        await lock_holder.commit()

    assert status_codes(await changes) == [200] * 30
    # Any of them may be the last one: two run at a time.
    assert (await owner.get(url)).json()["title"].startswith("New")


async def test_no_user_takes_all_connections_by_reading(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    neighbour = as_isolated_user("neighbour")
    url = await create_task_url(owner)
    await create_task_url(neighbour)

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.rollback()
        await lock_holder.execute("LOCK TABLE task_lists")  # every reader of lists waits
        requests: list[Awaitable[Response]] = []
        for _ in range(12):
            requests.append(owner.get("/lists"))
            requests.append(owner.get(f"/lists/{uuid4()}"))
        reads = asyncio.gather(*requests)
        await wait_for_blocked_statements(proxy.server_url, 2)
        await asyncio.sleep(0.2)
        cursor = await lock_holder.execute(COUNT_BLOCKED)
        blocked = await cursor.fetchone()
        async with asyncio.timeout(2):
            assert len((await neighbour.get("/tasks?limit=1")).json()) == 1
            assert (await owner.delete(url)).status_code == 204
        await lock_holder.commit()

    assert blocked == (2,)
    assert status_codes(await reads) == [200, 404] * 12


async def test_concurrent_changes_of_one_task_are_serialized(
    as_isolated_user: ClientFactory,
) -> None:
    owner = as_isolated_user("owner")
    url = await create_task_url(owner)
    before = (await owner.get(url)).json()["version"]

    responses = await asyncio.gather(*_changes(owner, url, 30))

    assert status_codes(responses) == [200] * 30
    tasks = [response.json() for response in responses]
    versions = sorted(field_values(tasks, "version"))
    assert versions == list(range(before + 1, before + 31))


async def test_concurrent_changes_and_deletes_never_deadlock(
    as_isolated_user: ClientFactory,
) -> None:
    owner = as_isolated_user("owner")
    for _ in range(10):
        url = await create_task_url(owner)
        requests = _changes(owner, url, 4)
        requests.append(owner.delete(url))
        requests.append(owner.post("/tasks", json={"title": "x"}))
        responses = await asyncio.gather(*requests)
        assert set(status_codes(responses)) <= {200, 201, 204, 404}
        created_url = responses[-1].headers["location"]
        assert (await owner.delete(created_url)).status_code == 204
