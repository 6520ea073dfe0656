"""Subtasks of tasks that are moved or deleted together with others."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory

from ..support.helpers import (
    JsonObject,
    create_list,
    create_task,
    field_values,
    json_object,
    list_titles,
    problem_code,
)


@dataclass(frozen=True)
class Family:
    """A client whose user has two lists, and in the first one two parents with subtasks.

    The titles are "1" and "2" for the parents, "1a", "1b" and "2a" for the subtasks.
    """

    client: AsyncClient
    first_list: str
    second_list: str
    ids: Mapping[str, str]

    async def tasks(self) -> Mapping[str, JsonObject]:
        """Return all tasks by their titles."""
        return {task["title"]: task for task in (await self.client.get("/tasks")).json()}

    def query(self, *titles: str) -> str:
        """Return a query that names tasks by their titles."""
        return "&".join([f"id={self.ids[title]}" for title in titles])


@pytest.fixture
async def family(as_user: ClientFactory) -> Family:
    """Create the tasks."""
    client = as_user("owner")
    first_list = await create_list(client, "First")
    second_list = await create_list(client, "Second")
    ids: dict[str, str] = {}
    for title, letters in (("1", "ab"), ("2", "a")):
        parent = await create_task(client, title, list_id=first_list["id"])
        ids[title] = str(parent["id"])
        for letter in letters:
            subtask = await create_task(
                client, title + letter, parent_id=parent["id"], list_id=first_list["id"]
            )
            ids[title + letter] = str(subtask["id"])
    return Family(client, str(first_list["id"]), str(second_list["id"]), ids)


async def test_subtasks_follow_their_parent_and_are_not_counted(family: Family) -> None:
    since = (await family.client.get("/tasks/changes")).json()["next"]

    response = await family.client.patch(
        f"/tasks?{family.query('1')}", json={"list_id": family.second_list, "priority": "high"}
    )
    changes = (await family.client.get(f"/tasks/changes?since={since}")).json()

    assert await json_object(response) == {
        "matched": 1,
        "changed": 1,
        "version": int(changes["next"]),
    }
    moved = changes["tasks"]
    assert sorted(field_values(moved, "title")) == ["1", "1a", "1b"]
    assert len(set(field_values(moved, "version"))) == 3
    assert set(field_values(moved, "list_id")) == {family.second_list}
    priorities = {task["title"]: task["priority"] for task in moved}
    assert priorities == {"1": "high", "1a": "none", "1b": "none"}


async def test_a_matched_subtask_moves_with_its_matched_parent(family: Family) -> None:
    response = await family.client.patch(
        f"/tasks?{family.query('1', '1a')}", json={"list_id": None, "priority": "high"}
    )

    result = await json_object(response)
    assert (result["matched"], result["changed"]) == (2, 2)
    tasks = await family.tasks()
    assert [tasks[title]["list_id"] for title in ("1", "1a", "1b")] == [None] * 3
    assert [tasks[title]["priority"] for title in ("1", "1a", "1b")] == ["high", "high", "none"]


@pytest.mark.parametrize("matching", [["1a"], ["1a", "2"], ["1", "1b", "2a"]])
async def test_a_subtask_does_not_leave_its_parent(family: Family, matching: list[str]) -> None:
    before = await family.tasks()

    response = await family.client.patch(
        f"/tasks?{family.query(*matching)}",
        json={"list_id": family.second_list, "priority": "high"},
    )

    assert problem_code(response) == (422, "contradiction")
    assert await family.tasks() == before


async def test_a_subtask_may_be_sent_the_list_that_it_is_in(family: Family) -> None:
    response = await family.client.patch(
        f"/tasks?{family.query('1a')}", json={"list_id": family.first_list, "priority": "high"}
    )

    assert (await json_object(response))["changed"] == 1


async def test_deleting_parents_keeps_their_subtasks(family: Family) -> None:
    since = (await family.client.get("/tasks/changes")).json()["next"]

    response = await family.client.delete(f"/tasks?{family.query('1', '1a', '2a')}")
    changes = (await family.client.get(f"/tasks/changes?since={since}")).json()

    assert await json_object(response) == {
        "matched": 3,
        "deleted": 3,
        "version": int(changes["next"]),
    }
    assert set(field_values(changes["deleted"], "id")) == {
        family.ids["1"],
        family.ids["1a"],
        family.ids["2a"],
    }
    [kept] = changes["tasks"]
    assert (kept["title"], kept["parent_id"]) == ("1b", None)
    versions = field_values(changes["deleted"] + changes["tasks"], "version")
    assert len(set(versions)) == 4


async def test_subtasks_are_deleted_as_well_and_not_counted(family: Family) -> None:
    since = (await family.client.get("/tasks/changes")).json()["next"]

    response = await family.client.delete(f"/tasks?{family.query('1', '1a')}&subtasks=delete")
    changes = (await family.client.get(f"/tasks/changes?since={since}")).json()

    result = await json_object(response)
    assert (result["matched"], result["deleted"]) == (2, 2)
    assert len(set(field_values(changes["deleted"], "version"))) == 3
    assert changes["tasks"] == []
    assert await list_titles(family.client) == ["2", "2a"]


async def test_a_deleted_task_has_room_again(family: Family) -> None:
    await family.client.delete("/tasks?parent_id=none&subtasks=delete")

    assert await list_titles(family.client) == []
    for number in range(5):
        await create_task(family.client, str(number))


@pytest.mark.parametrize("filter_name", ["parent_id", "list_id"])
async def test_subtasks_are_matched_like_other_tasks(family: Family, filter_name: str) -> None:
    value = {"parent_id": family.ids["1"], "list_id": family.first_list}[filter_name]

    response = await family.client.patch(f"/tasks?{filter_name}={value}", json={"priority": "high"})

    matched = {"parent_id": 2, "list_id": 5}[filter_name]
    assert (await json_object(response))["changed"] == matched
