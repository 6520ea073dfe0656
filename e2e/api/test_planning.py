"""Lists, labels, priorities and moves."""

from typing import Final

import httpx
import pytest

from e2e.support.contract import assert_problem
from e2e.support.user_client import UserClientFactory

METHODS: Final = {
    "/lists": ("GET", "POST"),
    "/lists/{list}": ("GET", "PATCH", "PUT", "DELETE"),
    "/lists/{list}/move": ("POST",),
    "/labels": ("GET",),
    "/labels/{label}": ("GET", "PATCH", "DELETE"),
    "/tasks/{task}/move": ("POST",),
}


@pytest.mark.scenario("S006-FR-005")
async def test_every_planning_endpoint_needs_a_token(
    as_user: UserClientFactory, anonymous: httpx.AsyncClient
) -> None:
    ann = as_user("ann")
    garden = (await ann.post("/lists", json={"name": "Garden"})).json()
    task = await ann.create_task(list_id=garden["id"], labels=["red"])
    [label] = (await ann.get("/labels")).json()

    for template, methods in METHODS.items():
        path = template.format(list=garden["id"], label=label["id"], task=task["id"])
        for method in methods:
            response = await anonymous.request(method, path, json={"name": "Mine"})
            assert_problem(response, 401, "token-missing")
    lists = await ann.get("/lists")
    assert lists.json() == [garden]
    labels = await ann.get("/labels")
    assert labels.json() == [label]
    assert await ann.list_tasks() == [task]


async def test_links_keep_all_labels_and_priorities(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    await ann.create_task("high", priority="high", labels=["red", "blue"])
    await ann.create_task("without red", priority="low", labels=["blue"])
    await ann.create_task("without blue", priority="high", labels=["red"])
    await ann.create_task("low", priority="low", labels=["blue", "red"])

    query = "label=red&label=blue&priority=low&priority=high&limit=1"
    first_page = await ann.get(f"/tasks?{query}")
    second_page = await ann.get(first_page.links["next"]["url"])

    assert [task["title"] for task in first_page.json()] == ["high"]
    assert [task["title"] for task in second_page.json()] == ["low"]
    assert "next" not in second_page.links
