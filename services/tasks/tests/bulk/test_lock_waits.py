"""Changes of many tasks that waited for the owner's lock act on the tasks as they are then."""

import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.helpers import create_task, field_values, list_titles, status_codes
from ..support.owner_lock import commit_after_requests_wait, lock_owners

RAISE_COUNTER = "UPDATE owners SET counter = counter + 1"
CHANGE_TITLE = "UPDATE tasks SET title = 'Theirs', version = (SELECT counter FROM owners)"
COMPLETE = (
    "UPDATE tasks SET is_completed = true, completed_at = now(), "
    "version = (SELECT counter FROM owners)"
)
INSERT_TASK = """
INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version)
SELECT gen_random_uuid(), id, 'Theirs', false, now(), now(), counter FROM owners
"""


@pytest.fixture
def owner(as_isolated_user: ClientFactory) -> AsyncClient:
    """Return the client of the only user."""
    return as_isolated_user("owner")


async def test_a_change_keeps_what_another_request_changed_meanwhile(
    owner: AsyncClient, proxy: FaultProxy
) -> None:
    await create_task(owner, "Old")

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute(RAISE_COUNTER)
        await lock_holder.execute(CHANGE_TITLE)
        change = owner.patch("/tasks?status=pending", json={"priority": "high"})
        [response] = await commit_after_requests_wait(proxy, lock_holder, change)

    [task] = (await owner.get("/tasks")).json()
    assert (task["title"], task["priority"]) == ("Theirs", "high")
    assert task["version"] == response.json()["version"]


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_what_no_longer_matches_is_left_alone(
    owner: AsyncClient, proxy: FaultProxy, method: str
) -> None:
    await create_task(owner, "Old")
    body = {"priority": "high"} if method == "PATCH" else None

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute(RAISE_COUNTER)
        await lock_holder.execute(COMPLETE)
        request = owner.request(method, "/tasks?status=pending", json=body)
        [response] = await commit_after_requests_wait(proxy, lock_holder, request)

    [task] = (await owner.get("/tasks")).json()
    assert response.json()["matched"] == 0
    assert (task["status"], task["priority"]) == ("completed", "none")


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_a_task_that_was_created_meanwhile_matches_too(
    owner: AsyncClient, proxy: FaultProxy, method: str
) -> None:
    await create_task(owner, "Ours")
    body = {"is_completed": True} if method == "PATCH" else None

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute("UPDATE owners SET counter = counter + 1, task_count = 2")
        await lock_holder.execute(INSERT_TASK)
        request = owner.request(method, "/tasks?status=pending", json=body)
        [response] = await commit_after_requests_wait(proxy, lock_holder, request)

    assert response.json()["matched"] == 2
    assert await list_titles(owner, status="pending") == []


async def test_if_match_is_compared_after_the_wait(owner: AsyncClient, proxy: FaultProxy) -> None:
    await create_task(owner, "Old")
    etag = {"If-Match": (await owner.get("/tasks")).headers["etag"]}

    async with lock_owners(proxy) as lock_holder:
        await lock_holder.execute(RAISE_COUNTER)
        await lock_holder.execute(CHANGE_TITLE)
        change = owner.patch("/tasks?status=pending", json={"priority": "low"}, headers=etag)
        deletion = owner.delete("/tasks?status=pending", headers=etag)
        responses = await commit_after_requests_wait(proxy, lock_holder, change, deletion)

    assert status_codes(responses) == [412, 412]
    assert await list_titles(owner) == ["Theirs"]


@pytest.mark.parametrize("is_bulk_first", [True, False])
@pytest.mark.parametrize("other", ["change", "deletion", "bulk", "creation"])
async def test_two_writes_that_wait_leave_what_one_after_the_other_would(
    owner: AsyncClient, proxy: FaultProxy, other: str, *, is_bulk_first: bool
) -> None:
    task = await create_task(owner, "Old")
    url = f"/tasks/{task['id']}"
    requests = {
        "change": lambda: owner.patch(url, json={"title": "New"}),
        "deletion": lambda: owner.delete(url),
        "bulk": lambda: owner.patch("/tasks?priority=none", json={"labels_add": ["x"]}),
        "creation": lambda: owner.post("/tasks", json={"title": "Other"}),
    }

    async with lock_owners(proxy) as lock_holder:
        bulk = owner.patch("/tasks?priority=none", json={"priority": "high", "labels_add": ["y"]})
        pair = [bulk, requests[other]()]
        if not is_bulk_first:
            pair.reverse()
        responses = await commit_after_requests_wait(proxy, lock_holder, *pair)

    assert all(status < 300 for status in status_codes(responses))
    tasks = (await owner.get("/tasks")).json()
    changes = (await owner.get("/tasks/changes")).json()
    versions = field_values(changes["tasks"] + changes["labels"] + changes["deleted"], "version")
    assert len(versions) == len(set(versions))
    assert {task["id"]: task for task in changes["tasks"]} == {task["id"]: task for task in tasks}
    if other == "deletion":
        assert tasks == []
    else:
        assert (tasks[0]["priority"], "y" in tasks[0]["labels"]) == ("high", True)
    if other == "change":
        assert tasks[0]["title"] == "New"


@pytest.mark.parametrize("is_bulk_first", [True, False])
async def test_a_task_completed_twice_at_once_has_one_successor(
    owner: AsyncClient, proxy: FaultProxy, *, is_bulk_first: bool
) -> None:
    daily = await create_task(
        owner, "Daily", due={"date": "2100-01-01"}, recurrence={"rule": "FREQ=DAILY"}
    )

    async with lock_owners(proxy) as lock_holder:
        pair = [
            owner.patch("/tasks?status=pending&due_before=2100-01-02", json={"is_completed": True}),
            owner.patch(f"/tasks/{daily['id']}", json={"is_completed": True}),
        ]
        if not is_bulk_first:
            pair.reverse()
        responses = await commit_after_requests_wait(proxy, lock_holder, *pair)

    assert status_codes(responses) == [200, 200]
    tasks = (await owner.get("/tasks")).json()
    assert field_values(tasks, "previous_id") == [None, daily["id"]]
    assert field_values(tasks, "is_completed") == [True, False]
