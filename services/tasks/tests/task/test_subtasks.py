"""Tasks with a parent: how they get it, and the list of the parent in which they are."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx import AsyncClient, Response

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.helpers import (
    IF_ABSENT,
    JsonObject,
    create_list,
    create_task,
    field_values,
    json_object,
    list_titles,
    move_task,
    problem_code,
)
from ..support.subtasks import insert_subtasks

RECURRENCE = {"rule": "FREQ=DAILY", "from": "due"}
DUE = {"date": "2026-12-01"}

WAYS = ["post", "put new", "patch", "put"]
"""The ways in which a task gets a parent."""


async def set_fields(owner: AsyncClient, way: str, fields: Mapping[str, Any]) -> Response:
    """Give fields to a new task, or to one in the inbox."""
    body = {"title": "task"} | dict(fields)
    if way == "post":
        return await owner.post("/tasks", json=body)
    if way == "put new":
        return await owner.put(f"/tasks/{uuid4()}", json=body, headers=IF_ABSENT)
    task = await create_task(owner, "task")
    return await owner.request(way.upper(), f"/tasks/{task['id']}", json=body)


async def changes_since(owner: AsyncClient, since: int) -> dict[str, Any]:
    """Return one page of the changes feed."""
    return (await owner.get(f"/tasks/changes?since={since}")).json()


async def counter_of(owner: AsyncClient) -> int:
    """Return the owner's counter."""
    return int((await owner.get("/tasks/changes")).json()["next"])


@pytest.fixture
async def owner(as_user: ClientFactory) -> AsyncClient:
    """Return the client of an owner without tasks."""
    return as_user("owner")


@pytest.mark.parametrize("way", WAYS)
async def test_a_task_gets_a_parent_and_its_list(owner: AsyncClient, way: str) -> None:
    garden = await create_list(owner)
    parent = await create_task(owner, "parent", list_id=garden["id"])

    subtask = (await set_fields(owner, way, {"parent_id": parent["id"]})).json()

    assert (subtask["parent_id"], subtask["list_id"]) == (parent["id"], garden["id"])
    assert subtask == (await owner.get(f"/tasks/{subtask['id']}")).json()
    # A parent's version stays when its subtasks change.
    assert (await owner.get(f"/tasks/{parent['id']}")).json() == parent


@pytest.mark.parametrize("way", WAYS)
async def test_the_list_of_the_parent_may_be_sent_too(owner: AsyncClient, way: str) -> None:
    garden = await create_list(owner)
    in_garden = await create_task(owner, "parent", list_id=garden["id"])
    in_inbox = await create_task(owner, "parent")

    for parent in (in_garden, in_inbox):
        place = {"parent_id": parent["id"], "list_id": parent["list_id"]}
        response = await set_fields(owner, way, place)
        assert response.status_code in {200, 201}, response.text
        assert response.json()["list_id"] == parent["list_id"]


@pytest.mark.parametrize("way", WAYS)
async def test_each_rule_has_its_code(owner: AsyncClient, as_user: ClientFactory, way: str) -> None:
    garden = await create_list(owner)
    parent = await create_task(owner, "parent", list_id=garden["id"])
    subtask = await create_task(owner, "subtask", parent_id=parent["id"])
    foreign = await create_task(as_user("neighbour"))
    broken: list[tuple[dict[str, Any], str]] = [
        ({"parent_id": str(uuid4())}, "parent-not-found"),
        ({"parent_id": foreign["id"]}, "parent-not-found"),
        ({"parent_id": subtask["id"]}, "nested-too-deep"),
        ({"parent_id": parent["id"], "list_id": None}, "contradiction"),
        ({"parent_id": parent["id"], "list_id": str(uuid4())}, "list-not-found"),
        ({"parent_id": parent["id"], "recurrence": RECURRENCE, "due": DUE}, "contradiction"),
    ]
    before = await counter_of(owner)

    for fields, code in broken:
        response = await set_fields(owner, way, fields)
        assert problem_code(response) == (422, code), (fields, response.text)
        if way in {"patch", "put"}:
            # What was made for this attempt goes, so that the next one fits into the quota.
            [task] = (await owner.get("/tasks?q=task&list_id=none")).json()
            assert task["parent_id"] is None
            assert (await owner.delete(f"/tasks/{task['id']}")).status_code == 204
            before = await counter_of(owner)
    assert await counter_of(owner) == before


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_a_task_with_subtasks_gets_no_parent_nor_is_it_its_own(
    owner: AsyncClient, method: str
) -> None:
    parent = await create_task(owner, "parent")
    await create_task(owner, "subtask", parent_id=parent["id"])
    other = await create_task(owner, "other")

    for task, parent_id in ((parent, other["id"]), (parent, parent["id"]), (other, other["id"])):
        body = {"title": "new", "parent_id": parent_id}
        response = await owner.request(method, f"/tasks/{task['id']}", json=body)
        assert problem_code(response) == (422, "nested-too-deep")
    new_id = str(uuid4())
    response = await owner.put(
        f"/tasks/{new_id}", json={"title": "x", "parent_id": new_id}, headers=IF_ABSENT
    )
    assert problem_code(response) == (422, "nested-too-deep")
    assert await list_titles(owner) == ["parent", "subtask", "other"]


