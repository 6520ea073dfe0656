"""DELETE /tasks/{id} with `subtasks`: they are kept, or deleted with their parent."""

import psycopg
import pytest

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.helpers import create_task, field_values, list_titles, problem_code, status_codes
from ..support.owner_lock import commit_after_requests_wait, lock_owners

EDIT_SUBTASK = """
WITH counter_bump AS (UPDATE owners SET counter = counter + 1 RETURNING id, counter)
UPDATE tasks SET title = 'Edited', version = counter FROM counter_bump
WHERE parent_id IS NOT NULL AND user_id = counter_bump.id
"""
DELETE_SUBTASK = """
WITH counter_bump AS (
    UPDATE owners SET counter = counter + 1, task_count = task_count - 1
    RETURNING id, counter
)
DELETE FROM tasks USING counter_bump WHERE parent_id IS NOT NULL AND user_id = counter_bump.id
"""


@pytest.mark.scenario("S007-AC-10")
@pytest.mark.parametrize("query", ["", "?subtasks=keep"])
async def test_subtasks_of_a_deleted_task_are_kept(as_user: ClientFactory, query: str) -> None:
    owner = as_user("owner")
    parent = await create_task(owner, "parent")
    for title in "abc":
        await create_task(owner, title, parent_id=parent["id"], labels=["x"], priority="high")
    before = (await owner.get("/tasks?parent_id=" + str(parent["id"]))).json()

    assert (await owner.delete(f"/tasks/{parent['id']}{query}")).status_code == 204

    after = (await owner.get("/tasks?parent_id=none")).json()
    for old, new in zip(before, after, strict=True):
        changed = {name for name, value in old.items() if new[name] != value}
        assert changed == {"parent_id", "version", "updated_at"}


@pytest.mark.scenario("S007-AC-10")
async def test_subtasks_are_deleted_with_their_parent_if_it_is_said(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    parent = await create_task(owner, "parent")
    subtasks = [await create_task(owner, title, parent_id=parent["id"]) for title in "ab"]
    other = await create_task(owner, "other")
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        link = "UPDATE tasks SET previous_id = %s WHERE id = %s"
        await connection.execute(link, (subtasks[0]["id"], other["id"]))
    before = int((await owner.get("/tasks/changes")).json()["next"])

    response = await owner.delete(f"/tasks/{parent['id']}?subtasks=delete")

    assert response.status_code == 204
    assert await list_titles(owner) == ["other"]
    changes = (await owner.get(f"/tasks/changes?since={before}&limit=1")).json()
    assert field_values(changes["tasks"], "previous_id") == [None]
    deleted: list[str] = []
    while changes["has_more"]:
        changes = (await owner.get(f"/tasks/changes?since={changes['next']}&limit=1")).json()
        deleted += field_values(changes["deleted"], "id")
    assert deleted == [subtasks[0]["id"], subtasks[1]["id"], parent["id"]]
    assert int(changes["next"]) == before + 4
    # They count no longer: four more fit into the quota of these tests.
    for title in "wxyz":
        await create_task(owner, title)


async def test_a_task_without_subtasks_is_deleted_alone(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task = await create_task(owner, "task")
    await create_task(owner, "other")

    response = await owner.delete(f"/tasks/{task['id']}?subtasks=delete")

    assert response.status_code == 204
    assert await list_titles(owner) == ["other"]


@pytest.mark.parametrize("query", ["subtasks=", "subtasks=all", "subtasks=keep&subtasks=delete"])
async def test_another_word_deletes_nothing(as_user: ClientFactory, query: str) -> None:
    owner = as_user("owner")
    task = await create_task(owner)

    response = await owner.delete(f"/tasks/{task['id']}?{query}")

    assert problem_code(response)[0] == 400
    assert await list_titles(owner) == ["Task"]


async def test_a_refused_or_foreign_deletion_keeps_the_subtasks(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    parent = await create_task(owner, "parent")
    await create_task(owner, "a", parent_id=parent["id"])
    url = f"/tasks/{parent['id']}?subtasks=delete"

    refused = await owner.delete(url, headers={"If-Match": '"1"'})
    foreign = await as_user("neighbour").delete(url)

    assert status_codes([refused, foreign]) == [412, 404]
    assert await list_titles(owner) == ["parent", "a"]


@pytest.mark.parametrize("statement", [EDIT_SUBTASK, DELETE_SUBTASK])
async def test_a_deletion_that_waited_for_a_change_of_a_subtask(
    as_isolated_user: ClientFactory, proxy: FaultProxy, statement: str
) -> None:
    owner = as_isolated_user("owner")
    parent = await create_task(owner, "parent")
    await create_task(owner, "a", parent_id=parent["id"])

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute(statement.encode())
        deletion = owner.delete(f"/tasks/{parent['id']}?subtasks=delete")
        [response] = await commit_after_requests_wait(proxy, lock_holder, deletion)

    assert response.status_code == 204
    assert await list_titles(owner) == []
    # Nothing is counted twice: the quota of these tests is five.
    for title in "vwxyz":
        await create_task(owner, title)
    assert (await owner.post("/tasks", json={"title": "full"})).status_code == 422


async def test_an_edit_of_a_subtask_that_waited_for_its_deletion_is_404(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    parent = await create_task(owner, "parent")
    subtask = await create_task(owner, "a", parent_id=parent["id"])

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute(DELETE_SUBTASK)
        edit = owner.patch(f"/tasks/{subtask['id']}", json={"title": "New"})
        [response] = await commit_after_requests_wait(proxy, lock_holder, edit)

    assert problem_code(response) == (404, "task-not-found")
