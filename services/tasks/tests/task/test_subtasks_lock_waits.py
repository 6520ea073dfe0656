"""Two writes about one parent, of which the second waits for the first, in both orders."""

import asyncio
from collections.abc import Awaitable

import pytest
from httpx import AsyncClient, Response

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy
from devkit.testing.lock_waits import wait_for_blocked_statements

from ..support.helpers import JsonObject, create_list, create_task, list_titles, problem_code
from ..support.owner_lock import lock_owners
from ..support.subtasks import insert_subtasks

BOTH_ORDERS = pytest.mark.parametrize("swapped", [False, True])


async def run_in_order(
    proxy: FaultProxy, first: Awaitable[Response], second: Awaitable[Response], *, swapped: bool
) -> tuple[Response, Response]:
    """Let both requests wait for the owner's lock, one after the other, and then release it.

    Returns:
        Both responses in the order of the arguments, also if the second one was sent first.
    """
    ordered = [second, first] if swapped else [first, second]
    async with lock_owners(proxy) as lock_holder:
        sent: list[asyncio.Future[Response]] = []
        for request in ordered:
            sent.append(asyncio.ensure_future(request))
            await wait_for_blocked_statements(proxy.server_url, len(sent))
        await lock_holder.commit()
    responses = [await request for request in sent]
    if swapped:
        responses.reverse()
    return responses[0], responses[1]


def attach(
    owner: AsyncClient, way: str, task: JsonObject, parent: JsonObject
) -> Awaitable[Response]:
    """Return a request that gives a task the parent, or creates one with it."""
    body = {"title": "attached", "parent_id": parent["id"]}
    if way == "POST":
        return owner.post("/tasks", json=body)
    return owner.request(way, f"/tasks/{task['id']}", json=body)


@BOTH_ORDERS
@pytest.mark.parametrize("way", ["POST", "PATCH"])
@pytest.mark.parametrize("query", ["", "?subtasks=delete"])
async def test_attaching_to_a_parent_that_is_deleted(
    as_isolated_user: ClientFactory, proxy: FaultProxy, way: str, query: str, *, swapped: bool
) -> None:
    owner = as_isolated_user("owner")
    parent = await create_task(owner, "parent")
    task = await create_task(owner, "task")

    attached, deleted = await run_in_order(
        proxy,
        attach(owner, way, task, parent),
        owner.delete(f"/tasks/{parent['id']}{query}"),
        swapped=swapped,
    )

    assert deleted.status_code == 204
    tasks = {str(each["title"]): each for each in (await owner.get("/tasks")).json()}
    if swapped:
        assert problem_code(attached) == (422, "parent-not-found")
        assert set(tasks) == {"task"}
    elif query:
        assert attached.status_code in {200, 201}
        assert "attached" not in tasks
    else:
        # Unlinked by the deletion, with a version after that of the attachment.
        assert tasks["attached"]["parent_id"] is None
        assert tasks["attached"]["version"] > attached.json()["version"]


@BOTH_ORDERS
@pytest.mark.parametrize("way", ["POST", "PATCH"])
async def test_attaching_to_a_task_that_gets_a_parent_itself(
    as_isolated_user: ClientFactory, proxy: FaultProxy, way: str, *, swapped: bool
) -> None:
    owner = as_isolated_user("owner")
    parent = await create_task(owner, "parent")
    grandparent = await create_task(owner, "grandparent")
    task = await create_task(owner, "task")

    attached, nested = await run_in_order(
        proxy,
        attach(owner, way, task, parent),
        owner.patch(f"/tasks/{parent['id']}", json={"parent_id": grandparent["id"]}),
        swapped=swapped,
    )

    accepted, rejected = (nested, attached) if swapped else (attached, nested)
    assert accepted.status_code in {200, 201}
    assert problem_code(rejected) == (422, "nested-too-deep")


