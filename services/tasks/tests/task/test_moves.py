"""The order that tasks and lists are put in by hand."""

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
    json_object,
    list_titles,
    move_task,
    problem_code,
)
from ..support.owner_lock import commit_after_requests_wait, lock_owners

MANY = 30

ADD_MANY = """
WITH counted AS (UPDATE owners SET counter = counter + %(count)s, task_count = task_count + %(count)s
                 WHERE id = %(owner)s RETURNING counter)
INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version, list_id)
SELECT gen_random_uuid(), %(owner)s, n, false, now() - interval '1 hour' + n * interval '1 second', now(),
       counter - %(count)s + n, %(list)s
FROM counted, generate_series(1, %(count)s) AS n
"""


async def _add_many(
    proxy: FaultProxy, owner: AsyncClient, count: int, list_id: object = None
) -> None:
    """Make more tasks than the quota of these tests allows."""
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        values = {"owner": owner.headers["x-user-id"], "count": count, "list": list_id}
        await connection.execute(ADD_MANY, values)


async def _in_order(owner: AsyncClient, list_id: object = "none") -> list[JsonObject]:
    found: list[JsonObject] = (await owner.get(f"/tasks?list_id={list_id}")).json()
    positions = [str(task["position"]).encode() for task in found]
    assert positions == sorted(positions)
    assert all(len(position) <= 251 for position in positions)
    return found


Three = tuple[AsyncClient, list[JsonObject]]


@pytest.fixture
async def three(as_user: ClientFactory) -> Three:
    """Make three tasks in the inbox."""
    owner = as_user("owner")
    return owner, [await create_task(owner, title) for title in "abc"]


async def test_tasks_that_were_never_moved_are_in_the_order_of_making(three: Three) -> None:
    owner, tasks = three

    assert await _in_order(owner) == tasks == (await owner.get("/tasks")).json()


@pytest.mark.parametrize(
    ("which", "to", "order"),
    [
        (2, {"after": None}, "cab"),
        (0, {}, "bca"),
        (0, {"after": 1}, "bac"),
        (2, {"after": 0}, "acb"),
        (0, {"after": 2}, "bca"),
    ],
)
async def test_a_move_writes_one_row(
    three: Three, which: int, to: dict[str, int | None], order: str
) -> None:
    owner, tasks = three
    since = (await owner.get("/tasks/changes")).json()["next"]

    moved = await move_task(
        owner, tasks[which], **{name: n if n is None else tasks[n]["id"] for name, n in to.items()}
    )

    assert "".join(str(task["title"]) for task in await _in_order(owner)) == order
    assert (await owner.get(f"/tasks/changes?since={since}")).json()["tasks"] == [moved]
    assert moved["version"] == int(since) + 1
    assert [task["title"] for task in (await owner.get("/tasks")).json()] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("which", "to"), [(0, {"after": None}), (2, {}), (1, {"after": 0}), (1, {"after": 1})]
)
async def test_a_move_to_where_it_is_changes_nothing(
    three: Three, which: int, to: dict[str, int | None]
) -> None:
    owner, tasks = three
    place = {name: n if n is None else tasks[n]["id"] for name, n in to.items()}

    assert await move_task(owner, tasks[which], **place) == tasks[which]
    assert await _in_order(owner) == tasks


@pytest.mark.scenario("S006-AC-3")
async def test_a_move_keeps_the_id_and_raises_one_version(three: Three) -> None:
    owner, tasks = three
    garden = await create_list(owner)
    since = (await owner.get("/tasks/changes")).json()["next"]

    moved = await move_task(owner, tasks[0], list_id=garden["id"])

    told = {name: moved[name] for name in ("version", "updated_at", "position")}
    assert moved == {**tasks[0], "list_id": garden["id"], **told}
    assert (await owner.get(f"/tasks/changes?since={since}")).json()["tasks"] == [moved]
    assert (await owner.get(f"/tasks/{tasks[0]['id']}")).json() == moved
    assert moved["version"] == int(since) + 1
    assert await list_titles(owner, list_id=garden["id"]) == ["a"]
    assert (await move_task(owner, moved, list_id=None, after=tasks[1]["id"]))["list_id"] is None
    assert "".join(str(task["title"]) for task in await _in_order(owner)) == "bac"


