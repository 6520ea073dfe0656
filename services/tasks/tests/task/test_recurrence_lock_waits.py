"""Completing a task that repeats while another request changes the same task.

Both requests wait for the lock on the owner, so that they run in the order in which they were sent.
Each pair is tested in both orders: there are never two successors, and no edit is ever lost.
"""

import asyncio
from collections.abc import Awaitable

import pytest
from httpx import AsyncClient, Response

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy
from devkit.testing.lock_waits import wait_for_blocked_statements

from ..support.helpers import JsonObject, create_list, field_values, problem_code
from ..support.owner_lock import commit_after_requests_wait, lock_owners
from ..support.recurring import change, create_recurring, successor_id, successor_of

Requests = tuple[Awaitable[Response], Awaitable[Response]]

COMPLETED = {"is_completed": True}

orders = pytest.mark.parametrize("is_reversed", [False, True])


@pytest.fixture
async def owner(as_isolated_user: ClientFactory) -> AsyncClient:
    """Return the client of the only owner."""
    return as_isolated_user("owner")


async def _run(proxy: FaultProxy, requests: Requests, *, is_reversed: bool) -> list[Response]:
    """Send two requests that wait for the owner in their order, or the other way round."""
    ordered = list(requests)
    if is_reversed:
        ordered.reverse()
    async with lock_owners(proxy) as lock_holder:
        pending: list[asyncio.Future[Response]] = []
        for request in ordered:
            pending.append(asyncio.ensure_future(request))
            await wait_for_blocked_statements(proxy.server_url, len(pending))
        await lock_holder.commit()
        responses = list(await asyncio.gather(*pending))
    if is_reversed:
        responses.reverse()
    return responses


async def _check(owner: AsyncClient, task: JsonObject) -> tuple[JsonObject, list[JsonObject]]:
    """Return the task and its successors, after a check that the feed tells the same."""
    tasks: list[JsonObject] = (await owner.get("/tasks")).json()
    changes = (await owner.get("/tasks/changes")).json()
    assert sorted(field_values(tasks, "version")) == field_values(changes["tasks"], "version")
    [current] = [each for each in tasks if each["id"] == task["id"]]
    successors = [each for each in tasks if each["previous_id"] == task["id"]]
    return current, successors


def _patch(owner: AsyncClient, task: JsonObject, **fields: object) -> Awaitable[Response]:
    return owner.patch(f"/tasks/{task['id']}", json=fields)


# With the recurrence, the task is read before the lock is asked for.
COMPLETIONS = pytest.mark.parametrize("resends_rule", [False, True])


def _completion(owner: AsyncClient, task: JsonObject, *, resends_rule: bool) -> Awaitable[Response]:
    if resends_rule:
        return _patch(owner, task, is_completed=True, recurrence=task["recurrence"])
    return _patch(owner, task, is_completed=True)


@orders
@COMPLETIONS
async def test_a_completion_and_an_edit(
    owner: AsyncClient, proxy: FaultProxy, *, is_reversed: bool, resends_rule: bool
) -> None:
    task = await create_recurring(owner)
    completion = _completion(owner, task, resends_rule=resends_rule)
    edit = _patch(owner, task, title="New", due={"date": "2127-01-01"}, labels=["new"])

    completed, edited = await _run(proxy, (completion, edit), is_reversed=is_reversed)

    assert (completed.status_code, edited.status_code) == (200, 200)
    current, [successor] = await _check(owner, task)
    assert (current["title"], current["labels"], current["is_completed"]) == ("New", ["new"], True)
    source = task
    if completed.json()["version"] > edited.json()["version"]:
        source = completed.json()
        assert source["title"] == "New"
    assert (successor["title"], successor["labels"]) == (source["title"], source["labels"])
    next_day = {"2126-11-30": "2126-12-01", "2127-01-01": "2127-01-02"}
    assert successor["due"]["date"] == next_day[source["due"]["date"]]  # type: ignore[index]


@orders
@COMPLETIONS
async def test_two_completions(
    owner: AsyncClient, proxy: FaultProxy, *, is_reversed: bool, resends_rule: bool
) -> None:
    task = await create_recurring(owner)
    completion = _completion(owner, task, resends_rule=resends_rule)
    replacement = owner.put(f"/tasks/{task['id']}", json={"title": "Task", "status": "completed"})

    responses = await _run(proxy, (completion, replacement), is_reversed=is_reversed)

    current, [successor] = await _check(owner, task)
    for response in responses:
        assert response.json() == current
        assert await successor_of(owner, response) == successor


