"""What PATCH and DELETE /tasks accept, and in which order they reject it."""

from uuid import UUID, uuid4

import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory

from ..support.helpers import create_task, json_object, problem_code

ANY_ID = str(UUID(int=1))
COMPLETE = {"is_completed": True}


@pytest.fixture
def owner(as_user: ClientFactory) -> AsyncClient:
    """Return a client of a user who has nothing yet."""
    return as_user("owner")


@pytest.mark.scenario("S007-AC-13")
@pytest.mark.parametrize("query", ["", "?time_zone=UTC", "?user_id=", "?subtasks=delete"])
async def test_nothing_is_deleted_without_a_filter(owner: AsyncClient, query: str) -> None:
    task = await create_task(owner)
    if query == "?user_id=":
        query += str(task["user_id"])

    response = await owner.delete(f"/tasks{query}")

    assert (await json_object(response, 400))["code"] == "filter-required"
    assert (await owner.get("/tasks")).json() == [task]


@pytest.mark.parametrize("query", ["", "?time_zone=UTC"])
async def test_nothing_is_changed_without_a_filter(owner: AsyncClient, query: str) -> None:
    task = await create_task(owner)

    response = await owner.patch(f"/tasks{query}", json=COMPLETE)

    assert (await json_object(response, 400))["code"] == "filter-required"
    assert (await owner.get("/tasks")).json() == [task]


@pytest.mark.parametrize(
    "query",
    [
        "limit=5&status=pending",
        "cursor=AAZgx3MGkuEBof3Pnzlz5qmGevIcY8o-&status=pending",
        "sort=title&status=pending",
        "colour=red&status=pending",
        "status=pending&is_completed=true",
        "status=open",
        "id=5",
        f"id={ANY_ID}&id=",
        f"id=urn:uuid:{ANY_ID}",
        "&".join([f"id={ANY_ID}"] * 101),
        "list_id=x",
        "overdue=maybe",
        "status=pending&status=pending",
    ],
)
async def test_an_invalid_query_is_400(owner: AsyncClient, query: str) -> None:
    for response in (
        await owner.patch(f"/tasks?{query}", json=COMPLETE),
        await owner.delete(f"/tasks?{query}"),
    ):
        assert (await json_object(response, 400))["code"] == "bad-request"


@pytest.mark.parametrize("subtasks", ["", "drop", "Delete"])
async def test_subtasks_are_kept_or_deleted(owner: AsyncClient, subtasks: str) -> None:
    response = await owner.delete(f"/tasks?status=pending&subtasks={subtasks}")

    assert problem_code(response) == (400, "literal-error")


async def test_a_change_says_nothing_about_subtasks(owner: AsyncClient) -> None:
    response = await owner.patch("/tasks?status=pending&subtasks=keep", json=COMPLETE)

    assert problem_code(response) == (400, "extra-forbidden")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "nothing-to-change"),
        ({"user_id": None}, 422, "nothing-to-change"),
        ({"title": "New", "priority": "low"}, 422, "extra-forbidden"),
        ({"labels": ["x"], "priority": "low"}, 422, "extra-forbidden"),
        ({"recurrence": None, "priority": "low"}, 422, "extra-forbidden"),
        ({"parent_id": None, "priority": "low"}, 422, "extra-forbidden"),
        ({"completed_at": None, "priority": "low"}, 422, "extra-forbidden"),
        ({"is_completed": True, "status": "pending"}, 422, "contradiction"),
        ({"labels_add": ["Home", "x"], "labels_remove": ["y", "hOME"]}, 422, "contradiction"),
        ({"labels_add": ["straße"], "labels_remove": ["STRASSE"]}, 422, "contradiction"),
        ({"labels_add": [str(number) for number in range(21)]}, 422, "quota-exceeded"),
        ({"labels_add": ["x"] * 101}, 422, "too-long"),
        ({"labels_remove": ["x"] * 101}, 422, "too-long"),
        ({"labels_add": [""]}, 422, "too-short"),
        ({"priority": "urgent"}, 422, "unknown-word"),
        ({"status": "open"}, 422, "unknown-word"),
        ({"due": {"date": "2026-11-30", "x": 1}}, 422, "extra-forbidden"),
        ({"due": {"date": "2026-11-30", "time": "08:30"}}, 422, "incomplete-time"),
        (
            {"due": {"date": "2026-03-29", "time": "02:30", "time_zone": "Europe/Berlin"}},
            422,
            "skipped-time",
        ),
        ({"is_completed": None}, 400, "bool-type"),
        ({"is_completed": "yes"}, 400, "bool-type"),
        ({"priority": None}, 400, "string-type"),
        ({"labels_add": None}, 400, "list-type"),
        ({"labels_add": "x"}, 400, "list-type"),
        ({"list_id": "x"}, 400, "uuid-parsing"),
        ([], 400, "model-type"),
    ],
)
async def test_an_invalid_change_is_rejected(
    owner: AsyncClient, body: object, status: int, code: str
) -> None:
    task = await create_task(owner)

    response = await owner.patch("/tasks?status=pending", json=body)

    assert problem_code(response) == (status, code)
    assert (await owner.get("/tasks")).json() == [task]


