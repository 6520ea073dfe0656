"""Lists, labels and planning fields are exported and imported with the tasks."""

from collections.abc import Callable
from typing import cast
from uuid import UUID, uuid4

import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory

from ..support.import_export import (
    Record,
    Report,
    erase_owner,
    export,
    field_values,
    import_records,
    label_record,
    list_record,
    post_import,
    replacement_id,
    task_record,
    to_ndjson,
    without_versions,
)

pytestmark = pytest.mark.usefixtures("small_batches")

DUE = {"date": "2026-11-30", "time": "08:30", "time_zone": "Europe/Berlin"}

FIELDS_BEFORE_PLANNING = (
    "kind",
    "id",
    "title",
    "description",
    "is_completed",
    "completed_at",
    "created_at",
    "updated_at",
)
"""What a record had before tasks could be planned."""


def without_planning(record: Record) -> Record:
    return {name: record[name] for name in FIELDS_BEFORE_PLANNING}


async def create(owner: AsyncClient, path: str, body: Record) -> str:
    """Create a list or a task, and return its id."""
    response = await owner.post(path, json=body)
    assert response.status_code == 201
    return response.json()["id"]


async def create_planned_tasks(owner: AsyncClient) -> None:
    """Create two lists and three tasks with two labels, and move a list and a task.

    An export then has two lists (Shed, Garden), two labels (away, Home) and three tasks.
    """
    garden = await create(owner, "/lists", {"name": "Garden"})
    shed = await create(owner, "/lists", {"name": "Shed"})
    await owner.post(f"/lists/{shed}/move", json={"after": None})
    await create(
        owner,
        "/tasks",
        {
            "title": "1",
            "list_id": garden,
            "labels": ["Home", "away"],
            "due": DUE,
            "priority": "high",
        },
    )
    second = await create(
        owner,
        "/tasks",
        {
            "title": "2",
            "list_id": garden,
            "labels": ["home"],
            "due": {"date": "2027-01-01"},
            "is_completed": True,
        },
    )
    await create(owner, "/tasks", {"title": "3"})
    response = await owner.post(f"/tasks/{second}/move", json={"after": None})
    assert response.status_code == 200


