"""An import and a write of the same user at the same time, in both orders.

Both wait for the lock on the owner, one behind the other.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from httpx import AsyncClient, Response

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy
from devkit.testing.lock_waits import wait_for_blocked_statements

from ..support.import_export import (
    Record,
    export,
    import_records,
    post_import,
    task_record,
    to_ndjson,
)
from ..support.owner_lock import create_task_url, lock_owners
from ..support.recurring import change, complete, create_recurring, successor_id, successor_of

INSERT_TASK = """
INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version)
SELECT %s, id, 'Theirs', false, now(), now(), counter + 1 FROM owners WHERE id = %s
"""

BOTH_ORDERS = pytest.mark.parametrize("import_first", [True, False], ids=["before", "after"])


async def run_in_order(
    proxy: FaultProxy,
    import_request: Coroutine[Any, Any, Response],
    write: Coroutine[Any, Any, Response],
    *,
    import_first: bool,
) -> tuple[Response, Response]:
    """Let both wait for the lock in this order; return the responses to import and write."""
    requests = [import_request, write]
    if not import_first:
        requests.reverse()
    async with lock_owners(proxy) as other:
        pending: list[asyncio.Task[Response]] = []
        for number, request in enumerate(requests, 1):
            pending.append(asyncio.create_task(request))
            await wait_for_blocked_statements(proxy.server_url, number)
        await other.commit()
        responses = await asyncio.gather(*pending)
    if not import_first:
        responses.reverse()
    return responses[0], responses[1]


async def tasks_by_id(owner: AsyncClient) -> dict[object, Record]:
    return {task["id"]: task for task in (await owner.get("/tasks")).json()}


@BOTH_ORDERS
async def test_a_parent_never_gets_a_parent_by_a_write_beside_an_import(
    as_isolated_user: ClientFactory, proxy: FaultProxy, *, import_first: bool
) -> None:
    owner = as_isolated_user("owner")
    middle, top, bottom = (str(uuid4()) for _ in range(3))
    await import_records(owner, [task_record(task_id) for task_id in (middle, top, bottom)])

    imported, patched = await run_in_order(
        proxy,
        post_import(owner, to_ndjson([task_record(middle, parent_id=top)])),
        owner.patch(f"/tasks/{bottom}", json={"parent_id": middle}),
        import_first=import_first,
    )

    assert imported.status_code == (200 if import_first else 422)
    assert patched.status_code == (422 if import_first else 200)
    rejected = patched if import_first else imported
    assert rejected.json()["code"] == "nested-too-deep"
    parents = {task["id"]: task["parent_id"] for task in (await owner.get("/tasks")).json()}
    expected = {middle: top} if import_first else {bottom: middle}
    assert parents == dict.fromkeys((middle, top, bottom)) | expected


@BOTH_ORDERS
async def test_a_subtask_is_imported_beside_the_deletion_of_its_parent(
    as_isolated_user: ClientFactory, proxy: FaultProxy, *, import_first: bool
) -> None:
    owner = as_isolated_user("owner")
    parent, subtask = str(uuid4()), str(uuid4())
    await import_records(owner, [task_record(parent)])

    imported, deleted = await run_in_order(
        proxy,
        post_import(owner, to_ndjson([task_record(subtask, parent_id=parent)])),
        owner.delete(f"/tasks/{parent}"),
        import_first=import_first,
    )

    assert (imported.json()["created"], deleted.status_code) == (1, 204)
    tasks = await tasks_by_id(owner)
    assert tasks.keys() == {subtask}
    assert tasks[subtask]["parent_id"] is None


async def test_a_completion_that_waited_for_an_import_completes_what_it_wrote(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    task = await create_recurring(owner, title="Old")
    [record] = await export(owner)

    imported, completed = await run_in_order(
        proxy,
        post_import(owner, to_ndjson([record | {"title": "Imported"}])),
        owner.patch(f"/tasks/{task['id']}", json={"is_completed": True}),
        import_first=True,
    )

    assert (imported.json()["updated"], completed.status_code) == (1, 200)
    tasks = await tasks_by_id(owner)
    assert tasks.keys() == {task["id"], successor_id(task)}
    assert tasks[task["id"]]["is_completed"]
    assert {task["title"] for task in tasks.values()} == {"Imported"}


async def test_an_import_that_waited_for_a_completion_keeps_the_one_successor(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    neighbour = as_isolated_user("neighbour")
    await create_task_url(neighbour)
    task = await create_recurring(owner, title="Old")
    [record] = await export(owner)

    async with await psycopg.AsyncConnection.connect(proxy.server_url) as other:
        # The completion has the lock on the owner, and waits for the id of the successor.
        await other.execute(INSERT_TASK, (successor_id(task), neighbour.headers["x-user-id"]))
        completing = asyncio.create_task(
            owner.patch(f"/tasks/{task['id']}", json={"is_completed": True})
        )
        await wait_for_blocked_statements(proxy.server_url, 1)
        importing = asyncio.create_task(
            post_import(owner, to_ndjson([record | {"title": "Imported"}]))
        )
        await wait_for_blocked_statements(proxy.server_url, 2)
        await other.rollback()
        completed, imported = await asyncio.gather(completing, importing)

    assert (imported.json()["updated"], completed.status_code) == (1, 200)
    successor = await successor_of(owner, completed)
    assert successor is not None
    assert (successor["title"], successor["previous_id"]) == ("Old", task["id"])
    tasks = await tasks_by_id(owner)
    assert tasks.keys() == {task["id"], successor["id"]}
    # The record was open: so is the task now, and completing it makes no second successor.
    assert tasks[task["id"]]["title"] == "Imported"
    assert not tasks[task["id"]]["is_completed"]
    assert await complete(owner, task) == successor


async def test_renumbered_occurrences_are_neither_made_twice_nor_taken_back(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    stranger = as_user("stranger")
    await complete(owner, await create_recurring(owner))
    await import_records(stranger, await export(owner))
    completed, successor = (await stranger.get("/tasks?sort=-is_completed")).json()
    assert successor["previous_id"] == completed["id"]
    assert successor["id"] != successor_id(completed)

    again = await change(stranger, completed, is_completed=True)
    await change(stranger, completed, is_completed=False)
    reopened = (await tasks_by_id(stranger)).keys()
    anew = await change(stranger, completed, is_completed=True)

    assert reopened == {completed["id"], successor["id"]}
    assert await successor_of(stranger, again) == successor
    assert await successor_of(stranger, anew) == successor
    assert len(await tasks_by_id(stranger)) == 2
