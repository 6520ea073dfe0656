"""The example client of docs/sync.md against a running platform."""

import sys
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import sync_client
from sync_client import DEFAULTS, LocalCopy

from e2e.support.user_client import UserClient, UserClientFactory

FUTURE_SYNC_TOKEN = str(2**62)
"""A sync token that the platform has never returned."""


@pytest.fixture
def ann(as_user: UserClientFactory) -> UserClient:
    return as_user("ann")


@pytest.fixture
def phone(ann: UserClient) -> LocalCopy:
    return create_local_copy(ann)


@pytest.fixture
def laptop(ann: UserClient) -> LocalCopy:
    return create_local_copy(ann)


def create_local_copy(user: UserClient) -> LocalCopy:
    """Return the empty copy of a new device, with an HTTP client of its own."""
    return LocalCopy(httpx.Client(base_url=user.base_url, headers=user.headers))


def sorted_titles(copy: LocalCopy) -> list[str]:
    return sorted(str(task["title"]) for task in copy.view().values())


async def read_by_id(user: UserClient, path: str) -> dict[str, object]:
    """List tasks or lists, and return them by their ids."""
    response = await user.get(path)
    return {item["id"]: item for item in response.json()}


async def sync_and_compare(user: UserClient, copies: list[LocalCopy]) -> None:
    """Synchronize copies, and check that they equal the server and have no pending edits."""
    for copy in copies:
        copy.sync()
        copy.http.close()
    tasks = await read_by_id(user, "/tasks")
    lists = await read_by_id(user, "/lists")
    for copy in copies:
        assert copy.tasks == tasks
        assert copy.lists == lists
        assert copy.outbox == []


async def test_offline_edits_reach_the_other_device(
    ann: UserClient, phone: LocalCopy, laptop: LocalCopy
) -> None:
    changed_id = str(uuid4())
    deleted_id = str(uuid4())
    restored_id = str(uuid4())
    phone.write(changed_id, title="Kept")
    phone.write(deleted_id, title="Gone")
    phone.write(restored_id, title="Undone")
    phone.write(changed_id, title="Kept and changed", is_completed=True)
    phone.delete(deleted_id)
    assert sorted_titles(phone) == ["Kept and changed", "Undone"]
    assert await ann.list_tasks() == []

    phone.sync()
    laptop.sync()
    assert sorted_titles(laptop) == sorted_titles(phone)

    laptop.delete(restored_id)
    laptop.sync()
    laptop.write(restored_id, title="Back")
    laptop.sync()
    await sync_and_compare(ann, [phone, laptop])
    assert sorted_titles(phone) == ["Back", "Kept and changed"]


async def test_lists_and_labels_are_synchronized_with_their_tasks(
    ann: UserClient, phone: LocalCopy, laptop: LocalCopy
) -> None:
    garden = (await ann.post("/lists", json={"name": "Garden"})).json()
    house = (await ann.post("/lists", json={"name": "House"})).json()
    await ann.create_task(list_id=garden["id"], labels=["red", "blue"])
    phone.sync()
    label_ids = {label["name"]: label_id for label_id, label in phone.labels.items()}

    await ann.delete(f"/lists/{garden['id']}")
    await ann.patch(f"/lists/{house['id']}", json={"name": "Home"})
    await ann.delete(f"/labels/{label_ids['red']}")
    await ann.patch(f"/labels/{label_ids['blue']}", json={"name": "green"})

    await sync_and_compare(ann, [phone, laptop])
    for copy in (phone, laptop):
        assert [task_list["name"] for task_list in copy.lists.values()] == ["Home"]
        assert [label["name"] for label in copy.labels.values()] == ["green"]
        assert [task["labels"] for task in copy.tasks.values()] == [["green"]]


async def test_concurrent_changes_of_one_task_are_merged(
    ann: UserClient, phone: LocalCopy, laptop: LocalCopy
) -> None:
    task_id = str(uuid4())
    phone.write(task_id, title="Water the plants")
    phone.sync()
    laptop.sync()
    phone.write(task_id, title="Water the cactus", is_completed=True)
    laptop.write(task_id, title="Water the garden", description="The roses")
    statuses: list[int] = []

    def sync_phone_first(request: httpx.Request) -> None:
        if request.method == "PATCH" and phone.outbox:
            phone.sync()

    def record_status(response: httpx.Response) -> None:
        statuses.append(response.status_code)

    laptop.http.event_hooks = {"request": [sync_phone_first], "response": [record_status]}
    laptop.sync()

    assert statuses == [200, 412, 200, 200, 200]
    await sync_and_compare(ann, [phone, laptop])
    [task] = phone.view().values()
    assert task == {"title": "Water the cactus", "description": "The roses", "is_completed": True}


async def test_a_task_that_was_changed_elsewhere_is_not_deleted(
    ann: UserClient, phone: LocalCopy, laptop: LocalCopy
) -> None:
    task_id = str(uuid4())
    phone.write(task_id, title="Old")
    phone.sync()
    laptop.sync()

    phone.delete(task_id)
    laptop.write(task_id, title="New")
    laptop.sync()

    await sync_and_compare(ann, [phone, laptop])
    assert sorted_titles(phone) == ["New"]


async def test_a_device_with_an_unknown_sync_token_reads_everything_and_keeps_its_edits(
    ann: UserClient, phone: LocalCopy
) -> None:
    task = await ann.create_task("Kept")
    phone.sync()
    phone.write(task["id"], is_completed=True)
    phone.write(str(uuid4()), title="New")
    phone.tasks["gone"] = dict(task) | {"id": "gone"}
    phone.since = FUTURE_SYNC_TOKEN

    await sync_and_compare(ann, [phone])

    completions = {task["title"]: task["is_completed"] for task in await ann.list_tasks()}
    assert completions == {"Kept": True, "New": False}


async def test_an_invalid_edit_is_rejected_and_the_others_are_sent(
    ann: UserClient, phone: LocalCopy
) -> None:
    phone.write(str(uuid4()), title="")
    phone.write(str(uuid4()), title="Fine")

    await sync_and_compare(ann, [phone])

    [rejected] = phone.rejected
    assert rejected.after == DEFAULTS | {"title": ""}
    assert sorted_titles(phone) == ["Fine"]


def test_the_example_is_short_and_needs_no_module_of_the_platform() -> None:
    lines = Path(sync_client.__file__).read_text().splitlines()
    import_lines = [line for line in lines if line.startswith(("import", "from"))]
    modules = {line.split()[1] for line in import_lines}

    assert len(lines) <= 135
    assert modules - sys.stdlib_module_names == {"httpx"}