async def test_an_export_has_lists_then_labels_then_tasks(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    await create_planned_tasks(owner)

    records = await export(owner)

    kinds = field_values(records, "kind")
    assert kinds == ["list", "list", "label", "label", "task", "task", "task"]
    lists = (await owner.get("/lists")).json()
    assert records[:2] == [{"kind": "list"} | task_list for task_list in lists]
    labels = (await owner.get("/labels")).json()
    for label in labels:
        del label["task_count"]
    assert records[2:4] == [{"kind": "label"} | label for label in labels]


async def test_an_import_after_an_erasure_restores_lists_labels_and_planning(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    await create_planned_tasks(owner)
    before = await export(owner)
    await erase_owner(owner)

    assert await import_records(owner, before) == Report(created=7)

    after = await export(owner)
    assert without_versions(after) == without_versions(before)
    versions = cast("list[int]", field_values(after, "version"))
    assert len(set(versions)) == len(after)
    assert await import_records(owner, before) == Report(unchanged=7)
    assert await export(owner) == after
    changes = (await owner.get("/tasks/changes")).json()
    assert [len(changes[kind]) for kind in ("lists", "labels", "tasks")] == [2, 2, 3]
    assert int(changes["next"]) == max(versions)


async def test_a_list_or_label_that_exists_by_id_is_not_renamed(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    await create_planned_tasks(owner)
    before = await export(owner)
    shed, _, _, home = before[:4]
    assert home["name"] == "Home"
    await owner.patch(f"/labels/{home['id']}", json={"name": "House"})
    await owner.patch(f"/lists/{shed['id']}", json={"name": "Barn"})
    renamed = await export(owner)

    report = await import_records(owner, before)

    assert report == Report(updated=2, unchanged=5)  # two tasks get their times back
    after = await export(owner)
    assert after[:4] == renamed[:4]
    assert field_values(after[4:], "labels") == [["away", "House"], ["House"], []]


async def test_a_list_or_label_of_the_same_name_is_the_same_one(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    await create_planned_tasks(owner)
    before = await export(owner)
    garden = before[1]
    assert garden["name"] == "Garden"
    file_list = list_record("GARDEN")
    task = task_record(uuid4(), list_id=file_list["id"], labels=["hOmE"])

    report = await import_records(owner, [file_list, label_record("HOME"), task])

    assert report == Report(created=1, unchanged=2, renumbered=2)
    after = await export(owner)
    assert after[:4] == before[:4]
    assert field_values(after[4:], "kind") == ["task"] * 4
    query = f"list_id={garden['id']}&label=home&sort=created_at&limit=1"
    [imported_task] = (await owner.get(f"/tasks?{query}")).json()
    assert imported_task["id"] == task["id"]
    assert imported_task["labels"] == ["Home"]


async def test_another_users_lists_and_labels_are_imported_under_new_ids(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    stranger = as_user("stranger")
    await create_planned_tasks(owner)
    records = await export(owner)

    assert await import_records(stranger, records) == Report(created=7, renumbered=7)

    copies = await export(stranger)
    new_ids = [replacement_id(stranger, record["id"]) for record in records]
    assert field_values(copies, "id") == new_ids
    garden_copy_id = replacement_id(stranger, records[1]["id"])
    assert set(field_values(copies[4:], "list_id")) == {None, garden_copy_id}
    assert await import_records(stranger, records) == Report(unchanged=7, renumbered=7)
    assert await import_records(stranger, records[4:]) == Report(unchanged=3, renumbered=3)
    assert await export(stranger) == copies
    assert await export(owner) == records


async def test_an_id_that_something_else_has_or_had_is_replaced(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    garden_id = await create(owner, "/lists", {"name": "Garden"})
    task_id = await create(owner, "/tasks", {"title": "Task"})
    await owner.delete(f"/tasks/{task_id}")
    records = [
        label_record(id=garden_id),
        list_record("Shed", id=task_id),
        task_record(garden_id, list_id=task_id, labels=["home"]),
    ]

    assert await import_records(owner, records) == Report(created=3, renumbered=3)
    assert await import_records(owner, records) == Report(unchanged=3, renumbered=3)

    [imported_task] = (await owner.get("/tasks")).json()
    assert imported_task["id"] == replacement_id(owner, garden_id)
    assert imported_task["list_id"] == replacement_id(owner, task_id)
    [tombstone] = (await owner.get("/tasks/changes")).json()["deleted"]
    assert tombstone["id"] == task_id


async def test_a_list_and_a_label_of_one_file_never_share_an_id(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    shared_id = str(uuid4())

    report = await import_records(owner, [list_record(id=shared_id), label_record(id=shared_id)])

    assert report == Report(created=2, renumbered=1)
    assert field_values(await export(owner), "id") == [shared_id, replacement_id(owner, shared_id)]


async def test_a_label_that_only_a_task_names_is_created(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    first = task_record(uuid4(), labels=["b", "A", "a"])
    second = task_record(uuid4(), labels=["B"])

    assert await import_records(owner, [first, second]) == Report(created=2)

    labels = (await owner.get("/labels")).json()
    assert field_values(labels, "name") == ["A", "b"]
    assert field_values(labels, "task_count") == [1, 2]


async def test_an_existing_task_gets_exactly_the_labels_of_its_record(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    first_id = UUID(int=1)
    second_id = UUID(int=2)
    await import_records(
        owner,
        [task_record(first_id, labels=["a", "b"]), task_record(second_id, labels=["a"])],
    )

    report = await import_records(owner, [task_record(first_id, labels=["c", "b"])])
    assert report == Report(updated=1)
    assert field_values((await export(owner))[3:], "labels") == [["b", "c"], ["a"]]

    report = await import_records(owner, [task_record(first_id, labels=[])])
    assert report == Report(updated=1)
    assert field_values((await export(owner))[3:], "labels") == [[], ["a"]]


async def test_a_record_without_planning_fields_keeps_the_planning(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    await create_planned_tasks(owner)
    before = (await export(owner))[4:]
    old_records = [without_planning(record) for record in before]

    assert await import_records(owner, old_records) == Report(unchanged=3)
    changed_record = old_records[0] | {"title": "New"}
    assert await import_records(owner, [changed_record]) == Report(updated=1)

    changed_task = (await export(owner))[4]
    assert changed_task | {"title": "1", "version": 0} == before[0] | {"version": 0}


async def test_a_task_in_an_unknown_list_is_rejected(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    in_unknown_list = task_record(uuid4(), list_id=str(uuid4()))

    response = await post_import(
        owner, to_ndjson([label_record(), task_record(uuid4()), in_unknown_list])
    )

    problem = response.json()
    assert response.status_code == 422
    assert problem["code"] == "list-not-found"
    assert problem["detail"] == "Line 4 is in a list that is not there."
    assert await export(owner) == []


@pytest.mark.parametrize(("new_record", "maximum"), [(list_record, 200), (label_record, 500)])
async def test_the_quotas_of_lists_and_labels_hold(
    as_user: ClientFactory, new_record: Callable[[str], Record], maximum: int
) -> None:
    owner = as_user("owner")
    records = [new_record(f"{number}") for number in range(maximum + 1)]

    all_at_once = await post_import(owner, to_ndjson(records))
    assert await import_records(owner, records[1:]) == Report(created=maximum)
    one_more = await post_import(owner, to_ndjson(records[:1]))

    assert all_at_once.json()["code"] == "quota-exceeded"
    assert one_more.json()["code"] == "quota-exceeded"
    assert len(await export(owner)) == maximum


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (list_record(" "), "too-short"),
        (label_record("a" * 51), "too-long"),
        (list_record(position="1"), "unknown-word"),
        (list_record(colour="red"), "extra-forbidden"),
        (task_record(uuid4(), labels=[str(number) for number in range(21)]), "too-long"),
        (task_record(uuid4(), due={"date": "1969-12-31"}), "date-out-of-range"),
        (task_record(uuid4(), priority="urgent"), "unknown-word"),
        (task_record(uuid4(), position="00000000000000000001.0"), "unknown-word"),
    ],
)
async def test_the_line_of_an_invalid_record_is_named(
    as_user: ClientFactory, record: Record, code: str
) -> None:
    response = await post_import(as_user("owner"), to_ndjson([list_record(), record]))

    problem = response.json()
    assert response.status_code == 422
    assert problem["detail"] == "Line 3 breaks a rule."
    assert {error["code"] for error in problem["errors"]} == {code}
