"""Completing and reopening a task that repeats by a change that takes its subtasks along."""

from devkit.testing.auth_headers import ClientFactory

from ..support.helpers import create_list, create_task, field_values, json_object


async def test_subtasks_and_their_copies_follow_to_another_list(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    garden = await create_list(owner)
    recurrence = {"rule": "FREQ=DAILY", "from": "due"}
    parent = await create_task(owner, "parent", due={"date": "2126-12-01"}, recurrence=recurrence)
    await create_task(owner, "subtask", parent_id=parent["id"])
    url = f"/tasks/{parent['id']}"
    before = int((await owner.get("/tasks/changes")).json()["next"])

    body = {"is_completed": True, "list_id": garden["id"], "labels": ["new"]}
    await json_object(await owner.patch(url, json=body))

    changes = (await owner.get(f"/tasks/changes?since={before}")).json()
    titles = field_values(changes["tasks"], "title")
    assert titles == ["subtask", "parent", "parent", "subtask"]
    assert field_values(changes["tasks"], "list_id") == [garden["id"]] * 4
    versions = field_values(changes["tasks"] + changes["labels"], "version")
    assert sorted(versions) == list(range(before + 1, before + 6))

    reopened = await json_object(
        await owner.patch(url, json={"is_completed": False, "list_id": None})
    )

    tasks = (await owner.get("/tasks")).json()
    assert field_values(tasks, "title") == ["parent", "subtask"]
    assert field_values(tasks, "list_id") == [None, None]
    assert tasks[0] == reopened


async def test_a_task_that_becomes_a_subtask_of_its_successor_leaves_it(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    recurrence = {"rule": "FREQ=DAILY", "from": "due"}
    task = await create_task(owner, "task", due={"date": "2126-12-01"}, recurrence=recurrence)
    url = f"/tasks/{task['id']}"
    await owner.patch(url, json={"is_completed": True})
    [successor] = (await owner.get("/tasks?is_completed=false")).json()

    body = {"is_completed": False, "recurrence": None, "parent_id": successor["id"]}
    reopened = await json_object(await owner.patch(url, json=body))

    assert reopened["parent_id"] == successor["id"]
    assert (await owner.get(f"/tasks/{successor['id']}")).json() == successor
