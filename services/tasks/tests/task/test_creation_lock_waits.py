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

LONG_AGO = "UPDATE idempotency_keys SET created_at = created_at - interval '24 hours'"


async def _put(owner: AsyncClient, task_id: object) -> Response:
    return await owner.put(
        f"/tasks/{task_id}", json={"title": "Ours"}, headers={"If-None-Match": "*"}
    )


async def _post(owner: AsyncClient, key: str | None = None) -> Response:
    return await owner.post(
        "/tasks", json={"title": "Ours"}, headers={"Idempotency-Key": key} if key else {}
    )


async def _age_keys(proxy: FaultProxy) -> None:
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        await connection.execute(LONG_AGO)


async def _put_anywhere(owner: AsyncClient) -> Response:
    return await _put(owner, uuid4())


async def _post_once(owner: AsyncClient) -> Response:
    return await _post(owner, str(uuid4()))


IN_EVERY_WAY = pytest.mark.parametrize("create", [_post, _post_once, _put_anywhere])


async def test_creation_times_are_taken_after_the_lock(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)

    async with lock_owners(proxy) as lock_holder:
        waiting = [asyncio.ensure_future(owner.post("/tasks", json={"title": "New"}))]
        waiting += [asyncio.ensure_future(_put(owner, uuid4()))]
        await wait_for_blocked_statements(proxy.server_url, 2)
        clock = await (await lock_holder.execute("SELECT clock_timestamp()")).fetchone()
        await lock_holder.commit()
    tasks = [response.json() for response in await asyncio.gather(*waiting)]

    assert clock
    first, second = sorted(tasks, key=lambda task: task["version"])
    assert (
        clock[0]
        < datetime.fromisoformat(first["created_at"])
        < datetime.fromisoformat(second["created_at"])
    )
    assert second["version"] == first["version"] + 1


async def test_an_id_belongs_to_the_first_writer(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner, neighbour = as_isolated_user("owner"), as_isolated_user("neighbour")
    own_id, other_id = uuid4(), uuid4()
    for user in (owner, neighbour):
        await create_task_url(user)

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute(
            "UPDATE owners SET counter = counter + 1, task_count = task_count + 1"
        )
        await lock_holder.execute(INSERT_TASK, (own_id, owner.headers["x-user-id"]))
        await lock_holder.execute(INSERT_TASK, (other_id, neighbour.headers["x-user-id"]))
        responses = await commit_after_requests_wait(
            proxy, lock_holder, _put(owner, own_id), _put(owner, other_id)
        )

    codes = sorted((response.status_code, response.json()["code"]) for response in responses)
    assert codes == [(409, "id-taken"), (412, "task-exists")]
    assert [task["title"] for task in (await owner.get("/tasks")).json()] == ["Old", "Theirs"]
    assert (await owner.post("/tasks", json={"title": "Counted"})).status_code == 201


async def test_an_id_that_becomes_a_list_meanwhile_is_taken(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner, task_id = as_isolated_user("owner"), uuid4()
    await create_task_url(owner)

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute(INSERT_LIST, (task_id,))
        [rejected] = await commit_after_requests_wait(proxy, lock_holder, _put(owner, task_id))

    assert (rejected.status_code, rejected.json()["code"]) == (409, "id-taken")
    assert [task["title"] for task in (await owner.get("/tasks")).json()] == ["Old"]


@IN_EVERY_WAY
async def test_the_quota_holds_after_a_lock_wait(
    as_isolated_user: ClientFactory, proxy: FaultProxy, create: Create
) -> None:
    owner = as_isolated_user("owner")
    for _ in range(TASKS_MAX - 1):
        await create_task_url(owner)

    async with lock_owners(proxy) as lock_holder:
        responses = await commit_after_requests_wait(
            proxy, lock_holder, *(create(owner) for _ in range(2))
        )

    assert sorted(response.status_code for response in responses) == [201, 422]
    assert len((await owner.get("/tasks")).json()) == TASKS_MAX


@IN_EVERY_WAY
async def test_an_owner_erased_meanwhile_is_created_again(
    as_isolated_user: ClientFactory, proxy: FaultProxy, create: Create
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute(DELETE_ALL_OWNERS)
        [created] = await commit_after_requests_wait(proxy, lock_holder, create(owner))

    assert created.status_code == 201
    assert (await owner.get("/tasks")).json() == [created.json()]
    assert (await owner.get("/tasks/changes")).json()["tasks"] == [created.json()]


async def test_an_expired_key_is_reused_once_by_concurrent_requests(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    first = await _post(owner, "key")
    await _age_keys(proxy)

    async with lock_owners(proxy) as lock_holder:
        responses = await commit_after_requests_wait(
            proxy, lock_holder, *(_post(owner, "key") for _ in range(2))
        )

    assert [response.status_code for response in responses] == [201, 201]
    assert responses[0].content == responses[1].content != first.content
    assert len((await owner.get("/tasks")).json()) == 2


async def test_a_key_reused_meanwhile_is_not_deleted_as_expired(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await _post(owner, "key")
    await _age_keys(proxy)

    async with lock_owners(proxy) as lock_holder:
        first_retry = asyncio.ensure_future(_post(owner, "key"))
        await wait_for_blocked_statements(proxy.server_url)
        second_retry = asyncio.ensure_future(_post(owner, "another"))
        await wait_for_blocked_statements(proxy.server_url, 2)
        await lock_holder.commit()
    created = await first_retry

    assert [created.status_code, (await second_retry).status_code] == [201, 201]
    assert (await _post(owner, "key")).content == created.content
    assert len((await owner.get("/tasks")).json()) == 3


async def test_one_of_two_concurrent_restores_succeeds(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    url = await create_task_url(owner)
    await owner.delete(url)

    async with lock_owners(proxy) as lock_holder:
        undos = [_put(owner, url.rpartition("/")[2]) for _ in range(2)]
        responses = await commit_after_requests_wait(proxy, lock_holder, *undos)

    assert sorted(response.status_code for response in responses) == [201, 412]
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
        return await (
            await connection.execute("SELECT id::text, version FROM task_tombstones")
        ).fetchall()