@pytest.mark.parametrize("way", WAYS)
async def test_a_parent_has_a_hundred_subtasks_at_most(
    as_isolated_user: ClientFactory, proxy: FaultProxy, way: str
) -> None:
    owner = as_isolated_user("owner")
    parent = await create_task(owner, "parent")
    await insert_subtasks(proxy, parent, 99)

    last = await set_fields(owner, way, {"parent_id": parent["id"]})
    assert last.status_code in {200, 201}, last.text
    rejected = await set_fields(owner, way, {"parent_id": parent["id"]})

    assert problem_code(rejected) == (422, "quota-exceeded")
    # A subtask of a full parent can still be changed.
    change = {"title": "new", "parent_id": parent["id"]}
    assert (await owner.patch(f"/tasks/{last.json()['id']}", json=change)).status_code == 200
    assert len((await owner.get(f"/tasks?parent_id={parent['id']}")).json()) == 100


async def test_a_subtask_leaves_its_parents_list_only_without_the_parent(
    owner: AsyncClient,
) -> None:
    garden = await create_list(owner)
    parent = await create_task(owner, "parent", list_id=garden["id"])
    subtask = await create_task(owner, "subtask", parent_id=parent["id"])
    url = f"/tasks/{subtask['id']}"

    for list_id in (None, (await create_list(owner, "Yard"))["id"]):
        body = {"title": "new", "list_id": list_id}
        for response in (
            await owner.patch(url, json=body),
            await owner.put(url, json=body),
            await owner.post(f"{url}/move", json={"list_id": list_id}),
        ):
            assert problem_code(response) == (422, "contradiction")
    assert (await owner.get(url)).json() == subtask

    # The state after the write decides.
    same = await owner.patch(url, json={"list_id": garden["id"]})
    assert same.json() == subtask
    moved = await owner.post(f"{url}/move", json={"list_id": garden["id"], "after": None})
    assert moved.json()["parent_id"] == parent["id"]
    free = await json_object(await owner.patch(url, json={"list_id": None, "parent_id": None}))
    assert (free["list_id"], free["parent_id"]) == (None, None)
    back = await json_object(await owner.patch(url, json={"parent_id": parent["id"]}))
    assert (back["list_id"], back["parent_id"]) == (garden["id"], parent["id"])
    alone = await json_object(await owner.patch(url, json={"parent_id": None}))
    assert (alone["list_id"], alone["parent_id"]) == (garden["id"], None)


async def test_a_put_of_an_older_client_keeps_the_parent(owner: AsyncClient) -> None:
    parent = await create_task(owner, "parent")
    subtask = await create_task(owner, "subtask", parent_id=parent["id"])

    response = await owner.put(f"/tasks/{subtask['id']}", json={"title": "new"})

    assert response.json()["parent_id"] == parent["id"]


async def test_a_subtask_may_have_a_due_date_but_no_recurrence(owner: AsyncClient) -> None:
    parent = await create_task(owner, "parent", due=DUE, recurrence=RECURRENCE)
    subtask = await create_task(owner, "subtask", parent_id=parent["id"], due=DUE)
    url = f"/tasks/{subtask['id']}"

    for body in (
        {"recurrence": RECURRENCE},
        {"recurrence": RECURRENCE, "due": DUE},
        {"recurrence": RECURRENCE, "list_id": None},
        {"recurrence": RECURRENCE, "labels": ["x"]},
    ):
        response = await owner.patch(url, json=body)
        assert problem_code(response) == (422, "contradiction")
    repeating = await create_task(owner, "repeating", due=DUE, recurrence=RECURRENCE)
    response = await owner.patch(f"/tasks/{repeating['id']}", json={"parent_id": parent["id"]})
    assert problem_code(response) == (422, "contradiction")

    both = {"parent_id": parent["id"], "recurrence": None}
    changed = await json_object(await owner.patch(f"/tasks/{repeating['id']}", json=both))
    assert (changed["parent_id"], changed["recurrence"]) == (parent["id"], None)
    both = {"parent_id": None, "recurrence": RECURRENCE}
    assert (await owner.patch(url, json=both)).status_code == 200


@pytest.mark.parametrize("parent_state", [True, False])
async def test_completing_a_parent_leaves_its_subtasks_alone(
    owner: AsyncClient, *, parent_state: bool
) -> None:
    parent = await create_task(owner, "parent", is_completed=not parent_state)
    subtask = await create_task(owner, "subtask", parent_id=parent["id"])

    await owner.patch(f"/tasks/{parent['id']}", json={"is_completed": parent_state})

    assert (await owner.get(f"/tasks/{subtask['id']}")).json() == subtask


