"""Imports and erasures that waited for a lock on the owner, and requests that waited for them."""

import asyncio
from uuid import uuid4

import pytest
from httpx import Response

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy
from devkit.testing.lock_waits import wait_for_blocked_statements

from ..support.import_export import (
    OWNER_PATH,
    Report,
    count_staged,
    export,
    field_values,
    import_records,
    list_record,
    post_import,
    task_record,
    to_ndjson,
)
from ..support.owner_lock import (
    DELETE_ALL_OWNERS,
    commit_after_requests_wait,
    create_task_url,
    lock_owners,
)
from ..support.service import TASKS_MAX

BUMP_COUNTER = "UPDATE owners SET counter = counter + 1"

INSERT_TASK = """
INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version)
SELECT %s, id, 'Theirs', false, now(), now(), counter + 1 FROM owners WHERE id = %s
"""

INSERT_LIST = """
INSERT INTO task_lists (id, user_id, name, folded_name, created_at, updated_at, version)
SELECT %s, id, 'Theirs', 'theirs', now(), now(), counter + 1 FROM owners WHERE id = %s
"""


def assert_id_taken(response: Response) -> None:
    assert response.status_code == 409
    assert response.json()["code"] == "id-taken"
    assert response.headers["retry-after"] == "1"


async def test_an_import_that_waited_sees_what_was_written_before_it(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)
    [record] = await export(owner)

    async with lock_owners(proxy) as other:
        await other.execute(BUMP_COUNTER)
        await other.execute(
            "UPDATE tasks SET title = 'Theirs', version = (SELECT counter FROM owners)"
        )
        [response] = await commit_after_requests_wait(
            proxy, other, post_import(owner, to_ndjson([record]))
        )

    assert response.json() == {"created": 0, "updated": 1, "unchanged": 0, "renumbered": 0}
    assert (await export(owner))[0]["title"] == "Old"


async def test_the_quota_holds_for_an_import_that_waited(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)

    async with lock_owners(proxy) as other:
        await other.execute("UPDATE owners SET task_count = %s", (TASKS_MAX,))
        [response] = await commit_after_requests_wait(
            proxy, other, post_import(owner, to_ndjson([task_record(uuid4())]))
        )

    assert response.status_code == 422
    assert response.json()["code"] == "quota-exceeded"


async def test_an_import_that_waited_for_an_erasure_starts_a_new_owner(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)
    record = task_record(uuid4(), "New")

    async with lock_owners(proxy) as other:
        await other.execute(DELETE_ALL_OWNERS)
        [response] = await commit_after_requests_wait(
            proxy, other, post_import(owner, to_ndjson([record]))
        )

    assert response.json()["created"] == 1
    assert field_values(await export(owner), "title") == ["New"]


async def test_a_task_id_that_another_user_takes_meanwhile_is_a_conflict_and_later_replaced(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    neighbour = as_isolated_user("neighbour")
    await create_task_url(owner)
    await create_task_url(neighbour)
    record = task_record(uuid4())

    async with lock_owners(proxy) as other:
        await other.rollback()
        await other.execute(INSERT_TASK, (record["id"], neighbour.headers["x-user-id"]))
        [response] = await commit_after_requests_wait(
            proxy, other, post_import(owner, to_ndjson([task_record(uuid4()), record]))
        )

    assert_id_taken(response)
    assert len(await export(owner)) == 1
    assert await import_records(owner, [record]) == Report(created=1, renumbered=1)


async def test_a_list_id_that_another_user_takes_meanwhile_is_a_conflict_and_later_replaced(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    neighbour = as_isolated_user("neighbour")
    await create_task_url(owner)
    await create_task_url(neighbour)
    record = list_record("Garden")

    async with lock_owners(proxy) as other:
        await other.rollback()
        await other.execute(INSERT_LIST, (record["id"], neighbour.headers["x-user-id"]))
        [response] = await commit_after_requests_wait(
            proxy, other, post_import(owner, to_ndjson([record, task_record(uuid4())]))
        )

    assert_id_taken(response)
    assert len(await export(owner)) == 1
    assert await import_records(owner, [record]) == Report(created=1, renumbered=1)


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
async def test_a_change_that_waited_for_an_erasure_finds_no_task(
    as_isolated_user: ClientFactory, proxy: FaultProxy, method: str
) -> None:
    owner = as_isolated_user("owner")
    url = await create_task_url(owner)
    body = {"title": "New"}
    if method == "DELETE":
        body = None

    async with lock_owners(proxy) as other:
        await other.execute(DELETE_ALL_OWNERS)
        [response] = await commit_after_requests_wait(
            proxy, other, owner.request(method, url, json=body)
        )

    assert response.status_code == 404
    assert response.json()["code"] == "task-not-found"


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "one"}])
async def test_a_creation_that_waited_for_an_erasure_starts_a_new_owner(
    as_isolated_user: ClientFactory, proxy: FaultProxy, headers: dict[str, str]
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)

    async with lock_owners(proxy) as other:
        await other.execute(DELETE_ALL_OWNERS)
        post = owner.post("/tasks", json={"title": "New"}, headers=headers)
        put = owner.put(
            f"/tasks/{uuid4()}", json={"title": "Named"}, headers={"If-None-Match": "*"}
        )
        responses = await commit_after_requests_wait(proxy, other, post, put)

    assert [response.status_code for response in responses] == [201, 201]
    assert set(field_values(await export(owner), "title")) == {"New", "Named"}


async def test_an_erasure_that_waited_for_a_write_deletes_what_was_written(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)

    async with lock_owners(proxy) as other:
        await other.execute(BUMP_COUNTER)
        await other.execute(INSERT_TASK, (uuid4(), owner.headers["x-user-id"]))
        [response] = await commit_after_requests_wait(proxy, other, owner.delete(OWNER_PATH))

    assert response.status_code == 204
    assert await export(owner) == []


async def test_an_import_that_loses_its_database_writes_nothing(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)

    async with lock_owners(proxy) as other:
        pending = asyncio.ensure_future(post_import(owner, to_ndjson([task_record(uuid4())])))
        await wait_for_blocked_statements(proxy.server_url, 1)
        proxy.close_connections()
        response = await pending
        await other.rollback()

    assert response.status_code == 500
    assert response.headers["retry-after"] == "1"
    assert len(await export(owner)) == 1
    assert await count_staged(proxy) == (0, 0)
