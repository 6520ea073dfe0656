"""What a creation does that waited for the lock on its owner while another transaction wrote."""

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

from ..support.helpers import list_titles, problem_code, status_codes
from ..support.owner_lock import (
    DELETE_ALL_OWNERS,
    commit_after_requests_wait,
    create_task_url,
    lock_owners,
)
from ..support.service import TASKS_MAX

INSERT_TASK = """
INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version)
SELECT %s, id, 'Theirs', false, now(), now(), counter FROM owners WHERE id = %s
"""

INSERT_LIST = """
WITH counter_bump AS (
    UPDATE owners SET counter = counter + 1, list_count = list_count + 1 RETURNING id, counter
)
INSERT INTO task_lists (id, user_id, name, folded_name, created_at, updated_at, version)
SELECT %s, id, 'Theirs', 'theirs', now(), now(), counter FROM counter_bump
"""

DELETE_TASK = """
WITH deleted AS (DELETE FROM tasks WHERE id = %s RETURNING user_id, id),
counter_bump AS (
    UPDATE owners SET counter = counter + 1, task_count = task_count - 1 FROM deleted
    WHERE owners.id = user_id
    RETURNING counter
)
INSERT INTO task_tombstones (user_id, id, kind, version, deleted_at)
SELECT user_id, id, 'task', counter, now() FROM deleted, counter_bump
"""


Create = Callable[[AsyncClient], Awaitable[Response]]

EXPIRE_KEYS = "UPDATE idempotency_keys SET created_at = created_at - interval '24 hours'"

NEW_TASK = {"title": "Ours"}


async def _put(owner: AsyncClient, task_id: object) -> Response:
    return await owner.put(f"/tasks/{task_id}", json=NEW_TASK, headers={"If-None-Match": "*"})


async def _post_with_key(owner: AsyncClient, key: str) -> Response:
    return await owner.post("/tasks", json=NEW_TASK, headers={"Idempotency-Key": key})


async def _create(owner: AsyncClient) -> Response:
    return await owner.post("/tasks", json=NEW_TASK)


async def _create_with_key(owner: AsyncClient) -> Response:
    return await _post_with_key(owner, str(uuid4()))


async def _create_with_id(owner: AsyncClient) -> Response:
    return await _put(owner, uuid4())


ALL_CREATIONS = pytest.mark.parametrize("create", [_create, _create_with_key, _create_with_id])


async def _expire_keys(proxy: FaultProxy) -> None:
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        await connection.execute(EXPIRE_KEYS)


async def test_creation_times_are_taken_after_the_lock(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)

    async with lock_owners(proxy) as lock_holder:
        creations = asyncio.gather(_create(owner), _create_with_id(owner))
        await wait_for_blocked_statements(proxy.server_url, 2)
        cursor = await lock_holder.execute("SELECT clock_timestamp()")
        row = await cursor.fetchone()
        await lock_holder.commit()
    tasks = [response.json() for response in await creations]

    assert row
    first, second = sorted(tasks, key=lambda task: task["version"])
    first_created_at = datetime.fromisoformat(first["created_at"])
    second_created_at = datetime.fromisoformat(second["created_at"])
    assert row[0] < first_created_at < second_created_at
    assert second["version"] == first["version"] + 1