async def test_a_task_made_later_comes_behind_one_that_was_moved_to_the_end(three: Three) -> None:
    owner, tasks = three

    await move_task(owner, tasks[0])
    await create_task(owner, "d")

    assert "".join(str(task["title"]) for task in await _in_order(owner)) == "bcad"


async def test_a_task_follows_only_what_is_there(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    garden = await create_list(owner)
    task, inside = await create_task(owner), await create_task(owner, list_id=garden["id"])
    theirs = await create_task(as_user("neighbour"))

    for after in (inside["id"], theirs["id"], str(uuid4())):
        answer = await owner.post(f"/tasks/{task['id']}/move", json={"after": after})
        assert problem_code(answer) == (422, "after-not-found")
    into = {"list_id": garden["id"], "after": task["id"]}
    assert problem_code(await owner.post(f"/tasks/{task['id']}/move", json=into)) == (
        422,
        "after-not-found",
    )
    assert problem_code(await owner.post(f"/tasks/{theirs['id']}/move", json={})) == (
        404,
        "task-not-found",
    )
    stale = await owner.post(f"/tasks/{task['id']}/move", json={}, headers={"If-Match": '"1"'})
    assert problem_code(stale) == (412, "version-mismatch")
    assert (
        problem_code(await owner.post(f"/tasks/{task['id']}/move", json={"after": "x"}))[0] == 400
    )
    assert (
        problem_code(await owner.post(f"/tasks/{task['id']}/move", json={"before": None}))[0] == 422
    )


async def test_a_move_with_a_key_is_made_once(three: Three) -> None:
    owner, tasks = three
    address, headers = f"/tasks/{tasks[0]['id']}/move", {"Idempotency-Key": "key"}
    first = await owner.post(address, json={}, headers=headers)
    await move_task(owner, tasks[1])

    again = await owner.post(address, json={}, headers={**headers, "If-Match": '"1"'})

    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert problem_code(await owner.post(address, json={"after": None}, headers=headers)) == (
        422,
        "key-reused",
    )
    await owner.delete(f"/tasks/{tasks[0]['id']}")
    assert (await owner.post(address, json={}, headers=headers)).content == first.content


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
    address = f"/lists/{lists[2]['id']}/move"

    for after, order in (
        (None, "cab"),
        (lists[0]["id"], "acb"),
        (lists[2]["id"], "acb"),
        (lists[1]["id"], "abc"),
    ):
        await json_object(await owner.post(address, json={"after": after}))
        assert "".join(each["name"] for each in (await owner.get("/lists")).json()) == order
    assert problem_code(await owner.post(address, json={"after": str(uuid4())})) == (
        422,
        "after-not-found",
    )
    assert problem_code(await owner.post(address, json={})) == (422, "missing")
    assert problem_code(await owner.post(f"/lists/{uuid4()}/move", json={"after": None})) == (
        404,
        "list-not-found",
    )


async def test_two_tasks_at_one_place_make_room(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task(owner, "0")
    await _add_many(proxy, owner, MANY)
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        await connection.execute("UPDATE tasks SET position = 7.5")
    before = await _in_order(owner)
    since = (await owner.get("/tasks/changes")).json()["next"]

    moved = await move_task(owner, before[-1], after=before[3]["id"])

    expected = [task["id"] for task in [*before[:4], before[-1], *before[4:-1]]]
    after = await _in_order(owner)
    assert [task["id"] for task in after] == expected
    assert [task["version"] for task in after] == list(range(int(since) + 1, int(since) + MANY + 2))
    assert moved == after[4]
    assert all(str(one["position"]) < str(other["position"]) for one, other in pairwise(after))


async def test_a_move_follows_what_was_moved_meanwhile(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    a, b, _ = [await create_task(owner, title) for title in "abc"]

    async with lock_owners(proxy) as other:
        await other.execute("UPDATE owners SET counter = counter + 1")
        last = (
            "UPDATE tasks SET position = 1e18, version = (SELECT counter FROM owners) WHERE id = %s"
        )
        await other.execute(last, [a["id"]])
        request = owner.post(f"/tasks/{b['id']}/move", json={"after": a["id"]})
        [answer] = await commit_after_requests_wait(proxy, other, request)

    assert answer.status_code == 200
    assert "".join(str(task["title"]) for task in await _in_order(owner)) == "cab"
