"""The order that tasks and lists are put in by hand."""

from dataclasses import dataclass
from itertools import pairwise
from uuid import uuid4

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
    list_titles,
    move_task,
    problem_code,
)
from ..support.owner_lock import commit_after_requests_wait, lock_owners

INSERT_TASKS = """
WITH counter_bump AS (
    UPDATE owners SET counter = counter + %(count)s, task_count = task_count + %(count)s
    WHERE id = %(owner)s
    RETURNING counter
)
INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version)
SELECT gen_random_uuid(), %(owner)s, n, false,
       now() - interval '1 hour' + n * interval '1 second', now(),
       counter - %(count)s + n
FROM counter_bump, generate_series(1, %(count)s) AS n
"""


async def _insert_tasks(proxy: FaultProxy, owner: AsyncClient, count: int) -> None:
    """Insert tasks into the inbox, more than the quota of these tests allows."""
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        params = {"owner": owner.headers["x-user-id"], "count": count}
        await connection.execute(INSERT_TASKS, params)


async def _inbox(owner: AsyncClient) -> list[JsonObject]:
    """Return the tasks of the inbox in their order; check the positions."""
    response = await owner.get("/tasks?list_id=none")
    tasks: list[JsonObject] = response.json()
    positions = [str(task["position"]).encode() for task in tasks]
    assert positions == sorted(positions)
    assert max(len(position) for position in positions) <= 251
    return tasks


async def _inbox_titles(owner: AsyncClient) -> str:
    return "".join(field_values(await _inbox(owner), "title"))


@dataclass(frozen=True)
class Inbox:
    """The client of an owner with the tasks a, b and c in the inbox."""

    owner: AsyncClient
    tasks: list[JsonObject]

    def move_body(self, target: dict[str, int | None]) -> dict[str, object]:
        """Return the body of a move; `target` names the task to follow by its number."""
        body: dict[str, object] = {}
        for name, number in target.items():
            body[name] = None
            if number is not None:
                body[name] = self.tasks[number]["id"]
        return body


@pytest.fixture
async def inbox(as_user: ClientFactory) -> Inbox:
    owner = as_user("owner")
    tasks = [await create_task(owner, title) for title in "abc"]
    return Inbox(owner, tasks)


async def test_tasks_that_were_never_moved_are_in_the_order_of_creation(inbox: Inbox) -> None:
    assert await _inbox(inbox.owner) == inbox.tasks
    assert (await inbox.owner.get("/tasks")).json() == inbox.tasks


@pytest.mark.parametrize(
    ("number", "target", "order"),
    [
        (2, {"after": None}, "cab"),
        (0, {}, "bca"),
        (0, {"after": 1}, "bac"),
        (2, {"after": 0}, "acb"),
        (0, {"after": 2}, "bca"),
    ],
)
async def test_a_move_writes_one_row(
    inbox: Inbox, number: int, target: dict[str, int | None], order: str
) -> None:
    owner = inbox.owner
    since = (await owner.get("/tasks/changes")).json()["next"]
    path = f"/tasks/{inbox.tasks[number]['id']}/move"

    moved = await json_object(await owner.post(path, json=inbox.move_body(target)))

    assert await _inbox_titles(owner) == order
    assert (await owner.get(f"/tasks/changes?since={since}")).json()["tasks"] == [moved]
    assert moved["version"] == int(since) + 1
    assert await list_titles(owner) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("number", "target"), [(0, {"after": None}), (2, {}), (1, {"after": 0}), (1, {"after": 1})]
)
async def test_a_move_to_the_current_position_changes_nothing(
    inbox: Inbox, number: int, target: dict[str, int | None]
) -> None:
    task = inbox.tasks[number]
    path = f"/tasks/{task['id']}/move"

    moved = await json_object(await inbox.owner.post(path, json=inbox.move_body(target)))

    assert moved == task
    assert await _inbox(inbox.owner) == inbox.tasks


@pytest.mark.scenario("S006-AC-3")
async def test_a_move_keeps_the_id_and_raises_one_version(inbox: Inbox) -> None:
    owner = inbox.owner
    task = inbox.tasks[0]
    garden = await create_list(owner)
    since = (await owner.get("/tasks/changes")).json()["next"]

    moved = await move_task(owner, task, list_id=garden["id"])

    changed_fields = {"list_id": garden["id"]}
    for name in ("version", "updated_at", "position"):
        changed_fields[name] = moved[name]
    assert moved == task | changed_fields
    assert (await owner.get(f"/tasks/changes?since={since}")).json()["tasks"] == [moved]
    assert (await owner.get(f"/tasks/{task['id']}")).json() == moved
    assert moved["version"] == int(since) + 1
    assert await list_titles(owner, list_id=garden["id"]) == ["a"]
    moved_back = await move_task(owner, moved, list_id=None, after=inbox.tasks[1]["id"])
    assert moved_back["list_id"] is None
    assert await _inbox_titles(owner) == "bac"


async def test_a_new_task_comes_after_one_that_was_moved_to_the_end(inbox: Inbox) -> None:
    await move_task(inbox.owner, inbox.tasks[0])
    await create_task(inbox.owner, "d")

    assert await _inbox_titles(inbox.owner) == "bcad"


