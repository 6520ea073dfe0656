"""The example client of docs/sync.md, on the platform as a client meets it."""

import sys
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import sync_client
from sync_client import DEFAULTS, LocalCopy

from e2e.support.user_client import UserClient, UserClientFactory

NEVER = str(2**62)
"""A place that no reader of changes has come to."""


@pytest.fixture
def ann(as_user: UserClientFactory) -> UserClient:
    return as_user("ann")


@pytest.fixture
def phone(ann: UserClient) -> LocalCopy:
    return copy_of(ann)


@pytest.fixture
def laptop(ann: UserClient) -> LocalCopy:
    return copy_of(ann)


def copy_of(user: UserClient) -> LocalCopy:
    """Give a new device of this person a copy; it speaks for itself."""
    return LocalCopy(httpx.Client(base_url=user.base_url, headers=user.headers))


def titles(copy: LocalCopy) -> list[str]:
    return sorted(str(task["title"]) for task in copy.view().values())


async def require_equal(user: UserClient, *copies: LocalCopy) -> None:
    """Make sure that these show what the server has, once they have told it everything."""
    for copy in copies:
        copy.sync()
        copy.http.close()
    there = [
        {each["id"]: each for each in (await user.get(f"/{kind}")).json()}
        for kind in ("tasks", "lists")
    ]
    assert [([copy.tasks, copy.lists], copy.outbox) for copy in copies] == [(there, [])] * len(
        copies
    )


async def test_what_was_done_offline_reaches_the_other_device(
    ann: UserClient, phone: LocalCopy, laptop: LocalCopy
) -> None:
    kept, gone, undone = (str(uuid4()) for _ in range(3))
    for task_id, title in {kept: "Kept", gone: "Gone", undone: "Undone"}.items():
        phone.write(task_id, title=title)
    phone.write(kept, title="Kept and changed", is_completed=True)
    phone.delete(gone)
    assert titles(phone) == ["Kept and changed", "Undone"]
    assert await ann.list_tasks() == []

    phone.sync()
    laptop.sync()
    assert titles(laptop) == titles(phone)

    laptop.delete(undone)
    laptop.sync()
    laptop.write(undone, title="Back")
    laptop.sync()
    await require_equal(ann, phone, laptop)
    assert titles(phone) == ["Back", "Kept and changed"]


async def test_lists_and_labels_come_change_and_go_with_their_tasks(
    ann: UserClient, phone: LocalCopy, laptop: LocalCopy
) -> None:
    lists = [
        (await ann.post("/lists", json={"name": name})).json()["id"] for name in ("Garden", "House")
    ]
    await ann.create_task(list_id=lists[0], labels=["red", "blue"])
    phone.sync()
    red, blue = [
        each["id"]
        for each in sorted(phone.labels.values(), key=lambda each: str(each["name"]), reverse=True)
    ]

    await ann.delete(f"/lists/{lists[0]}")
    await ann.patch(f"/lists/{lists[1]}", json={"name": "Home"})
    await ann.delete(f"/labels/{red}")
    await ann.patch(f"/labels/{blue}", json={"name": "green"})

    await require_equal(ann, phone, laptop)
    for copy in (phone, laptop):
        assert [each["name"] for each in (*copy.lists.values(), *copy.labels.values())] == [
            "Home",
            "green",
        ]
        assert [task["labels"] for task in copy.tasks.values()] == [["green"]]


async def test_two_devices_that_change_one_task_both_get_their_way(
    ann: UserClient, phone: LocalCopy, laptop: LocalCopy
) -> None:
    task_id, responses = str(uuid4()), list[int]()
    phone.write(task_id, title="Water the plants")
    phone.sync()
    laptop.sync()
    phone.write(task_id, title="Water the cactus", is_completed=True)
    laptop.write(task_id, title="Water the garden", description="The roses")

    def be_slower(request: httpx.Request) -> None:
        if request.method == "PATCH" and phone.outbox:
            phone.sync()

    def keep(response: httpx.Response) -> None:
        responses.append(response.status_code)

    laptop.http.event_hooks = {"request": [be_slower], "response": [keep]}
    laptop.sync()

    assert responses == [200, 412, 200, 200, 200]
    await require_equal(ann, phone, laptop)
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

    await require_equal(ann, phone, laptop)
    assert titles(phone) == ["New"]


async def test_who_was_away_for_too_long_begins_anew_and_loses_no_edit(
    ann: UserClient, phone: LocalCopy
) -> None:
    kept = await ann.create_task("Kept")
    phone.sync()
    phone.write(kept["id"], is_completed=True)
    phone.write(str(uuid4()), title="New")
    phone.tasks["gone"], phone.since = {**kept, "id": "gone"}, NEVER

    await require_equal(ann, phone)

    assert sorted((task["title"], task["is_completed"]) for task in await ann.list_tasks()) == [
        ("Kept", True),
        ("New", False),
    ]


async def test_what_breaks_a_rule_is_put_aside(ann: UserClient, phone: LocalCopy) -> None:
    phone.write(str(uuid4()), title="")
    phone.write(str(uuid4()), title="Fine")

    await require_equal(ann, phone)

    assert ([edit.after for edit in phone.rejected], titles(phone)) == (
        [{**DEFAULTS, "title": ""}],
        ["Fine"],
    )


def test_the_example_is_short_and_needs_nothing_of_ours() -> None:
    lines = Path(sync_client.__file__).read_text().splitlines()
    imported = {line.split()[1] for line in lines if line.startswith(("import", "from"))}

    assert len(lines) <= 135
    assert imported - sys.stdlib_module_names == {"httpx"}
