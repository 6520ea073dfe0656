"""Subtasks and occurrences keep their links through export and import."""

from collections.abc import Callable, Mapping
from uuid import uuid4

import pytest
from httpx import AsyncClient, Response

from devkit.testing.auth_headers import ClientFactory

from ..support.import_export import (
    Record,
    Report,
    erase_owner,
    export,
    import_records,
    list_record,
    new_ids,
    post_import,
    replacement_id,
    task_record,
    tasks_by_id,
    to_ndjson,
)

pytestmark = pytest.mark.usefixtures("small_batches")

DUE = {"date": "2026-11-30"}
DAILY = {"rule": "FREQ=DAILY", "from": "due"}
SKIPPED: Record = {"date": "2027-03-28", "time": "02:30", "time_zone": "Europe/Berlin"}
"""Clocks go from 02:00 to 03:00 there."""

MARK_AS_MADE = "UPDATE tasks SET made_version = version, made_subtask_count = 0"
COUNT_MADE = "SELECT title FROM tasks WHERE made_version IS NOT NULL ORDER BY title"


async def counter(owner: AsyncClient) -> int:
    return int((await owner.get("/tasks/changes")).json()["next"])


async def changes_since(owner: AsyncClient, version: int) -> list[tuple[object, int]]:
    """Return the ids and versions of the changed tasks, the versions relative to `version`."""
    changes = (await owner.get(f"/tasks/changes?since={version}")).json()
    assert not changes["deleted"]
    return [(task["id"], task["version"] - version) for task in changes["tasks"]]


def assert_rejected(response: Response, line: int, code: str) -> None:
    problem = response.json()
    assert (response.status_code, problem["code"]) == (422, code), problem
    assert problem["detail"].startswith(f"Line {line} "), problem
    [error] = problem["errors"]
    assert error["location"] == ["body", line, "parent_id"]
    assert error["code"] == code