@pytest.mark.scenario("S007-AC-11")
@pytest.mark.parametrize("way", ["PATCH", "PUT", "move", "move with key", "move first"])
@pytest.mark.parametrize("labels", [None, ["new", "newer"]])
async def test_a_parent_that_changes_its_list_takes_its_subtasks_along(
    owner: AsyncClient, way: str, labels: list[str] | None
) -> None:
    garden = await create_list(owner)
    parent = await create_task(owner, "parent")
    for title in "ab":
        await create_task(owner, title, parent_id=parent["id"])
    await create_task(owner, "other")
    await create_task(owner, "there", list_id=garden["id"])
    before = await counter_of(owner)
    url = f"/tasks/{parent['id']}"
    place: JsonObject = {"list_id": garden["id"]}

    if way.startswith("move"):
        headers = {"Idempotency-Key": "once"} if way == "move with key" else {}
        target = place | ({"after": None} if way == "move first" else {})
        response = await owner.post(f"{url}/move", json=target, headers=headers)
        labels = None
    else:
        body = place | {"title": "parent"} | ({} if labels is None else {"labels": labels})
        response = await owner.request(way, url, json=body)

    moved = await json_object(response)
    changes = await changes_since(owner, before)
    assert field_values(changes["tasks"], "title") == ["a", "b", "parent"]
    assert field_values(changes["tasks"], "list_id") == [garden["id"]] * 3
    versions = field_values(changes["tasks"], "version")
    versions += field_values(changes["labels"], "version")
    assert sorted(versions) == list(range(before + 1, before + len(versions) + 1))
    assert len(versions) == 3 + len(labels or [])
    assert int(changes["next"]) == before + len(versions)
    assert changes["tasks"][2] == moved
    assert await list_titles(owner, parent_id=parent["id"]) == ["a", "b"]
    assert await list_titles(owner, list_id="none") == ["other"]


async def test_a_move_within_the_list_leaves_the_subtasks(owner: AsyncClient) -> None:
    parent = await create_task(owner, "parent")
    await create_task(owner, "subtask", parent_id=parent["id"])
    before = await counter_of(owner)

    await move_task(owner, parent, list_id=None)
    await move_task(owner, parent, after=None)
    await owner.patch(f"/tasks/{parent['id']}", json={"list_id": None, "title": "new"})

    assert field_values((await changes_since(owner, before))["tasks"], "title") == ["new"]
    assert await counter_of(owner) == before + 3


async def test_deleting_a_list_moves_a_parent_and_its_subtasks_to_the_inbox(
    owner: AsyncClient,
) -> None:
    garden = await create_list(owner)
    parent = await create_task(owner, "parent", list_id=garden["id"])
    await create_task(owner, "subtask", parent_id=parent["id"])

    await owner.delete(f"/lists/{garden['id']}")

    tasks = (await owner.get("/tasks?list_id=none")).json()
    assert field_values(tasks, "parent_id") == [None, parent["id"]]


async def test_a_key_creates_a_subtask_once(owner: AsyncClient) -> None:
    parent = await create_task(owner, "parent")
    other = await create_task(owner, "other")
    key = {"Idempotency-Key": "one"}
    body = {"title": "subtask", "parent_id": parent["id"]}

    first = await owner.post("/tasks", json=body, headers=key)
    again = await owner.post("/tasks", json=body, headers=key)
    without_parent = await owner.post("/tasks", json={"title": "subtask"}, headers=key)
    other_parent = await owner.post("/tasks", json=body | {"parent_id": other["id"]}, headers=key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert problem_code(without_parent) == (422, "key-reused")
    assert problem_code(other_parent) == (422, "key-reused")
    assert await list_titles(owner, parent_id=parent["id"]) == ["subtask"]

    # The stored response is sent again even if the parent is gone.
    await owner.delete(f"/tasks/{parent['id']}")
    assert (await owner.post("/tasks", json=body, headers=key)).content == first.content


async def test_a_conflict_leaves_the_key_unused(owner: AsyncClient) -> None:
    key = {"Idempotency-Key": "one"}
    parent_id = str(UUID(int=uuid4().int))
    body = {"title": "subtask", "parent_id": parent_id}
    rejected = await owner.post("/tasks", json=body, headers=key)
    assert problem_code(rejected) == (422, "parent-not-found")

    await owner.put(f"/tasks/{parent_id}", json={"title": "parent"}, headers=IF_ABSENT)

    assert (await owner.post("/tasks", json=body, headers=key)).status_code == 201


async def test_if_match_comes_after_the_rules(owner: AsyncClient) -> None:
    parent = await create_task(owner, "parent")
    task = await create_task(owner, "task")
    url, old = f"/tasks/{task['id']}", {"If-Match": '"1"'}

    refused = await owner.patch(url, json={"parent_id": parent["id"]}, headers=old)
    assert problem_code(refused) == (412, "version-mismatch")
    etag = {"If-Match": f'"{task["version"]}"'}
    response = await owner.patch(
        url,
        content=json.dumps({"parent_id": parent["id"]}),
        headers=etag | {"content-type": "application/merge-patch+json"},
    )
    assert response.json()["parent_id"] == parent["id"]
