"""GET /tasks with `parent_id`: the subtasks of a task, or all tasks that are none."""

from uuid import uuid4

import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory

from ..support.helpers import (
    JsonObject,
    create_list,
    create_task,
    field_values,
    list_titles,
    move_task,
    problem_code,
)


@pytest.fixture
async def owner(as_user: ClientFactory) -> AsyncClient:
    """Return the client of an owner without tasks."""
    return as_user("owner")


@pytest.fixture
async def parent(owner: AsyncClient) -> JsonObject:
    """Return a task with the subtasks a, b and c, beside a task without subtasks."""
    parent = await create_task(owner, "parent")
    for title in "abc":
        await create_task(owner, title, parent_id=parent["id"])
    await create_task(owner, "other")
    return parent


async def test_subtasks_are_ordinary_rows_of_the_list(
    owner: AsyncClient, parent: JsonObject
) -> None:
    assert await list_titles(owner) == ["parent", "a", "b", "c", "other"]
    assert await list_titles(owner, list_id="none") == ["parent", "a", "b", "c", "other"]
    tasks = (await owner.get("/tasks")).json()
    assert field_values(tasks, "parent_id") == [None, *[parent["id"]] * 3, None]


async def test_subtasks_of_a_task_come_in_their_order(
    owner: AsyncClient, parent: JsonObject
) -> None:
    [_, first, _, last, _] = (await owner.get("/tasks")).json()
    assert await list_titles(owner, parent_id=parent["id"]) == ["a", "b", "c"]

    await move_task(owner, last, after=first["id"])

    assert await list_titles(owner, parent_id=parent["id"]) == ["a", "c", "b"]
    assert await list_titles(owner, parent_id=parent["id"], sort="-title") == ["c", "b", "a"]
    assert await list_titles(owner, parent_id=parent["id"], sort="created_at") == ["a", "b", "c"]


async def test_tasks_without_a_parent_keep_the_order_of_the_whole_list(
    owner: AsyncClient, parent: JsonObject
) -> None:
    await move_task(owner, parent)

    assert await list_titles(owner, parent_id="none") == ["parent", "other"]
    assert await list_titles(owner, parent_id="none", list_id="none") == ["other", "parent"]
    assert await list_titles(owner, parent_id="none", sort="position") == ["other", "parent"]


async def test_the_filter_combines_with_others(owner: AsyncClient, parent: JsonObject) -> None:
    subtask = (await owner.get("/tasks?q=b")).json()[0]
    await owner.patch(f"/tasks/{subtask['id']}", json={"is_completed": True, "priority": "high"})
    garden = await create_list(owner)
    of_parent = {"parent_id": parent["id"]}

    assert await list_titles(owner, **of_parent, is_completed="true") == ["b"]
    assert await list_titles(owner, **of_parent, status="pending") == ["a", "c"]
    assert await list_titles(owner, **of_parent, priority="high", q="B") == ["b"]
    assert await list_titles(owner, **of_parent, list_id="none") == ["a", "b", "c"]
    assert await list_titles(owner, **of_parent, list_id=garden["id"]) == []
    assert await list_titles(owner, **of_parent, overdue="false", label="x") == []
    assert await list_titles(owner, parent_id="none", is_completed="true") == []


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("parent_id={id}", ["a", "b", "c"]),
        ("parent_id=none", ["parent", "other"]),
        ("parent_id=none&list_id=none", ["parent", "other"]),
    ],
)
async def test_pages_and_etags(
    owner: AsyncClient, parent: JsonObject, query: str, titles: list[str]
) -> None:
    url = f"/tasks?{query.format(id=parent['id'])}&limit=1"
    seen: list[str] = []
    next_url: str | None = url
    while next_url is not None:
        page = await owner.get(next_url)
        seen += field_values(page.json(), "title")
        next_url = page.links.get("next", {}).get("url")
    assert seen == titles

    etag = (await owner.get(url)).headers["etag"]
    unchanged = await owner.get(url, headers={"If-None-Match": etag})
    assert unchanged.status_code == 304
    await owner.patch(f"/tasks/{parent['id']}", json={"title": "new"})
    assert (await owner.get(url, headers={"If-None-Match": etag})).status_code == 200


async def test_a_missing_or_foreign_parent_has_no_subtasks(
    owner: AsyncClient, as_user: ClientFactory, parent: JsonObject
) -> None:
    assert await list_titles(owner, parent_id=uuid4()) == []
    assert await list_titles(as_user("neighbour"), parent_id=parent["id"]) == []
    assert await list_titles(owner, parent_id=str(parent["id"]).upper()) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "query", ["parent_id=", "parent_id=x", "parent_id=None", "parent_id=none&parent_id=none"]
)
async def test_an_invalid_parent_is_400(owner: AsyncClient, query: str) -> None:
    response = await owner.get(f"/tasks?{query}")

    assert problem_code(response)[0] == 400