async def test_an_id_belongs_to_the_first_writer(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    neighbour = as_isolated_user("neighbour")
    own_id = uuid4()
    neighbours_id = uuid4()
    await create_task_url(owner)
    await create_task_url(neighbour)

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute(
            "UPDATE owners SET counter = counter + 1, task_count = task_count + 1"
        )
        await lock_holder.execute(INSERT_TASK, (own_id, owner.headers["x-user-id"]))
        await lock_holder.execute(INSERT_TASK, (neighbours_id, neighbour.headers["x-user-id"]))
        first, second = await commit_after_requests_wait(
            proxy, lock_holder, _put(owner, own_id), _put(owner, neighbours_id)
        )

    assert problem_code(first) == (412, "task-exists")
    assert problem_code(second) == (409, "id-taken")
    assert await list_titles(owner) == ["Old", "Theirs"]
    assert (await owner.post("/tasks", json={"title": "Counted"})).status_code == 201


async def test_an_id_that_becomes_a_list_meanwhile_is_taken(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    task_id = uuid4()
    await create_task_url(owner)

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute(INSERT_LIST, (task_id,))
        [rejected] = await commit_after_requests_wait(proxy, lock_holder, _put(owner, task_id))

    assert problem_code(rejected) == (409, "id-taken")
    assert await list_titles(owner) == ["Old"]


@ALL_CREATIONS
async def test_the_quota_holds_after_a_lock_wait(
    as_isolated_user: ClientFactory, proxy: FaultProxy, create: Create
) -> None:
    owner = as_isolated_user("owner")
    for _ in range(TASKS_MAX - 1):
        await create_task_url(owner)

    async with lock_owners(proxy) as lock_holder:
        responses = await commit_after_requests_wait(
            proxy, lock_holder, create(owner), create(owner)
        )

    assert sorted(status_codes(responses)) == [201, 422]
    assert len((await owner.get("/tasks")).json()) == TASKS_MAX


@ALL_CREATIONS
async def test_an_owner_erased_meanwhile_is_created_again(
    as_isolated_user: ClientFactory, proxy: FaultProxy, create: Create
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute(DELETE_ALL_OWNERS)
        [created] = await commit_after_requests_wait(proxy, lock_holder, create(owner))

    assert created.status_code == 201
    task = created.json()
    assert (await owner.get("/tasks")).json() == [task]
    assert (await owner.get("/tasks/changes")).json()["tasks"] == [task]


async def test_an_expired_key_is_reused_once_by_concurrent_requests(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    original = await _post_with_key(owner, "key")
    await _expire_keys(proxy)

    async with lock_owners(proxy) as lock_holder:
        responses = await commit_after_requests_wait(
            proxy, lock_holder, _post_with_key(owner, "key"), _post_with_key(owner, "key")
        )

    assert status_codes(responses) == [201, 201]
    assert responses[0].content == responses[1].content
    assert responses[0].content != original.content
    assert len((await owner.get("/tasks")).json()) == 2


async def test_a_key_reused_meanwhile_is_not_deleted_as_expired(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await _post_with_key(owner, "key")
    await _expire_keys(proxy)

    async with lock_owners(proxy) as lock_holder:
        reuse = asyncio.ensure_future(_post_with_key(owner, "key"))
        await wait_for_blocked_statements(proxy.server_url)
        other_creation = asyncio.ensure_future(_post_with_key(owner, "another"))
        await wait_for_blocked_statements(proxy.server_url, 2)
        await lock_holder.commit()
    created = await reuse

    assert created.status_code == 201
    assert (await other_creation).status_code == 201
    retried = await _post_with_key(owner, "key")
    assert retried.content == created.content
    assert len((await owner.get("/tasks")).json()) == 3


async def test_one_of_two_concurrent_restores_succeeds(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    url = await create_task_url(owner)
    task_id = url.rpartition("/")[2]
    await owner.delete(url)

    async with lock_owners(proxy) as lock_holder:
        responses = await commit_after_requests_wait(
            proxy, lock_holder, _put(owner, task_id), _put(owner, task_id)
        )

    assert sorted(status_codes(responses)) == [201, 412]
    assert await _tombstones(proxy) == []


async def test_a_restore_after_a_concurrent_delete_can_be_deleted_again(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    url = await create_task_url(owner)
    task_id = url.rpartition("/")[2]

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute(DELETE_TASK, (task_id,))
        [restored] = await commit_after_requests_wait(proxy, lock_holder, _put(owner, task_id))
    assert restored.status_code == 201
    assert (await owner.delete(url)).status_code == 204

    assert await _tombstones(proxy) == [(task_id, restored.json()["version"] + 1)]


async def _tombstones(proxy: FaultProxy) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        cursor = await connection.execute("SELECT id::text, version FROM task_tombstones")
        return await cursor.fetchall()
