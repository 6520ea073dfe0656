"""What a creation decides that had to wait for somebody else's lock on the same owner."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import uuid4

import psycopg
import pytest
from httpx import AsyncClient, Response

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy
from devkit.testing.lock_waits import wait_for_blocked_statements

from ..support.owner_lock import (
    DELETE_ALL_OWNERS,
    commit_after_requests_wait,
    create_task_url,
    lock_owners,
)
from ..support.service import TASKS_MAX

MADE_ELSEWHERE = """
INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version)
SELECT %s, id, 'Theirs', false, now(), now(), counter FROM owners WHERE id = %s
"""

LISTED_ELSEWHERE = """
WITH raised AS (UPDATE owners SET counter = counter + 1, list_count = list_count + 1 RETURNING id, counter)
INSERT INTO task_lists (id, user_id, name, folded_name, created_at, updated_at, version)
SELECT %s, id, 'Theirs', 'theirs', now(), now(), counter FROM raised
"""

DELETED_ELSEWHERE = """
WITH gone AS (DELETE FROM tasks WHERE id = %s RETURNING user_id, id),
raised AS (UPDATE owners SET counter = counter + 1, task_count = task_count - 1 FROM gone WHERE owners.id = user_id
           RETURNING counter)
INSERT INTO task_tombstones (user_id, id, kind, version, deleted_at)
SELECT user_id, id, 'task', counter, now() FROM gone, raised
"""


Create = Callable[[AsyncClient], Awaitable[Response]]

LONG_AGO = "UPDATE idempotency_keys SET created_at = created_at - interval '24 hours'"


async def _put(owner: AsyncClient, task_id: object) -> Response:
    return await owner.put(
        f"/tasks/{task_id}", json={"title": "Ours"}, headers={"If-None-Match": "*"}
    )


async def _post(owner: AsyncClient, key: str | None = None) -> Response:
    return await owner.post(
        "/tasks", json={"title": "Ours"}, headers={"Idempotency-Key": key} if key else {}
    )


async def _let_keys_grow_old(proxy: FaultProxy) -> None:
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        await connection.execute(LONG_AGO)


async def _put_anywhere(owner: AsyncClient) -> Response:
    return await _put(owner, uuid4())


async def _post_once(owner: AsyncClient) -> Response:
    return await _post(owner, str(uuid4()))


IN_EVERY_WAY = pytest.mark.parametrize("create", [_post, _post_once, _put_anywhere])


async def test_tasks_are_as_old_as_the_lock_and_not_as_the_wait_for_it(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)

    async with lock_owners(proxy) as other:
        waiting = [asyncio.ensure_future(owner.post("/tasks", json={"title": "New"}))]
        waiting += [asyncio.ensure_future(_put(owner, uuid4()))]
        await wait_for_blocked_statements(proxy.server_url, 2)
        found = await (await other.execute("SELECT clock_timestamp()")).fetchone()
        await other.commit()
    tasks = [answer.json() for answer in await asyncio.gather(*waiting)]

    assert found
    first, second = sorted(tasks, key=lambda task: task["version"])
    assert (
        found[0]
        < datetime.fromisoformat(first["created_at"])
        < datetime.fromisoformat(second["created_at"])
    )
    assert second["version"] == first["version"] + 1


async def test_an_id_is_taken_by_whoever_was_faster(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner, neighbour = as_isolated_user("owner"), as_isolated_user("neighbour")
    own, theirs = uuid4(), uuid4()
    for someone in (owner, neighbour):
        await create_task_url(someone)

    async with lock_owners(proxy) as other:
        await other.execute("UPDATE owners SET counter = counter + 1, task_count = task_count + 1")
        await other.execute(MADE_ELSEWHERE, (own, owner.headers["x-user-id"]))
        await other.execute(MADE_ELSEWHERE, (theirs, neighbour.headers["x-user-id"]))
        answers = await commit_after_requests_wait(
            proxy, other, _put(owner, own), _put(owner, theirs)
        )

    codes = sorted((answer.status_code, answer.json()["code"]) for answer in answers)
    assert codes == [(409, "id-taken"), (412, "task-exists")]
    assert [task["title"] for task in (await owner.get("/tasks")).json()] == ["Old", "Theirs"]
    assert (await owner.post("/tasks", json={"title": "Counted"})).status_code == 201


async def test_an_id_that_becomes_a_list_while_somebody_waits_is_no_task_any_more(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner, task_id = as_isolated_user("owner"), uuid4()
    await create_task_url(owner)

    async with lock_owners(proxy) as other:
        await other.execute(LISTED_ELSEWHERE, (task_id,))
        [refused] = await commit_after_requests_wait(proxy, other, _put(owner, task_id))

    assert (refused.status_code, refused.json()["code"]) == (409, "id-taken")
    assert [task["title"] for task in (await owner.get("/tasks")).json()] == ["Old"]


@IN_EVERY_WAY
async def test_the_quota_holds_for_those_who_waited(
    as_isolated_user: ClientFactory, proxy: FaultProxy, create: Create
) -> None:
    owner = as_isolated_user("owner")
    for _ in range(TASKS_MAX - 1):
        await create_task_url(owner)

    async with lock_owners(proxy) as other:
        answers = await commit_after_requests_wait(proxy, other, *(create(owner) for _ in range(2)))

    assert sorted(answer.status_code for answer in answers) == [201, 422]
    assert len((await owner.get("/tasks")).json()) == TASKS_MAX


@IN_EVERY_WAY
async def test_whoever_is_erased_while_they_wait_begins_anew(
    as_isolated_user: ClientFactory, proxy: FaultProxy, create: Create
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)

    async with lock_owners(proxy) as other:
        await other.execute(DELETE_ALL_OWNERS)
        [made] = await commit_after_requests_wait(proxy, other, create(owner))

    assert made.status_code == 201
    assert (await owner.get("/tasks")).json() == [made.json()]
    assert (await owner.get("/tasks/changes")).json()["tasks"] == [made.json()]


async def test_an_old_key_is_taken_again_by_one_of_those_who_waited(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    first = await _post(owner, "key")
    await _let_keys_grow_old(proxy)

    async with lock_owners(proxy) as other:
        answers = await commit_after_requests_wait(
            proxy, other, *(_post(owner, "key") for _ in range(2))
        )

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content != first.content
    assert len((await owner.get("/tasks")).json()) == 2


async def test_a_key_that_was_taken_again_meanwhile_is_not_forgotten(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await _post(owner, "key")
    await _let_keys_grow_old(proxy)

    async with lock_owners(proxy) as other:
        again = asyncio.ensure_future(_post(owner, "key"))
        await wait_for_blocked_statements(proxy.server_url)
        behind = asyncio.ensure_future(_post(owner, "another"))
        await wait_for_blocked_statements(proxy.server_url, 2)
        await other.commit()
    made = await again

    assert [made.status_code, (await behind).status_code] == [201, 201]
    assert (await _post(owner, "key")).content == made.content
    assert len((await owner.get("/tasks")).json()) == 3


async def test_of_two_undos_at_once_one_is_made(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    address = await create_task_url(owner)
    await owner.delete(address)

    async with lock_owners(proxy) as other:
        undos = [_put(owner, address.rpartition("/")[2]) for _ in range(2)]
        answers = await commit_after_requests_wait(proxy, other, *undos)

    assert sorted(answer.status_code for answer in answers) == [201, 412]
    assert await _tombstones(proxy) == []


async def test_an_undo_behind_the_delete_is_made_and_can_be_deleted_again(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    address = await create_task_url(owner)
    task_id = address.rpartition("/")[2]

    async with lock_owners(proxy) as other:
        await other.execute(DELETED_ELSEWHERE, (task_id,))
        [undone] = await commit_after_requests_wait(proxy, other, _put(owner, task_id))
    assert undone.status_code == 201
    assert (await owner.delete(address)).status_code == 204

    assert await _tombstones(proxy) == [(task_id, undone.json()["version"] + 1)]


async def _tombstones(proxy: FaultProxy) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        return await (
            await connection.execute("SELECT id::text, version FROM task_tombstones")
        ).fetchall()