async def test_an_unreadable_part_comes_before_another_user_and_that_before_a_rule(
    owner: AsyncClient,
) -> None:
    other = {"user_id": "somebody-else"}

    unreadable = await owner.patch("/tasks?status=open", json=other)
    unfiltered = await owner.patch("/tasks", json=other)
    unfiltered_deletion = await owner.delete("/tasks?user_id=somebody-else")
    of_other_user = await owner.patch("/tasks?status=pending", json=other)
    other_in_query = await owner.patch("/tasks?status=pending&user_id=somebody-else", json={})
    deletion = await owner.request("DELETE", "/tasks?status=pending", json=other)

    assert (unreadable.status_code, unfiltered.status_code) == (400, 400)
    assert unfiltered_deletion.json()["code"] == "filter-required"
    assert (of_other_user.status_code, other_in_query.status_code) == (403, 403)
    assert deletion.status_code == 403


async def test_the_user_may_be_named(owner: AsyncClient) -> None:
    task = await create_task(owner)
    named = {"user_id": str(task["user_id"]).upper()}

    changed = await owner.patch("/tasks?status=pending", json=named | {"priority": "low"})
    query = f"id={task['id']}&user_id={task['user_id']}"
    deleted = await owner.request("DELETE", f"/tasks?{query}", json=named)

    assert (await json_object(changed))["changed"] == 1
    assert (await json_object(deleted))["deleted"] == 1


async def test_a_deletion_has_no_other_body(owner: AsyncClient) -> None:
    response = await owner.request("DELETE", "/tasks?status=pending", json=COMPLETE)

    assert problem_code(response) == (422, "extra-forbidden")


async def test_if_none_match_is_400(owner: AsyncClient) -> None:
    headers = {"If-None-Match": "*"}

    changed = await owner.patch("/tasks?status=pending", json=COMPLETE, headers=headers)
    deleted = await owner.delete("/tasks?status=pending", headers=headers)

    assert (changed.status_code, deleted.status_code) == (400, 400)


async def test_an_idempotency_key_is_ignored(owner: AsyncClient) -> None:
    await create_task(owner)
    headers = {"Idempotency-Key": "not a key"}

    first = await owner.patch("/tasks?status=pending", json=COMPLETE, headers=headers)
    second = await owner.patch("/tasks?status=completed", json=COMPLETE, headers=headers)
    deleted = await owner.delete("/tasks?status=completed", headers=headers)

    assert (await json_object(first))["changed"] == 1
    assert (await json_object(second))["changed"] == 0
    assert (await json_object(deleted))["deleted"] == 1


@pytest.mark.parametrize("media_type", ["application/json", "application/merge-patch+json"])
async def test_a_change_is_json_or_a_merge_patch(owner: AsyncClient, media_type: str) -> None:
    response = await owner.patch(
        "/tasks?status=pending",
        content='{"priority": "low"}',
        headers={"Content-Type": media_type},
    )

    assert response.status_code == 200


async def test_another_media_type_is_415(owner: AsyncClient) -> None:
    headers = {"Content-Type": "text/plain"}

    response = await owner.patch("/tasks", content="{}", headers=headers)

    assert response.status_code == 415


async def test_an_owner_who_never_wrote_has_nothing_to_change(owner: AsyncClient) -> None:
    changed = await owner.patch("/tasks?status=pending", json=COMPLETE)
    deleted = await owner.delete("/tasks?status=pending", headers={"If-Match": '"0"'})
    conditional = await owner.delete("/tasks?status=pending", headers={"If-Match": '"5"'})
    moved = await owner.patch("/tasks?status=pending", json={"list_id": str(uuid4())})

    assert changed.json() == {"matched": 0, "changed": 0, "version": 0}
    assert deleted.json() == {"matched": 0, "deleted": 0, "version": 0}
    assert (changed.headers["etag"], deleted.headers["etag"]) == ('"0"', '"0"')
    assert problem_code(conditional) == (412, "version-mismatch")
    assert problem_code(moved) == (422, "list-not-found")
    assert (await owner.get("/tasks/changes")).json()["next"] == "0"


async def test_the_methods_are_allowed(owner: AsyncClient) -> None:
    response = await owner.put("/tasks", json=COMPLETE)

    assert response.status_code == 405
    assert response.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, POST"
