"""Labels: tasks create them, and renaming or deleting one changes its tasks."""

import asyncio
from collections.abc import Awaitable
from uuid import uuid4

import psycopg
import pytest
from httpx import AsyncClient, Response

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.helpers import (
    JsonObject,
    create_task,
    field_values,
    json_object,
    problem_code,
    status_codes,
)
from ..support.owner_lock import commit_after_requests_wait, lock_owners


async def _labels(owner: AsyncClient) -> list[tuple[str, int]]:
    """Return the name and the number of tasks of each label."""
    labels = (await owner.get("/labels")).json()
    return [(label["name"], label["task_count"]) for label in labels]


async def _label(owner: AsyncClient, name: str) -> JsonObject:
    labels = (await owner.get("/labels")).json()
    names = field_values(labels, "name")
    assert names.count(name) == 1
    return labels[names.index(name)]


async def test_the_first_use_creates_a_label_and_fixes_its_spelling(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    first = await create_task(owner, labels=["Weekend", " home ", "WEEKEND"])
    second = await create_task(owner, labels=["weekEND"])

    assert first["labels"] == ["home", "Weekend"]
    assert second["labels"] == ["Weekend"]
    assert await _labels(owner) == [("home", 1), ("Weekend", 2)]
    assert (await owner.get("/tasks")).json() == [first, second]
    labels = (await owner.get("/labels")).json()
    versions = field_values([first, second], "version") + field_values(labels, "version")
    assert len(versions) == 4
    assert len(set(versions)) == 4


async def test_labels_are_replaced_as_a_whole(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task = await create_task(owner, labels=["a", "b"])
    path = f"/tasks/{task['id']}"

    changed = await json_object(await owner.patch(path, json={"labels": ["B", "c"]}))
    assert changed["labels"] == ["b", "c"]
    reordered = await json_object(await owner.patch(path, json={"labels": ["c", "b"]}))
    assert reordered == changed
    replaced = await json_object(await owner.put(path, json={"title": "Old client"}))
    assert replaced["labels"] == ["b", "c"]
    emptied = await json_object(await owner.patch(path, json={"labels": []}))
    assert emptied["labels"] == []
    assert await _labels(owner) == [("a", 0), ("b", 0), ("c", 0)]


@pytest.mark.scenario("S006-FR-003", "S006-SC-004")
@pytest.mark.parametrize(
    ("labels", "status"),
    [
        (["x" * 51], 422),
        ([""], 422),
        (["a\nb"], 422),
        ([5], 400),
        ("x", 400),
        (None, 400),
        ([None], 400),
    ],
)
async def test_labels_are_short_lines(as_user: ClientFactory, labels: object, status: int) -> None:
    owner = as_user("owner")

    rejected = await owner.post("/tasks", json={"title": "x", "labels": labels})

    assert rejected.status_code == status
    assert (await owner.get("/labels")).json() == []


async def test_a_task_has_at_most_20_labels(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    labels = [str(number) for number in range(20)]

    rejected = await owner.post("/tasks", json={"title": "x", "labels": labels + ["y"]})

    assert problem_code(rejected) == (422, "quota-exceeded")
    assert (await owner.get("/labels")).json() == []
    await create_task(owner, labels=labels + ["0"])


async def test_an_owner_has_at_most_500_labels(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    task = await create_task(owner, labels=["a"])
    with psycopg.connect(proxy.server_url) as connection:
        connection.execute("UPDATE owners SET label_count = 499")

    creation = await owner.post("/tasks", json={"title": "x", "labels": ["a", "b", "c"]})
    change = await owner.patch(f"/tasks/{task['id']}", json={"labels": ["b", "c"]})

    assert problem_code(creation) == (422, "quota-exceeded")
    assert problem_code(change) == (422, "quota-exceeded")
    assert await _labels(owner) == [("a", 1)]
    created = await create_task(owner, labels=["a", "b"])
    assert created["labels"] == ["a", "b"]


@pytest.mark.scenario("S006-AC-6")
async def test_a_renamed_label_updates_all_its_tasks_in_the_feed(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    task_ids: set[object] = set()
    for number in range(3):
        task = await create_task(owner, labels=["home", str(number)])
        task_ids.add(task["id"])
    await create_task(owner, labels=["other"])
    since = (await owner.get("/tasks/changes")).json()["next"]
    home = await _label(owner, "home")

    renamed = await json_object(await owner.patch(f"/labels/{home['id']}", json={"name": "House"}))

    changes = (await owner.get(f"/tasks/changes?since={since}")).json()
    assert changes["labels"] == [renamed]
    assert set(field_values(changes["tasks"], "id")) == task_ids
    for task in changes["tasks"]:
        assert "House" in task["labels"]
    versions = field_values(changes["tasks"], "version") + [renamed["version"]]
    assert versions == list(range(int(since) + 1, int(since) + 5))


async def test_renaming_and_deleting_a_label_honours_preconditions(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task = await create_task(owner, labels=["a", "b"])
    label_id = (await _label(owner, "a"))["id"]
    path = f"/labels/{label_id}"
    label = await json_object(await owner.get(path))

    assert "task_count" not in label
    unchanged = await json_object(await owner.patch(path, json=label | {"task_count": 1}))
    assert unchanged == label
    assert label["id"] == label_id
    assert problem_code(await owner.patch(path, json={"name": "B"})) == (409, "name-taken")
    stale = {"If-Match": '"1"'}
    rejected = await owner.patch(path, json={"name": "c"}, headers=stale)
    assert problem_code(rejected) == (412, "version-mismatch")
    assert problem_code(await owner.delete(path, headers=stale)) == (412, "version-mismatch")
    renamed = await json_object(await owner.patch(path, json={"name": "A"}))
    assert renamed["name"] == "A"
    assert (await owner.get(f"/tasks/{task['id']}")).json()["labels"] == ["A", "b"]
    since = (await owner.get("/tasks/changes")).json()["next"]
    assert (await owner.delete(path)).status_code == 204
    changes = (await owner.get(f"/tasks/changes?since={since}")).json()
    assert field_values(changes["tasks"], "labels") == [["b"]]
    assert changes["deleted"] == [{"kind": "label", "id": label["id"], "version": int(since) + 2}]


async def test_another_users_label_looks_missing(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    stranger = as_user("stranger")
    await create_task(owner, labels=["a"])
    label = await _label(owner, "a")

    for label_id in (label["id"], uuid4()):
        path = f"/labels/{label_id}"
        responses = [
            await stranger.get(path),
            await stranger.patch(path, json={"name": "x"}),
            await stranger.delete(path),
        ]
        for response in responses:
            assert problem_code(response) == (404, "label-not-found")


@pytest.mark.scenario("S006-AC-9")
async def test_concurrent_first_uses_create_one_label(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    requests: list[Awaitable[Response]] = []
    for number in range(4):
        task = await create_task(owner, str(number))
        change = {"labels": ["New", task["title"]]}
        requests.append(owner.patch(f"/tasks/{task['id']}", json=change))
    requests.append(owner.post("/tasks", json={"title": "5", "labels": ["NEW"]}))

    responses = await asyncio.gather(*requests)

    assert status_codes(responses) == [200, 200, 200, 200, 201]
    assert [count for name, count in await _labels(owner) if name.lower() == "new"] == [5]


async def test_a_label_created_while_a_request_waits_is_reused(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    task = await create_task(owner)

    async with lock_owners(proxy) as other:
        await other.execute("UPDATE owners SET counter = counter + 1, label_count = 1")
        await other.execute(
            """
            INSERT INTO labels (id, user_id, name, folded_name, created_at, updated_at, version)
            SELECT gen_random_uuid(), id, 'New', 'new', now(), now(), counter FROM owners
            """
        )
        change = owner.patch(f"/tasks/{task['id']}", json={"labels": ["NEW"]})
        add = owner.post("/tasks", json={"title": "x", "labels": ["nEw"]})
        responses = await commit_after_requests_wait(proxy, other, change, add)

    for response in responses:
        assert response.json()["labels"] == ["New"]
    assert await _labels(owner) == [("New", 2)]


async def test_a_change_returns_the_labels_that_were_set_while_it_waited(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    task = await create_task(owner, labels=["a"])

    async with lock_owners(proxy) as other:
        await other.execute("UPDATE owners SET counter = counter + 1")
        await other.execute("DELETE FROM task_labels")
        await other.execute("UPDATE tasks SET version = (SELECT counter FROM owners)")
        change = owner.patch(f"/tasks/{task['id']}", json={"title": "New"})
        [response] = await commit_after_requests_wait(proxy, other, change)

    changed = response.json()
    assert changed == (await owner.get(f"/tasks/{task['id']}")).json()
    assert changed["title"] == "New"
    assert changed["labels"] == []