async def test_a_task_follows_only_tasks_of_its_own_list(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    garden = await create_list(owner)
    task = await create_task(owner)
    listed_task = await create_task(owner, list_id=garden["id"])
    neighbours_task = await create_task(as_user("neighbour"))
    path = f"/tasks/{task['id']}/move"

    for after in (listed_task["id"], neighbours_task["id"], str(uuid4())):
        response = await owner.post(path, json={"after": after})
        assert problem_code(response) == (422, "after-not-found")
    response = await owner.post(path, json={"list_id": garden["id"], "after": task["id"]})
    assert problem_code(response) == (422, "after-not-found")


async def test_an_invalid_move_is_rejected(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    await create_list(owner)
    task = await create_task(owner)
    neighbours_task = await create_task(as_user("neighbour"))
    path = f"/tasks/{task['id']}/move"

    missing = await owner.post(f"/tasks/{neighbours_task['id']}/move", json={})
    assert problem_code(missing) == (404, "task-not-found")
    stale = await owner.post(path, json={}, headers={"If-Match": '"1"'})
    assert problem_code(stale) == (412, "version-mismatch")
    malformed = await owner.post(path, json={"after": "x"})
    assert malformed.status_code == 400
    unknown_field = await owner.post(path, json={"before": None})
    assert unknown_field.status_code == 422


async def test_a_move_with_a_key_is_made_once(inbox: Inbox) -> None:
    owner = inbox.owner
    task = inbox.tasks[0]
    path = f"/tasks/{task['id']}/move"
    key = {"Idempotency-Key": "key"}
    original = await owner.post(path, json={}, headers=key)
    await move_task(owner, inbox.tasks[1])

    retried = await owner.post(path, json={}, headers=key | {"If-Match": '"1"'})

    assert retried.status_code == 200
    assert retried.content == original.content
    assert retried.headers["idempotency-replayed"] == "true"
    reused = await owner.post(path, json={"after": None}, headers=key)
    assert problem_code(reused) == (422, "key-reused")
    await owner.delete(f"/tasks/{task['id']}")
    retried = await owner.post(path, json={}, headers=key)
    assert retried.content == original.content


async def _stored_fingerprint(proxy: FaultProxy, owner: AsyncClient) -> str:
    """Return what was stored to recognise the request of the owner's only idempotency key."""
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        statement = "SELECT encode(digest, 'hex') FROM idempotency_keys WHERE user_id = %s"
        result = await connection.execute(statement, [owner.headers["x-user-id"]])
        [(fingerprint,)] = await result.fetchall()
    return fingerprint


async def test_a_retry_after_a_release_is_the_same_request(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    """The literals were computed by the first release: its stored keys must be recognised."""
    task_owner = as_isolated_user("owner of a task")
    task_path = "/tasks/019aa5f2-8e40-7c31-a6d9-3b0f5c72e1aa"
    list_owner = as_isolated_user("owner of a list")
    list_path = "/lists/019aa5f3-1b20-7d4e-8c05-6a9e2f7b4daa"
    new = {"If-None-Match": "*"}
    key = {"Idempotency-Key": "key"}
    await task_owner.put(task_path, json={"title": "a"}, headers=new)
    await list_owner.put(list_path, json={"name": "a"}, headers=new)

    task_move = {"after": None, "list_id": None}
    await task_owner.post(f"{task_path}/move", json=task_move, headers=key)
    await list_owner.post(f"{list_path}/move", json={"after": None}, headers=key)

    assert await _stored_fingerprint(proxy, task_owner) == (
        "caa441e6fc23619ad6a63ddba193b7a806456f882092330321e5f34816c11508"
    )
    assert await _stored_fingerprint(proxy, list_owner) == (
        "aaecbda744d243845ab7b760fd7a3744963fd541ac221e2964f8fc22e8a126a7"
    )


async def test_lists_are_put_in_order_like_tasks(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    lists = [await create_list(owner, name) for name in "abc"]
    path = f"/lists/{lists[2]['id']}/move"

    for after, order in (
        (None, "cab"),
        (lists[0]["id"], "acb"),
        (lists[2]["id"], "acb"),
        (lists[1]["id"], "abc"),
    ):
        await json_object(await owner.post(path, json={"after": after}))
        listed = (await owner.get("/lists")).json()
        assert "".join(field_values(listed, "name")) == order
    unknown_predecessor = await owner.post(path, json={"after": str(uuid4())})
    assert problem_code(unknown_predecessor) == (422, "after-not-found")
    assert problem_code(await owner.post(path, json={})) == (422, "missing")
    unknown_list = await owner.post(f"/lists/{uuid4()}/move", json={"after": None})
    assert problem_code(unknown_list) == (404, "list-not-found")


async def test_a_move_between_equal_positions_renumbers_the_tasks(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task(owner, "0")
    await _insert_tasks(proxy, owner, 30)
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        await connection.execute("UPDATE tasks SET position = 7.5")
    tasks_before = await _inbox(owner)
    since = int((await owner.get("/tasks/changes")).json()["next"])

    moved = await move_task(owner, tasks_before[-1], after=tasks_before[3]["id"])

    order = field_values(tasks_before, "id")
    order.insert(4, order.pop())
    tasks = await _inbox(owner)
    assert field_values(tasks, "id") == order
    assert field_values(tasks, "version") == list(range(since + 1, since + 32))
    assert moved == tasks[4]
    for task, next_task in pairwise(tasks):
        assert str(task["position"]) < str(next_task["position"])


async def test_a_move_follows_a_task_that_was_moved_meanwhile(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    predecessor = await create_task(owner, "a")
    task = await create_task(owner, "b")
    await create_task(owner, "c")

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute("UPDATE owners SET counter = counter + 1")
        await lock_holder.execute(
            """
            UPDATE tasks SET position = 1e18, version = (SELECT counter FROM owners)
            WHERE id = %s
            """,
            [predecessor["id"]],
        )
        request = owner.post(f"/tasks/{task['id']}/move", json={"after": predecessor["id"]})
        [response] = await commit_after_requests_wait(proxy, lock_holder, request)

    assert response.status_code == 200
    assert await _inbox_titles(owner) == "cab"
