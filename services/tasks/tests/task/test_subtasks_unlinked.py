"""Tasks that point to a deleted task: they stay, without the link, and with a version of their own.

A task points to the task that it is a subtask of, and to the occurrence before it.
"""

from collections.abc import AsyncGenerator

import psycopg
import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.helpers import (
    JsonObject,
    create_list,
    create_task,
    field_values,
    json_object,
    status_codes,
)
from ..support.owner_lock import commit_after_requests_wait, lock_owners

POINT_TO_PREVIOUS = "UPDATE tasks SET previous_id = %s WHERE id = %s"
POINT_TO_PARENT = """
WITH counter_bump AS (UPDATE owners SET counter = counter + 1 RETURNING id, counter)
UPDATE tasks SET parent_id = %s, version = counter FROM counter_bump
WHERE tasks.id = %s AND user_id = counter_bump.id
"""


@pytest.fixture
async def database(proxy: FaultProxy) -> AsyncGenerator[psycopg.AsyncConnection]:
    """Connect to the database of this test's own service."""
    async with await psycopg.AsyncConnection.connect(
        proxy.server_url, autocommit=True
    ) as connection:
        yield connection


async def _counter(owner: AsyncClient) -> int:
    return int((await owner.get("/tasks/changes")).json()["next"])


async def _changes_since(owner: AsyncClient, since: int) -> JsonObject:
    return await json_object(await owner.get(f"/tasks/changes?since={since}"))


async def test_deleting_a_task_unlinks_its_subtasks_and_the_next_occurrence(
    as_isolated_user: ClientFactory, database: psycopg.AsyncConnection
) -> None:
    owner = as_isolated_user("owner")
    deleted = await create_task(owner, "Deleted")
    subtasks = [await create_task(owner, title, parent_id=deleted["id"]) for title in "ab"]
    successor = await create_task(owner, "Next")
    await create_task(owner, "Other")
    await database.execute(POINT_TO_PREVIOUS, (deleted["id"], successor["id"]))
    before = await _counter(owner)

    assert (await owner.delete(f"/tasks/{deleted['id']}")).status_code == 204

    changes = (await owner.get(f"/tasks/changes?since={before}")).json()
    assert field_values(changes["tasks"], "title") == ["a", "b", "Next"]
    assert field_values(changes["tasks"], "parent_id") == [None] * 3
    assert field_values(changes["tasks"], "previous_id") == [None] * 3
    assert field_values(changes["deleted"], "id") == [deleted["id"]]
    versions = field_values(changes["tasks"], "version")
    assert versions == [before + 1, before + 2, before + 3]
    assert int(changes["next"]) == before + 4
    for task, unlinked in zip([*subtasks, successor], changes["tasks"], strict=True):
        assert unlinked["updated_at"] > str(task["updated_at"])
        assert unlinked["position"] == task["position"]
        assert unlinked == (await owner.get(f"/tasks/{task['id']}")).json()


async def test_a_task_that_is_subtask_and_successor_of_the_deleted_one_takes_one_version(
    as_isolated_user: ClientFactory, database: psycopg.AsyncConnection
) -> None:
    owner = as_isolated_user("owner")
    deleted = await create_task(owner)
    both = await create_task(owner, parent_id=deleted["id"])
    await database.execute(POINT_TO_PREVIOUS, (deleted["id"], both["id"]))
    before = await _counter(owner)

    await owner.delete(f"/tasks/{deleted['id']}")

    [unlinked] = (await owner.get("/tasks")).json()
    assert (unlinked["parent_id"], unlinked["previous_id"]) == (None, None)
    assert await _counter(owner) == before + 2


async def test_only_the_link_to_the_deleted_task_is_cut(
    as_isolated_user: ClientFactory, database: psycopg.AsyncConnection
) -> None:
    owner = as_isolated_user("owner")
    parent = await create_task(owner, "Parent")
    previous = await create_task(owner, "Previous")
    task = await create_task(owner, parent_id=parent["id"])
    await database.execute(POINT_TO_PREVIOUS, (previous["id"], task["id"]))

    await owner.delete(f"/tasks/{previous['id']}")
    cut = (await owner.get(f"/tasks/{task['id']}")).json()
    assert (cut["parent_id"], cut["previous_id"]) == (parent["id"], None)

    await owner.delete(f"/tasks/{parent['id']}")
    cut = (await owner.get(f"/tasks/{task['id']}")).json()
    assert cut["parent_id"] is None


async def test_a_refused_deletion_unlinks_nothing(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    parent = await create_task(owner)
    subtask = await create_task(owner, parent_id=parent["id"])

    response = await owner.delete(f"/tasks/{parent['id']}", headers={"If-Match": '"1"'})

    assert response.status_code == 412
    assert (await owner.get(f"/tasks/{subtask['id']}")).json() == subtask


async def test_deleting_a_list_with_its_tasks_unlinks_tasks_elsewhere(
    as_isolated_user: ClientFactory, database: psycopg.AsyncConnection
) -> None:
    owner = as_isolated_user("owner")
    garden = await create_list(owner)
    first = await create_task(owner, "First", list_id=garden["id"])
    second = await create_task(owner, "Second", list_id=garden["id"])
    subtask = await create_task(owner, "Subtask", list_id=garden["id"], parent_id=first["id"])
    elsewhere = await create_task(owner, "Elsewhere")
    await database.execute(POINT_TO_PREVIOUS, (first["id"], second["id"]))
    await database.execute(POINT_TO_PREVIOUS, (second["id"], elsewhere["id"]))
    before = await _counter(owner)

    assert (await owner.delete(f"/lists/{garden['id']}?tasks=delete")).status_code == 204

    changes = (await owner.get(f"/tasks/changes?since={before}")).json()
    assert field_values(changes["tasks"], "title") == ["Elsewhere"]
    assert field_values(changes["tasks"], "previous_id") == [None]
    deleted_ids = {first["id"], second["id"], subtask["id"], garden["id"]}
    assert set(field_values(changes["deleted"], "id")) == deleted_ids
    assert int(changes["next"]) == before + 5


async def test_a_deletion_that_waited_unlinks_what_was_linked_meanwhile(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    parent = await create_task(owner, "Parent")
    task = await create_task(owner, "Task")
    before = await _counter(owner)

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute(POINT_TO_PARENT, (parent["id"], task["id"]))
        deletion = owner.delete(f"/tasks/{parent['id']}")
        responses = await commit_after_requests_wait(proxy, lock_holder, deletion)

    assert status_codes(responses) == [204]
    changes = await _changes_since(owner, before + 1)
    [unlinked] = (await owner.get("/tasks")).json()
    assert unlinked["parent_id"] is None
    assert changes["tasks"] == [unlinked]
