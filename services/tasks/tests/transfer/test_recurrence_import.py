"""Imports of tasks that repeat."""

from uuid import uuid4

import pytest

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.import_export import (
    Record,
    Report,
    export,
    import_records,
    list_record,
    new_ids,
    post_import,
    run_sql,
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


async def test_what_an_import_wrote_counts_as_changed(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    garden = list_record()
    unchanged, changed, linked, parent, follower = new_ids(5)
    records = [
        task_record(unchanged, "unchanged"),
        task_record(changed, "changed"),
        task_record(linked, "linked"),
        task_record(parent, "parent"),
        task_record(follower, "follower", parent_id=parent),
    ]
    await import_records(owner, [garden, *records])
    await run_sql(proxy, MARK_AS_MADE)

    records[1] |= {"description": "Other"}
    records[2] |= {"previous_id": changed}
    assert await import_records(owner, records[:3]) == Report(updated=2, unchanged=1)
    assert await run_sql(proxy, COUNT_MADE) == [("follower",), ("parent",), ("unchanged",)]

    records[3] |= {"list_id": garden["id"]}
    assert await import_records(owner, records[3:4]) == Report(updated=1)
    assert await run_sql(proxy, COUNT_MADE) == [("unchanged",)]


async def test_an_import_that_completes_a_repeating_task_makes_no_successor(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    record = task_record(uuid4(), recurrence=DAILY, due=DUE)
    await import_records(owner, [record])

    completed = record | {"completed_at": "2026-11-30T12:00:00.000000Z"}
    assert await import_records(owner, [completed]) == Report(updated=1)

    [task] = (await tasks_by_id(owner)).values()
    assert (task["is_completed"], task["recurrence"]) == (True, DAILY)


@pytest.mark.parametrize(
    ("rule", "canonical"),
    [
        ("count=03;freq=weekly;byday=fr,MO;interval=1", "FREQ=WEEKLY;BYDAY=MO,FR;COUNT=3"),
        ("FREQ=DAILY;UNTIL=20000101", "FREQ=DAILY;UNTIL=20000101"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYMONTHDAY=30;BYMONTH=2"),
    ],
    ids=["another form", "past its end", "never"],
)
async def test_an_imported_rule_is_canonical_and_may_have_ended(
    as_user: ClientFactory, rule: str, canonical: str
) -> None:
    owner = as_user("owner")
    record = task_record(uuid4(), due=DUE, recurrence={"rule": rule})

    assert await import_records(owner, [record]) == Report(created=1)

    [exported] = await export(owner)
    assert exported["recurrence"] == {"rule": canonical, "from": "due"}
    assert await import_records(owner, [record]) == Report(unchanged=1)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"recurrence": DAILY}, "recurrence-without-due"),
        ({"recurrence": DAILY, "due": None}, "recurrence-without-due"),
        ({"recurrence": {"rule": "FREQ=HOURLY"}, "due": DUE}, "invalid-recurrence"),
        ({"recurrence": {"rule": "FREQ=DAILY", "from": "now"}, "due": DUE}, "unknown-word"),
        ({"due": SKIPPED | {"at": None}}, "skipped-time"),
        ({"due": SKIPPED | {"at": "2027-03-28T00:30:00.000000Z"}}, "skipped-time"),
        ({"due": SKIPPED | {"at": "2027-03-28"}}, "skipped-time"),
        ({"due": SKIPPED | {"at": "later"}}, "skipped-time"),
    ],
)
async def test_the_line_of_a_recurrence_or_due_date_that_cannot_be_is_named(
    as_user: ClientFactory, fields: Record, code: str
) -> None:
    owner = as_user("owner")
    records = [task_record(uuid4()), task_record(uuid4()) | fields]

    response = await post_import(owner, to_ndjson(records))

    problem = response.json()
    assert (response.status_code, problem["detail"]) == (422, "Line 3 breaks a rule.")
    assert {error["code"] for error in problem["errors"]} == {code}
    assert await export(owner) == []


async def test_an_occurrence_that_clocks_moved_comes_back(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    due = SKIPPED | {"at": "2027-03-28T01:30:00.000000Z"}
    record = task_record(uuid4(), due=due, recurrence=DAILY)

    assert await import_records(owner, [record]) == Report(created=1)

    [exported] = await export(owner)
    assert exported["due"] == due