@BOTH_ORDERS
async def test_two_tasks_for_the_last_place_of_a_parent(
    as_isolated_user: ClientFactory, proxy: FaultProxy, *, swapped: bool
) -> None:
    owner = as_isolated_user("owner")
    parent = await create_task(owner, "parent")
    task = await create_task(owner, "task")
    await insert_subtasks(proxy, parent, 99)

    patched, posted = await run_in_order(
        proxy,
        attach(owner, "PATCH", task, parent),
        attach(owner, "POST", task, parent),
        swapped=swapped,
    )

    accepted, rejected = (posted, patched) if swapped else (patched, posted)
    assert accepted.status_code in {200, 201}
    assert problem_code(rejected) == (422, "quota-exceeded")
    assert len(await list_titles(owner, parent_id=parent["id"])) == 100


@BOTH_ORDERS
@pytest.mark.parametrize("way", ["POST", "PATCH"])
@pytest.mark.parametrize("moves", [True, False])
async def test_attaching_to_a_parent_that_moves(
    as_isolated_user: ClientFactory, proxy: FaultProxy, way: str, *, moves: bool, swapped: bool
) -> None:
    owner = as_isolated_user("owner")
    garden = await create_list(owner)
    parent = await create_task(owner, "parent")
    task = await create_task(owner, "task")
    url, place = f"/tasks/{parent['id']}", {"list_id": garden["id"]}
    move = owner.post(f"{url}/move", json=place) if moves else owner.patch(url, json=place)

    responses = await run_in_order(proxy, attach(owner, way, task, parent), move, swapped=swapped)

    assert [response.is_success for response in responses] == [True, True]
    [subtask] = (await owner.get(f"/tasks?parent_id={parent['id']}")).json()
    assert subtask["list_id"] == garden["id"]


@BOTH_ORDERS
async def test_an_edit_of_a_subtask_that_is_deleted_with_its_parent(
    as_isolated_user: ClientFactory, proxy: FaultProxy, *, swapped: bool
) -> None:
    owner = as_isolated_user("owner")
    parent = await create_task(owner, "parent")
    subtask = await create_task(owner, "subtask", parent_id=parent["id"])

    edited, deleted = await run_in_order(
        proxy,
        owner.patch(f"/tasks/{subtask['id']}", json={"title": "new"}),
        owner.delete(f"/tasks/{parent['id']}?subtasks=delete"),
        swapped=swapped,
    )

    assert (edited.status_code, deleted.status_code) == (404 if swapped else 200, 204)
    assert await list_titles(owner) == []


@BOTH_ORDERS
async def test_an_edit_of_a_subtask_that_loses_its_parent(
    as_isolated_user: ClientFactory, proxy: FaultProxy, *, swapped: bool
) -> None:
    owner = as_isolated_user("owner")
    parent = await create_task(owner, "parent")
    subtask = await create_task(owner, "subtask", parent_id=parent["id"])

    edited, deleted = await run_in_order(
        proxy,
        owner.patch(f"/tasks/{subtask['id']}", json={"title": "new"}),
        owner.delete(f"/tasks/{parent['id']}"),
        swapped=swapped,
    )

    assert (edited.status_code, deleted.status_code) == (200, 204)
    [task] = (await owner.get("/tasks")).json()
    assert (task["title"], task["parent_id"]) == ("new", None)


@BOTH_ORDERS
async def test_attaching_to_a_task_whose_list_is_deleted_with_its_tasks(
    as_isolated_user: ClientFactory, proxy: FaultProxy, *, swapped: bool
) -> None:
    owner = as_isolated_user("owner")
    garden = await create_list(owner)
    parent = await create_task(owner, "parent", list_id=garden["id"])
    task = await create_task(owner, "task")

    attached, deleted = await run_in_order(
        proxy,
        attach(owner, "PATCH", task, parent),
        owner.delete(f"/lists/{garden['id']}?tasks=delete"),
        swapped=swapped,
    )

    assert deleted.status_code == 204
    if swapped:
        assert problem_code(attached) == (422, "parent-not-found")
        assert await list_titles(owner) == ["task"]
    else:
        assert await list_titles(owner) == []
