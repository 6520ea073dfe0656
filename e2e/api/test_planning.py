"""Lists, labels and moves as a client meets them."""

from typing import Final

import httpx
import pytest

from e2e.support.contract import problem_of
from e2e.support.user_client import AsUser

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
    as_user: AsUser, nobody: httpx.AsyncClient
) -> None:
    ann = as_user("ann")
    garden = (await ann.post("/lists", json={"name": "Garden"})).json()
    task = await ann.add(list_id=garden["id"], labels=["red"])
    [label] = (await ann.get("/labels")).json()

    for path, verbs in CALLS.items():
        address = path.format(list=garden["id"], label=label["id"], task=task["id"])
        for verb in verbs:
            problem_of(
                await nobody.request(verb, address, json={"name": "Mine"}), 401, "token-missing"
            )
    assert (await ann.get("/lists")).json() == [garden]
    assert (await ann.get("/labels")).json() == [label]
    assert await ann.tasks() == [task]


async def test_a_page_leads_to_the_next_one_with_all_labels_and_priorities(as_user: AsUser) -> None:
    ann = as_user("ann")
    for priority, labels in (
        ("high", ["red", "blue"]),
        ("low", ["blue"]),
        ("high", ["red"]),
        ("low", ["blue", "red"]),
    ):
        await ann.add(priority, priority=priority, labels=labels)

    first = await ann.get("/tasks?label=red&label=blue&priority=low&priority=high&limit=1")
    second = await ann.get(first.links["next"]["url"])

    assert [task["title"] for task in [*first.json(), *second.json()]] == ["high", "low"]
    assert "next" not in second.links
