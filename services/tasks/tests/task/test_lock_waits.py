"""What a statement decides that had to wait for somebody else's lock on the same owner."""

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
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def test_a_change_builds_on_what_the_other_one_wrote(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    address = await create_task_url(owner)

    async with lock_owners(proxy) as other:
        await other.execute("UPDATE owners SET counter = counter + 1")
        await other.execute(
            "UPDATE tasks SET description = 'Theirs', version = (SELECT counter FROM owners)"
        )
        [answer] = await commit_after_requests_wait(
            proxy, other, owner.patch(address, json={"title": "Ours"})
        )

    task = answer.json()
    assert (task["title"], task["description"]) == ("Ours", "Theirs")
    assert task == (await owner.get(address)).json()


async def test_a_change_that_the_other_one_made_already_takes_no_version(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    address = await create_task_url(owner)
    before = (await owner.get(address)).json()

    async with lock_owners(proxy) as other:
        await other.execute("UPDATE owners SET counter = counter + 1")
        await other.execute(
            "UPDATE tasks SET title = 'New', version = (SELECT counter FROM owners)"
        )
        [answer] = await commit_after_requests_wait(
            proxy, other, owner.patch(address, json={"title": "New"})
        )

    assert answer.json() == before | {"title": "New", "version": before["version"] + 1}


async def test_whoever_waits_for_the_owner_holds_no_task_meanwhile(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    changed, deleted = await create_task_url(owner, "1"), await create_task_url(owner, "2")

    async with lock_owners(proxy) as other:
        waiting = [asyncio.ensure_future(owner.patch(changed, json={"title": "New"}))]
        waiting += [asyncio.ensure_future(owner.delete(deleted))]
        await wait_for_blocked_statements(proxy.server_url, 2)
        await other.execute("SELECT id FROM tasks FOR UPDATE NOWAIT")
        await other.commit()

    assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [200, 204]


async def test_a_change_or_a_delete_behind_a_delete_finds_nothing(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    address = await create_task_url(owner)

    async with lock_owners(proxy) as other:
        await other.execute("DELETE FROM tasks")
        await other.execute("UPDATE owners SET task_count = 0")
        change, delete = owner.patch(address, json={"title": "New"}), owner.delete(address)
        answers = await commit_after_requests_wait(proxy, other, change, delete)

    assert [answer.status_code for answer in answers] == [404, 404]


@pytest.mark.parametrize("tag", [{}, {"If-Match": '"1"'}])
async def test_a_write_behind_an_erase_finds_nothing(
    as_isolated_user: ClientFactory, proxy: FaultProxy, tag: dict[str, str]
) -> None:
    owner = as_isolated_user("owner")
    address, body = await create_task_url(owner), {"title": "New"}

    async with lock_owners(proxy) as other:
        await other.execute(DELETE_ALL_OWNERS)
        change, delete = (
            owner.patch(address, json=body, headers=tag),
            owner.delete(address, headers=tag),
        )
        answers = await commit_after_requests_wait(proxy, other, change, delete)

    assert [answer.json()["code"] for answer in answers] == ["task-not-found"] * 2
    assert (await owner.get("/tasks/changes")).json()["next"] == "0"


async def test_who_waits_expects_the_version_that_the_other_one_leaves(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    address = await create_task_url(owner)
    version = (await owner.get(address)).json()["version"]
    old, new = {"If-Match": f'"{version}"'}, {"If-Match": f'"{version + 1}"'}

    async with lock_owners(proxy) as other:
        await other.execute("UPDATE owners SET counter = counter + 1")
        await other.execute(
            "UPDATE tasks SET title = 'Theirs', version = (SELECT counter FROM owners)"
        )
        change, delete = (
            owner.patch(address, json={"title": "Ours"}, headers=old),
            owner.delete(address, headers=old),
        )
        answers = await commit_after_requests_wait(proxy, other, change, delete)
    assert [answer.status_code for answer in answers] == [412, 412]
    assert (await owner.get(address)).json()["title"] == "Theirs"

    async with lock_owners(proxy) as other:
        [answer] = await commit_after_requests_wait(
            proxy, other, owner.delete(address, headers=new)
        )
    assert answer.status_code == 204


async def test_what_was_deleted_again_meanwhile_is_not_forgotten(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    gone, address = await create_task_url(owner, "Gone"), await create_task_url(owner)
    await owner.delete(gone)
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        await connection.execute(
            "UPDATE task_tombstones SET deleted_at = deleted_at - interval '90 days'"
        )

    async with lock_owners(proxy) as other:
        await other.execute("UPDATE owners SET counter = counter + 2")
        await other.execute(
            "UPDATE task_tombstones SET deleted_at = now(), version = (SELECT counter FROM owners)"
        )
        [answer] = await commit_after_requests_wait(proxy, other, owner.delete(address))

    assert answer.status_code == 204
    assert len((await owner.get("/tasks/changes")).json()["deleted"]) == 2


async def test_versions_and_times_follow_the_order_of_the_lock(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    addresses = [await create_task_url(owner, str(number)) for number in range(2)]

    async with lock_owners(proxy) as other:
        requests = [owner.patch(address, json={"title": "New"}) for address in addresses]
        answers = await commit_after_requests_wait(proxy, other, *requests)

    first, second = sorted((answer.json() for answer in answers), key=lambda task: task["version"])
    assert second["version"] == first["version"] + 1
    assert second["updated_at"] > first["updated_at"]


async def test_no_user_takes_all_connections(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner, neighbour = as_isolated_user("owner"), as_isolated_user("neighbour")
    address, theirs = await create_task_url(owner), await create_task_url(neighbour)

    async with lock_owners(proxy) as other:
        await other.rollback()
        await other.execute(
            "SELECT id FROM owners WHERE id = %s FOR UPDATE", (owner.headers["x-user-id"],)
        )
        requests = [owner.patch(address, json={"title": f"New {number}"}) for number in range(30)]
        waiting = [asyncio.ensure_future(request) for request in requests]
        await wait_for_blocked_statements(proxy.server_url, 2)
        async with asyncio.timeout(1):
            assert (await neighbour.patch(theirs, json={"title": "New"})).status_code == 200
            assert (await owner.get(address)).json()["title"] == "Old"
        await other.commit()

    assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}
    assert (
        (await owner.get(address)).json()["title"].startswith("New")
    )  # which one: two are under way at any time


async def test_no_user_takes_all_connections_by_reading(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner, neighbour = as_isolated_user("owner"), as_isolated_user("neighbour")
    address = await create_task_url(owner)
    await create_task_url(neighbour)

    async with lock_owners(proxy) as other:
        await other.rollback()
        await other.execute("LOCK TABLE task_lists")  # whoever reads lists waits
        waiting = [
            asyncio.ensure_future(owner.get(path)) for path in ["/lists", f"/lists/{uuid4()}"] * 12
        ]
        await wait_for_blocked_statements(proxy.server_url, 2)
        await asyncio.sleep(0.2)
        at_the_database = await (await other.execute(WAITING)).fetchone()
        async with asyncio.timeout(2):
            assert len((await neighbour.get("/tasks?limit=1")).json()) == 1
            assert (await owner.delete(address)).status_code == 204
        await other.commit()

    assert at_the_database == (2,)
    assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200, 404}


async def test_changes_of_one_task_at_once_are_made_one_after_the_other(
    as_isolated_user: ClientFactory,
) -> None:
    owner = as_isolated_user("owner")
    address = await create_task_url(owner)
    before = (await owner.get(address)).json()["version"]

    answers = await asyncio.gather(
        *(owner.patch(address, json={"title": f"New {number}"}) for number in range(30))
    )

    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.json()["version"] for answer in answers) == list(
        range(before + 1, before + 31)
    )


async def test_changes_and_deletes_at_once_never_lock_each_other_out(
    as_isolated_user: ClientFactory,
) -> None:
    owner = as_isolated_user("owner")
    for _ in range(10):
        address = await create_task_url(owner)
        requests = [owner.patch(address, json={"title": str(number)}) for number in range(4)]
        answers = await asyncio.gather(
            *requests, owner.delete(address), owner.post("/tasks", json={"title": "x"})
        )
        assert {answer.status_code for answer in answers} <= {200, 201, 204, 404}
        assert (await owner.delete(answers[-1].headers["location"])).status_code == 204