@orders
@COMPLETIONS
@pytest.mark.parametrize("was_completed", [False, True])
async def test_a_completion_and_a_reopening(
    owner: AsyncClient,
    proxy: FaultProxy,
    *,
    is_reversed: bool,
    resends_rule: bool,
    was_completed: bool,
) -> None:
    task = await create_recurring(owner)
    if was_completed:
        await change(owner, task, is_completed=True)
    fields: JsonObject = {"is_completed": True, "title": "Completed"}
    if resends_rule:
        fields["recurrence"] = task["recurrence"]
    completion = _patch(owner, task, **fields)
    reopening = _patch(owner, task, is_completed=False, description="Reopened")

    responses = await _run(proxy, (completion, reopening), is_reversed=is_reversed)

    assert [response.status_code for response in responses] == [200, 200]
    current, successors = await _check(owner, task)
    assert (current["title"], current["description"]) == ("Completed", "Reopened")
    assert len(successors) == int(current["is_completed"] is True)


@orders
async def test_a_reopening_and_an_edit_of_the_successor(
    owner: AsyncClient, proxy: FaultProxy, *, is_reversed: bool
) -> None:
    task = await create_recurring(owner)
    await change(owner, task, is_completed=True)
    edit = owner.patch(f"/tasks/{successor_id(task)}", json={"title": "New"})

    reopened, edited = await _run(
        proxy, (_patch(owner, task, is_completed=False), edit), is_reversed=is_reversed
    )

    assert reopened.status_code == 200
    _, successors = await _check(owner, task)
    if edited.status_code == 200:
        assert field_values(successors, "title") == ["New"]
    else:
        assert (edited.status_code, successors) == (404, [])


@orders
@pytest.mark.parametrize("with_tasks", [False, True])
async def test_a_completion_and_the_deletion_of_the_list(
    owner: AsyncClient, proxy: FaultProxy, *, is_reversed: bool, with_tasks: bool
) -> None:
    garden = await create_list(owner)
    task = await create_recurring(owner, list_id=garden["id"])
    url = f"/lists/{garden['id']}"
    deletion = owner.delete(f"{url}?tasks=delete" if with_tasks else url)

    completed, deleted = await _run(
        proxy, (_patch(owner, task, **COMPLETED), deletion), is_reversed=is_reversed
    )

    assert deleted.status_code == 204
    if with_tasks:
        assert completed.status_code in {200, 404}
        assert (await owner.get("/tasks")).json() == []
        return
    current, [successor] = await _check(owner, task)
    assert current["is_completed"] is True
    assert (current["list_id"], successor["list_id"]) == (None, None)


@orders
async def test_a_completion_and_the_deletion_of_a_label(
    owner: AsyncClient, proxy: FaultProxy, *, is_reversed: bool
) -> None:
    task = await create_recurring(owner, labels=["home"])
    [label] = (await owner.get("/labels")).json()
    deletion = owner.delete(f"/labels/{label['id']}")

    await _run(proxy, (_patch(owner, task, **COMPLETED), deletion), is_reversed=is_reversed)

    current, [successor] = await _check(owner, task)
    assert (current["labels"], successor["labels"]) == ([], [])


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"is_completed": True, "recurrence": {"rule": "FREQ=DAILY"}}, None),
        ({"recurrence": {"rule": "FREQ=DAILY;UNTIL=21261231"}}, "recurrence-never"),
    ],
)
async def test_what_was_read_is_read_again_after_another_write(
    owner: AsyncClient, proxy: FaultProxy, fields: JsonObject, code: str | None
) -> None:
    task = await create_recurring(owner)

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute("UPDATE owners SET counter = counter + 1")
        await lock_holder.execute(
            "UPDATE tasks SET due_date = '2127-01-01', version = (SELECT counter FROM owners)"
        )
        request = _patch(owner, task, **fields)
        [response] = await commit_after_requests_wait(proxy, lock_holder, request)

    if code is not None:
        assert problem_code(response) == (422, code)
        return
    successor = await successor_of(owner, response)
    assert successor is not None
    assert successor["due"]["date"] == "2127-01-02"  # type: ignore[index]


async def test_a_completion_after_a_concurrent_deletion_is_404(
    owner: AsyncClient, proxy: FaultProxy
) -> None:
    task = await create_recurring(owner)

    deleted, completed = await _run(
        proxy,
        (owner.delete(f"/tasks/{task['id']}"), _completion(owner, task, resends_rule=True)),
        is_reversed=False,
    )

    assert (deleted.status_code, completed.status_code) == (204, 404)
    assert (await owner.get("/tasks")).json() == []