async def test_an_export_has_tasks_then_subtasks_each_in_list_order(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    ids = new_ids(5)
    for task_id, parent_id in zip(ids, [ids[2], None, None, ids[1], None], strict=True):
        record = task_record(task_id, parent_id=parent_id)
        record["created_at"] = f"2020-01-0{ids.index(task_id) + 1}T00:00:00Z"
        await import_records(owner, [record])
    # The first parent was unknown when it was named.
    await owner.patch(f"/tasks/{ids[0]}", json={"parent_id": ids[2]})

    records = await export(owner)

    assert [record["id"] for record in records] == [ids[1], ids[2], ids[4], ids[0], ids[3]]


async def test_a_child_may_stand_before_its_parent_and_a_successor_before_its_predecessor(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    child, successor, other, parent, previous = new_ids(5)
    records = [
        task_record(child, parent_id=parent),
        task_record(successor, previous_id=previous),
        task_record(other),
        task_record(parent),
        task_record(previous, previous_id=child),
    ]

    assert await import_records(owner, records) == Report(created=5)

    tasks = await tasks_by_id(owner)
    assert tasks[child]["parent_id"] == parent
    assert tasks[successor]["previous_id"] == previous
    assert tasks[previous]["previous_id"] == child
    assert await import_records(owner, records) == Report(unchanged=5)
    assert await tasks_by_id(owner) == tasks


async def test_each_imported_task_takes_one_version_with_its_links(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    child, parent, other = new_ids(3)
    await import_records(owner, [])
    before = await counter(owner)

    records = [task_record(child, parent_id=parent), task_record(parent), task_record(other)]
    assert await import_records(owner, records) == Report(created=3)
    assert await changes_since(owner, before) == [(child, 1), (parent, 2), (other, 3)]

    records[0] |= {"parent_id": other}
    assert await import_records(owner, records) == Report(updated=1, unchanged=2)
    assert await changes_since(owner, before + 3) == [(child, 1)]
    assert await counter(owner) == before + 4


async def test_unknown_links_are_null(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    stranger = as_user("stranger")
    task_id, foreign, garden = str(uuid4()), str(uuid4()), list_record()
    await import_records(stranger, [task_record(foreign)])
    await import_records(owner, [garden, task_record(task_id, list_id=garden["id"])])
    record = task_record(task_id, parent_id=foreign, previous_id=str(uuid4()))

    assert await import_records(owner, [record]) == Report(updated=1)

    task = (await tasks_by_id(owner))[task_id]
    assert (task["parent_id"], task["previous_id"], task["list_id"]) == (None, None, None)


async def test_a_task_is_no_occurrence_after_itself(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task_id = str(uuid4())

    await import_records(owner, [task_record(task_id, previous_id=task_id)])

    assert (await tasks_by_id(owner))[task_id]["previous_id"] is None


async def test_a_link_to_a_task_of_a_later_part_is_null_until_the_part_is_sent_again(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    child, parent = new_ids(2)
    first_part = [task_record(child, parent_id=parent, previous_id=parent)]

    assert await import_records(owner, first_part) == Report(created=1)
    assert await import_records(owner, [task_record(parent)]) == Report(created=1)
    assert (await tasks_by_id(owner))[child]["parent_id"] is None

    assert await import_records(owner, first_part) == Report(updated=1)
    task = (await tasks_by_id(owner))[child]
    assert (task["parent_id"], task["previous_id"]) == (parent, parent)


async def test_links_to_renumbered_tasks_are_renumbered_in_every_part(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    stranger = as_user("stranger")
    child, parent, previous = new_ids(3)
    records = [
        task_record(child, parent_id=parent, previous_id=previous),
        task_record(parent),
        task_record(previous),
    ]
    await import_records(owner, records)

    assert await import_records(stranger, records) == Report(created=3, renumbered=3)
    assert await import_records(stranger, records[:1]) == Report(unchanged=1, renumbered=1)

    copy = (await tasks_by_id(stranger))[replacement_id(stranger, child)]
    assert copy["parent_id"] == replacement_id(stranger, parent)
    assert copy["previous_id"] == replacement_id(stranger, previous)
    assert (await tasks_by_id(owner))[child]["parent_id"] == parent


async def test_an_export_from_before_has_no_links_and_a_record_without_planning_keeps_them(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    child, parent = new_ids(2)
    await import_records(
        owner, [task_record(parent), task_record(child, parent_id=parent, previous_id=parent)]
    )

    assert await import_records(owner, [task_record(child)]) == Report(unchanged=1)
    task = (await tasks_by_id(owner))[child]
    assert (task["parent_id"], task["previous_id"]) == (parent, parent)

    planned = task_record(child, priority="none")
    assert await import_records(owner, [planned]) == Report(updated=1)
    task = (await tasks_by_id(owner))[child]
    assert (task["parent_id"], task["previous_id"]) == (None, None)


@pytest.mark.parametrize("parent_line", [0, 1])
async def test_a_subtask_without_a_list_is_in_that_of_its_parent(
    as_user: ClientFactory, parent_line: int
) -> None:
    owner = as_user("owner")
    child, parent, later_child = new_ids(3)
    garden = list_record()
    records = [task_record(child, parent_id=parent)]
    records.insert(parent_line, task_record(parent, list_id=garden["id"]))

    assert await import_records(owner, [garden, *records]) == Report(created=3)
    assert await import_records(owner, [task_record(later_child, parent_id=parent)]) == Report(
        created=1
    )

    tasks = await tasks_by_id(owner)
    assert {task["list_id"] for task in tasks.values()} == {garden["id"]}
    assert await import_records(owner, [garden, *records]) == Report(unchanged=3)


async def test_subtasks_follow_a_parent_that_an_import_moves(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    parent, first, second, other = new_ids(4)
    garden = list_record()
    subtasks = [task_record(task_id, parent_id=parent) for task_id in (first, second)]
    await import_records(owner, [garden, task_record(parent), *subtasks, task_record(other)])
    before = await counter(owner)
    times_before = (await tasks_by_id(owner))[first]["updated_at"]

    report = await import_records(owner, [task_record(parent, list_id=garden["id"])])

    assert report == Report(updated=1)
    assert await changes_since(owner, before) == [(parent, 1), (first, 2), (second, 3)]
    tasks = await tasks_by_id(owner)
    assert [tasks[task_id]["list_id"] for task_id in (first, second)] == [garden["id"]] * 2
    assert tasks[first]["updated_at"] != times_before


def nested(known: list[str]) -> list[Record]:
    one, two, three = new_ids(3)
    return [
        task_record(one),
        task_record(two, parent_id=one),
        task_record(three),
        task_record(known[2], parent_id=two),
    ]


def nested_in_known_subtask(known: list[str]) -> list[Record]:
    return [
        *(task_record(new_id) for new_id in new_ids(3)),
        task_record(known[2], parent_id=known[1]),
    ]


def parent_becomes_subtask(known: list[str]) -> list[Record]:
    one, two, three = new_ids(3)
    records = [task_record(one), task_record(two), task_record(three)]
    return [*records, task_record(known[0], parent_id=two)]


def own_parent(known: list[str]) -> list[Record]:
    new_records = [task_record(new_id) for new_id in new_ids(3)]
    return [*new_records, task_record(known[2], parent_id=known[2])]


def elsewhere(known: list[str]) -> list[Record]:
    garden = list_record()
    one, two = new_ids(2)
    return [
        garden,
        task_record(one, list_id=garden["id"]),
        task_record(two, parent_id=one),
        task_record(known[2], parent_id=one, list_id=None),
    ]


def repeating_subtask(known: list[str]) -> list[Record]:
    new_records = [task_record(new_id) for new_id in new_ids(3)]
    repeating = task_record(known[2], parent_id=known[0], recurrence=DAILY, due=DUE)
    return [*new_records, repeating]


CONFLICTS: Mapping[Callable[[list[str]], list[Record]], str] = {
    nested: "nested-too-deep",
    nested_in_known_subtask: "nested-too-deep",
    parent_becomes_subtask: "nested-too-deep",
    own_parent: "nested-too-deep",
    elsewhere: "contradiction",
    repeating_subtask: "contradiction",
}


@pytest.mark.parametrize("records_for", CONFLICTS)
async def test_a_link_that_breaks_a_rule_is_rejected_with_its_line(
    as_roomy_user: ClientFactory, records_for: Callable[[list[str]], list[Record]]
) -> None:
    owner = as_roomy_user("owner")
    known = new_ids(3)
    await import_records(
        owner,
        [task_record(known[0]), task_record(known[1], parent_id=known[0]), task_record(known[2])],
    )
    before = await export(owner)

    response = await post_import(owner, to_ndjson(records_for(known)))

    assert_rejected(response, 5, CONFLICTS[records_for])
    assert await export(owner) == before


async def test_a_repeating_task_with_an_unknown_parent_is_no_subtask(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    record = task_record(uuid4(), parent_id=str(uuid4()), recurrence=DAILY, due=DUE)

    assert await import_records(owner, [record]) == Report(created=1)

    [task] = (await tasks_by_id(owner)).values()
    assert (task["parent_id"], task["recurrence"]) == (None, DAILY)


async def test_a_task_has_100_subtasks_at_most(as_roomy_user: ClientFactory) -> None:
    owner = as_roomy_user("owner")
    parent = str(uuid4())
    subtasks = [task_record(uuid4(), parent_id=parent) for _ in range(101)]
    await import_records(owner, [task_record(parent), *subtasks[:60]])

    too_many = await post_import(owner, to_ndjson([*subtasks, task_record(uuid4())]))
    assert_rejected(too_many, 102, "quota-exceeded")

    assert await import_records(owner, subtasks[:100]) == Report(created=40, unchanged=60)
    one_more = await post_import(owner, to_ndjson(subtasks[100:]))
    assert_rejected(one_more, 2, "quota-exceeded")
    assert len(await export(owner)) == 101


async def test_an_import_after_an_erasure_links_the_tasks_again(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    parent, child = new_ids(2)
    await import_records(owner, [task_record(parent), task_record(child, parent_id=parent)])
    records = await export(owner)
    await erase_owner(owner)

    assert await import_records(owner, records) == Report(created=2)

    assert (await tasks_by_id(owner))[child]["parent_id"] == parent
