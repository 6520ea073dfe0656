"""Lists, labels and moves as a client meets them."""

from typing import Final

import httpx
import pytest

from e2e.support.contract import assert_problem
from e2e.support.user_client import UserClientFactory

CALLS: Final = {
    "/lists": ("GET", "POST"),
    "/lists/{list}": ("GET", "PATCH", "PUT", "DELETE"),
    "/lists/{list}/move": ("POST",),
    "/labels": ("GET",),
    "/labels/{label}": ("GET", "PATCH", "DELETE"),
    "/tasks/{task}/move": ("POST",),
}


@pytest.mark.scenario("S006-FR-005")
async def test_nothing_of_a_plan_is_done_without_a_token(
    as_user: UserClientFactory, anonymous: httpx.AsyncClient
) -> None:
    ann = as_user("ann")
    garden = (await ann.post("/lists", json={"name": "Garden"})).json()
    task = await ann.create_task(list_id=garden["id"], labels=["red"])
    [label] = (await ann.get("/labels")).json()

    for template, methods in CALLS.items():
        path = template.format(list=garden["id"], label=label["id"], task=task["id"])
        for method in methods:
            assert_problem(
                await anonymous.request(method, path, json={"name": "Mine"}), 401, "token-missing"
            )
    assert (await ann.get("/lists")).json() == [garden]
    assert (await ann.get("/labels")).json() == [label]
    assert await ann.list_tasks() == [task]


async def test_a_page_leads_to_the_next_one_with_all_labels_and_priorities(
    as_user: UserClientFactory,
) -> None:
    ann = as_user("ann")
    for priority, labels in (
        ("high", ["red", "blue"]),
        ("low", ["blue"]),
        ("high", ["red"]),
        ("low", ["blue", "red"]),
    ):
        await ann.create_task(priority, priority=priority, labels=labels)

    first = await ann.get("/tasks?label=red&label=blue&priority=low&priority=high&limit=1")
    second = await ann.get(first.links["next"]["url"])

    assert [task["title"] for task in [*first.json(), *second.json()]] == ["high", "low"]
    assert "next" not in second.links
