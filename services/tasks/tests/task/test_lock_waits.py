"""What a write does that waited for the lock on its owner while another transaction wrote."""

import asyncio
from uuid import uuid4

import psycopg
import pytest

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy
from devkit.testing.lock_waits import wait_for_blocked_statements

from ..support.owner_lock import (
    DELETE_ALL_OWNERS,
    commit_after_requests_wait,
    create_task_url,
    lock_owners,
)

WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


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
        [response] = await commit_after_requests_wait(
            proxy, lock_holder, owner.patch(url, json={"title": "Ours"})
        )

    task = response.json()
    assert (task["title"], task["description"]) == ("Ours", "Theirs")
    assert task == (await owner.get(url)).json()


async def test_a_change_made_meanwhile_takes_no_version(
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
        [response] = await commit_after_requests_wait(
            proxy, lock_holder, owner.patch(url, json={"title": "New"})
        )

    assert response.json() == before | {"title": "New", "version": before["version"] + 1}


async def test_a_request_that_waits_for_the_owner_locks_no_task(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    changed, deleted = await create_task_url(owner, "1"), await create_task_url(owner, "2")

    async with lock_owners(proxy) as lock_holder:
        pending = [asyncio.ensure_future(owner.patch(changed, json={"title": "New"}))]
        pending += [asyncio.ensure_future(owner.delete(deleted))]
        await wait_for_blocked_statements(proxy.server_url, 2)
        await lock_holder.execute("SELECT id FROM tasks FOR UPDATE NOWAIT")
        await lock_holder.commit()

    assert [response.status_code for response in await asyncio.gather(*pending)] == [200, 204]


async def test_a_write_after_a_concurrent_delete_is_404(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    url = await create_task_url(owner)

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute("DELETE FROM tasks")
        await lock_holder.execute("UPDATE owners SET task_count = 0")
        change, delete = owner.patch(url, json={"title": "New"}), owner.delete(url)
        responses = await commit_after_requests_wait(proxy, lock_holder, change, delete)

    assert [response.status_code for response in responses] == [404, 404]


@pytest.mark.parametrize("tag", [{}, {"If-Match": '"1"'}])
async def test_a_write_after_a_concurrent_erasure_is_404(
    as_isolated_user: ClientFactory, proxy: FaultProxy, tag: dict[str, str]
) -> None:
    owner = as_isolated_user("owner")
    url, body = await create_task_url(owner), {"title": "New"}

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute(DELETE_ALL_OWNERS)
        change, delete = (
            owner.patch(url, json=body, headers=tag),
            owner.delete(url, headers=tag),
        )
        responses = await commit_after_requests_wait(proxy, lock_holder, change, delete)

    assert [response.json()["code"] for response in responses] == ["task-not-found"] * 2
    assert (await owner.get("/tasks/changes")).json()["next"] == "0"


async def test_if_match_is_checked_after_the_lock_wait(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    url = await create_task_url(owner)
    version = (await owner.get(url)).json()["version"]
    old, new = {"If-Match": f'"{version}"'}, {"If-Match": f'"{version + 1}"'}

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute("UPDATE owners SET counter = counter + 1")
        await lock_holder.execute(
            "UPDATE tasks SET title = 'Theirs', version = (SELECT counter FROM owners)"
        )
        change, delete = (
            owner.patch(url, json={"title": "Ours"}, headers=old),
            owner.delete(url, headers=old),
        )
        responses = await commit_after_requests_wait(proxy, lock_holder, change, delete)
    assert [response.status_code for response in responses] == [412, 412]
    assert (await owner.get(url)).json()["title"] == "Theirs"

    async with lock_owners(proxy) as lock_holder:
        [response] = await commit_after_requests_wait(
            proxy, lock_holder, owner.delete(url, headers=new)
        )
    assert response.status_code == 204


async def test_a_tombstone_renewed_meanwhile_is_not_pruned(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    deleted_url, url = await create_task_url(owner, "Gone"), await create_task_url(owner)
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
    urls = [await create_task_url(owner, str(number)) for number in range(2)]

    async with lock_owners(proxy) as lock_holder:
        requests = [owner.patch(url, json={"title": "New"}) for url in urls]
        responses = await commit_after_requests_wait(proxy, lock_holder, *requests)

    first, second = sorted(
        (response.json() for response in responses), key=lambda task: task["version"]
    )
    assert second["version"] == first["version"] + 1
    assert second["updated_at"] > first["updated_at"]


async def test_no_user_takes_all_connections(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner, neighbour = as_isolated_user("owner"), as_isolated_user("neighbour")
    url, theirs = await create_task_url(owner), await create_task_url(neighbour)

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.rollback()
        await lock_holder.execute(
            "SELECT id FROM owners WHERE id = %s FOR UPDATE", (owner.headers["x-user-id"],)
        )
        requests = [owner.patch(url, json={"title": f"New {number}"}) for number in range(30)]
        pending = [asyncio.ensure_future(request) for request in requests]
        await wait_for_blocked_statements(proxy.server_url, 2)
        async with asyncio.timeout(1):
            assert (await neighbour.patch(theirs, json={"title": "New"})).status_code == 200
            assert (await owner.get(url)).json()["title"] == "Old"
        await lock_holder.commit()

    assert {response.status_code for response in await asyncio.gather(*pending)} == {200}
    assert (
        (await owner.get(url)).json()["title"].startswith("New")
    )  # which one: two are under way at any time


async def test_no_user_takes_all_connections_by_reading(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner, neighbour = as_isolated_user("owner"), as_isolated_user("neighbour")
    url = await create_task_url(owner)
    await create_task_url(neighbour)

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.rollback()
        await lock_holder.execute("LOCK TABLE task_lists")  # whoever reads lists waits
        pending = [
            asyncio.ensure_future(owner.get(path)) for path in ["/lists", f"/lists/{uuid4()}"] * 12
        ]
        await wait_for_blocked_statements(proxy.server_url, 2)
        await asyncio.sleep(0.2)
        at_the_database = await (await lock_holder.execute(WAITING)).fetchone()
        async with asyncio.timeout(2):
            assert len((await neighbour.get("/tasks?limit=1")).json()) == 1
            assert (await owner.delete(url)).status_code == 204
        await lock_holder.commit()

    assert at_the_database == (2,)
    assert {response.status_code for response in await asyncio.gather(*pending)} == {200, 404}


async def test_concurrent_changes_of_one_task_are_serialized(
    as_isolated_user: ClientFactory,
) -> None:
    owner = as_isolated_user("owner")
    url = await create_task_url(owner)
    before = (await owner.get(url)).json()["version"]

    responses = await asyncio.gather(
        *(owner.patch(url, json={"title": f"New {number}"}) for number in range(30))
    )

    assert {response.status_code for response in responses} == {200}
    assert sorted(response.json()["version"] for response in responses) == list(
        range(before + 1, before + 31)
    )


async def test_concurrent_changes_and_deletes_never_deadlock(
    as_isolated_user: ClientFactory,
) -> None:
    owner = as_isolated_user("owner")
    for _ in range(10):
        url = await create_task_url(owner)
        requests = [owner.patch(url, json={"title": str(number)}) for number in range(4)]
        responses = await asyncio.gather(
            *requests, owner.delete(url), owner.post("/tasks", json={"title": "x"})
        )
        assert {response.status_code for response in responses} <= {200, 201, 204, 404}
        assert (await owner.delete(responses[-1].headers["location"])).status_code == 204
