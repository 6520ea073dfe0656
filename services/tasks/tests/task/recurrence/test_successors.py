"""What follows a completed task: its due date, in every time zone."""

from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from typing import NamedTuple, cast
from uuid import NAMESPACE_DNS, UUID, uuid5
from zoneinfo import ZoneInfo

import pytest

from tasks.task.due import TIME_ZONES, instant, moved_instant
from tasks.task.recurrence.rule import parse_rule
from tasks.task.recurrence.successors import (
    DueDate,
    Recurrence,
    RecurrenceStart,
    Successor,
    completion_day,
    day_ends_at,
    find_successor,
    move_subtask_due,
    plan_successor,
    successor_id,
)

TASK_ID = UUID("0c1f7a3e-5d0b-4a52-9a55-2f6d3d0f9a11")
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)


def due_on(day: str, clock: str | None = None, zone: str | None = None) -> DueDate:
    clock_time = None
    if clock is not None:
        clock_time = time_of_day.fromisoformat(clock)
    return DueDate(date.fromisoformat(day), clock_time, zone)


def complete(
    due: DueDate, rule: str, completed_at: str, starts_from: str = "due"
) -> Successor | None:
    recurrence = Recurrence(parse_rule(rule), RecurrenceStart(starts_from))
    return plan_successor(TASK_ID, due, recurrence, datetime.fromisoformat(completed_at))


def next_day(due: DueDate, rule: str, completed_at: str, starts_from: str = "due") -> str | None:
    successor = complete(due, rule, completed_at, starts_from)
    if successor is None:
        return None
    return successor.due.date.isoformat()


def test_the_id_is_the_same_on_every_device() -> None:
    assert successor_id(TASK_ID) == uuid5(TASK_ID, "successor")
    assert successor_id(TASK_ID).version == 5
    assert str(successor_id(NAMESPACE_DNS)) == "1dc98b25-d8a7-50f9-a8f7-1b56f93d5a68"


@pytest.mark.scenario("S007-AC-1")
def test_the_31st_comes_back_after_a_short_month() -> None:
    successor = complete(due_on("2027-01-31"), "FREQ=MONTHLY", "2027-01-31T12:00:00Z")

    assert successor == Successor(
        successor_id(TASK_ID), due_on("2027-03-31"), parse_rule("FREQ=MONTHLY")
    )


@pytest.mark.parametrize(
    ("completed_at", "expected"),
    [
        ("2026-11-20T12:00:00Z", "2026-12-07"),  # long before
        ("2026-11-30T12:00:00Z", "2026-12-07"),
        ("2026-12-06T12:00:00Z", "2026-12-07"),
        ("2026-12-07T00:00:00Z", "2026-12-14"),  # on the day of the next one
    ],
)
def test_the_next_date_is_after_the_due_date_and_the_day_of_completion(
    completed_at: str, expected: str
) -> None:
    assert next_day(due_on("2026-11-30"), "FREQ=WEEKLY", completed_at) == expected


@pytest.mark.scenario("S007-AC-4")
def test_a_task_that_is_completed_five_days_late_is_due_in_the_future() -> None:
    assert next_day(due_on("2026-11-30"), "FREQ=DAILY", "2026-12-05T12:00:00Z") == "2026-12-06"
    assert (
        next_day(due_on("2026-11-30"), "FREQ=DAILY;INTERVAL=3", "2026-12-05T12:00:00Z")
        == "2026-12-06"
    )
    assert next_day(due_on("2026-11-30"), "FREQ=WEEKLY", "2026-12-05T12:00:00Z") == "2026-12-07"


@pytest.mark.parametrize(
    ("rule", "completed_at", "expected"),
    [
        ("FREQ=DAILY;INTERVAL=3", "2026-12-05T12:00:00Z", "2026-12-08"),
        ("FREQ=DAILY;INTERVAL=3", "2026-11-01T12:00:00Z", "2026-11-04"),
        ("FREQ=WEEKLY", "2026-12-05T12:00:00Z", "2026-12-12"),
        ("FREQ=MONTHLY", "2027-01-31T12:00:00Z", "2027-03-31"),
        ("FREQ=MONTHLY;BYMONTHDAY=1", "2026-12-05T12:00:00Z", "2027-01-01"),
    ],
)
def test_from_completion_only_the_day_of_completion_counts(
    rule: str, completed_at: str, expected: str
) -> None:
    assert next_day(due_on("2026-11-30"), rule, completed_at, "completion") == expected


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (None, "2026-12-02"),
        ("Pacific/Kiritimati", "2026-12-03"),
        ("Pacific/Pago_Pago", "2026-12-01"),
    ],
)
def test_the_day_of_completion_is_the_one_in_the_zone_of_the_due_date(
    zone: str | None, expected: str
) -> None:
    clock = zone and "09:00"
    due = due_on("2026-11-20", clock, zone)
    completed_at = "2026-12-01T10:30:00Z"
    if zone == "Pacific/Pago_Pago":
        completed_at = "2026-12-01T10:59:59Z"

    assert next_day(due, "FREQ=DAILY", completed_at) == expected
    assert next_day(due, "FREQ=DAILY", completed_at, "completion") == expected


@pytest.mark.scenario("S007-AC-3")
@pytest.mark.parametrize(
    ("day", "instants"),
    [
        ("2027-03-21", ["2027-03-28T07:00:00+00:00", "2027-04-04T07:00:00+00:00"]),
        ("2027-10-24", ["2027-10-31T08:00:00+00:00", "2027-11-07T08:00:00+00:00"]),
    ],
)
def test_a_timed_task_keeps_its_wall_time(day: str, instants: list[str]) -> None:
    due = due_on(day, "09:00", "Europe/Berlin")
    for expected in instants:
        successor = complete(due, "FREQ=WEEKLY", f"{due.date}T20:00:00Z")
        assert successor is not None
        due = successor.due
        assert due.time == time_of_day(9)
        assert due.at is not None
        assert due.at.isoformat() == expected


@pytest.mark.scenario("S007-AC-3")
def test_a_skipped_time_moves_forward_that_day_only() -> None:
    due = due_on("2027-03-27", "02:30", "Europe/Berlin")
    instants: list[str] = []
    for _ in range(2):
        successor = complete(due, "FREQ=DAILY", f"{due.date}T12:00:00Z")
        assert successor is not None
        due = successor.due
        instants.append(f"{due.date} {due.time:%H:%M} {due.at:%H:%M}")

    assert instants == ["2027-03-28 02:30 01:30", "2027-03-29 02:30 00:30"]
    assert instant(date(2027, 3, 28), "02:30", "Europe/Berlin") is None


@pytest.mark.scenario("S007-AC-3")
def test_a_repeated_time_is_the_first_of_both() -> None:
    due = due_on("2027-10-30", "02:30", "Europe/Berlin")

    successor = complete(due, "FREQ=DAILY", "2027-10-30T12:00:00Z")

    assert successor is not None
    assert successor.due.at == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


@pytest.mark.scenario("S007-AC-7")
@pytest.mark.parametrize(
    ("due", "rule", "completed_at"),
    [
        ("2026-11-30", "FREQ=DAILY;COUNT=1", "2026-11-30T12:00:00Z"),
        ("2026-11-30", "FREQ=DAILY;UNTIL=20261130", "2026-11-30T12:00:00Z"),
        ("2026-11-30", "FREQ=DAILY;UNTIL=20261205", "2026-12-05T12:00:00Z"),
        ("2026-11-30", "FREQ=DAILY;UNTIL=20261101", "2026-11-30T12:00:00Z"),
        ("2026-11-30", "FREQ=WEEKLY;UNTIL=20261206", "2026-11-30T12:00:00Z"),
        ("2200-12-31", "FREQ=DAILY", "2026-11-30T12:00:00Z"),
        ("2026-11-30", "FREQ=DAILY;INTERVAL=7;BYDAY=TU", "2026-11-30T12:00:00Z"),
    ],
)
def test_the_last_task_has_no_successor(due: str, rule: str, completed_at: str) -> None:
    assert complete(due_on(due), rule, completed_at) is None


@pytest.mark.scenario("S007-AC-7")
def test_a_count_goes_down_and_until_stays() -> None:
    counted = complete(due_on("2026-11-30"), "FREQ=DAILY;COUNT=3", "2026-12-20T12:00:00Z")
    limited = complete(due_on("2026-11-30"), "FREQ=DAILY;UNTIL=20261201", "2026-11-30T12:00:00Z")

    assert counted is not None
    assert counted.rule.text == "FREQ=DAILY;COUNT=2"
    assert limited is not None
    assert limited.rule.text == "FREQ=DAILY;UNTIL=20261201"


async def test_a_successor_is_planned_in_a_thread() -> None:
    recurrence = Recurrence(parse_rule("FREQ=DAILY"), RecurrenceStart.DUE)
    completed_at = datetime(2026, 11, 30, 12, tzinfo=UTC)
    arguments = (TASK_ID, due_on("2026-11-30"), recurrence, completed_at)

    assert await find_successor(*arguments) == plan_successor(*arguments)


@pytest.mark.parametrize(
    ("subtask", "parent", "following", "expected"),
    [
        ("2026-11-28", "2026-11-30", "2026-12-30", "2026-12-28"),
        ("2026-12-02", "2026-11-30", "2026-12-01", "2026-12-03"),
        ("2026-12-02", "2026-11-30", "2026-11-10", "2026-11-12"),  # completed early
        ("2200-12-31", "2026-11-30", "2026-12-01", None),
        ("1970-01-01", "2026-11-30", "2026-11-29", None),
        ("2200-12-31", "1970-01-01", "2200-12-31", None),
        ("1970-01-01", "2200-12-31", "1970-01-01", None),
    ],
)
def test_a_subtask_moves_by_as_many_days_as_its_parent(
    subtask: str, parent: str, following: str, expected: str | None
) -> None:
    moved = move_subtask_due(
        due_on(subtask, "02:30", "Europe/Berlin"), due_on(parent), due_on(following)
    )

    assert moved == (expected and due_on(expected, "02:30", "Europe/Berlin"))


class ClockChange(NamedTuple):
    """When clocks of a zone go forward or back."""

    zone: str
    instant: datetime
    before: timedelta
    """The offset from UTC until then."""

    after: timedelta


def offset(moment: datetime, zone: str) -> timedelta:
    return cast("timedelta", moment.astimezone(ZoneInfo(zone)).utcoffset())


@pytest.fixture(scope="module")
def clock_changes() -> list[ClockChange]:
    """Return the changes in all zones, until the rules repeat."""
    changes: list[ClockChange] = []
    for zone in sorted(TIME_ZONES):
        early = datetime(2010, 1, 1, tzinfo=UTC)
        while early.year < 2029:
            late = early + 3 * WEEK
            if offset(early, zone) != offset(late, zone):
                changes.append(clock_change(early, late, zone))
            early = late
    return changes


def clock_change(early: datetime, late: datetime, zone: str) -> ClockChange:
    before = offset(early, zone)
    while late - early > MINUTE:
        middle = early + (late - early) // MINUTE // 2 * MINUTE
        if offset(middle, zone) == before:
            early = middle
        else:
            late = middle
    return ClockChange(zone, late, before, offset(late, zone))


def test_a_wall_time_stays_in_every_zone_at_every_clock_change(
    clock_changes: list[ClockChange],
) -> None:
    weekly = Recurrence(parse_rule("FREQ=WEEKLY"), RecurrenceStart.DUE)
    skipped = repeated = 0
    for change in clock_changes:
        low, high = sorted([change.before, change.after])
        # A local time that clocks skip or repeat: the offset before the change counts for both.
        local_time = (change.instant + (low + high) / 2).replace(tzinfo=None, second=0)
        due = DueDate(local_time.date() - WEEK, local_time.time(), change.zone)
        completed_at = change.instant - WEEK - DAY

        successor = plan_successor(TASK_ID, due, weekly, completed_at)

        assert successor is not None, change
        assert successor.due == DueDate(local_time.date(), local_time.time(), change.zone)
        at = successor.due.at
        assert at is not None
        assert at == (local_time - change.before).replace(tzinfo=UTC), change
        shown_time = at.astimezone(ZoneInfo(change.zone)).replace(tzinfo=None)
        if change.before < change.after:
            skipped += 1
            assert shown_time == local_time + (change.after - change.before), change
        else:
            repeated += 1
            assert shown_time == local_time, change
    assert skipped > 3_000
    assert repeated > 3_000


def test_a_day_ends_when_the_calendar_shows_a_later_one(clock_changes: list[ClockChange]) -> None:
    for zone, moment, _, _ in clock_changes:
        for completed_at in (moment - 5 * HOUR, moment - SECOND, moment, moment + 5 * HOUR):
            day = completion_day(completed_at, zone)

            end = day_ends_at(completed_at, zone)

            assert completed_at < end <= completed_at + 26 * HOUR, (zone, completed_at)
            assert completion_day(end, zone) > day, (zone, completed_at)
            assert completion_day(end - SECOND, zone) <= day, (zone, completed_at)


@pytest.mark.parametrize(
    ("completed_at", "zone", "end"),
    [
        ("2026-11-30T12:00:00+00:00", None, "2026-12-01T00:00:00+00:00"),
        ("2026-11-30T00:00:00+00:00", None, "2026-12-01T00:00:00+00:00"),
        ("2026-11-30T23:59:59+00:00", "Europe/Berlin", "2026-12-01T23:00:00+00:00"),
        # Midnight itself is skipped in Beirut, and all of 30 December 2011 in Apia.
        ("2027-03-27T12:00:00+00:00", "Asia/Beirut", "2027-03-27T22:00:00+00:00"),
        ("2011-12-29T12:00:00+00:00", "Pacific/Apia", "2011-12-30T10:00:00+00:00"),
        # One minute after midnight in St John's, clocks went back to 23:01.
        ("2010-11-07T02:00:00+00:00", "America/St_Johns", "2010-11-07T02:30:00+00:00"),
        ("2010-11-07T03:00:00+00:00", "America/St_Johns", "2010-11-07T03:30:00+00:00"),
    ],
)
def test_the_end_of_a_day_is_an_instant(completed_at: str, zone: str | None, end: str) -> None:
    assert day_ends_at(datetime.fromisoformat(completed_at), zone).isoformat() == end


def test_a_time_that_exists_does_not_move() -> None:
    day = date(2027, 3, 28)

    assert moved_instant(day, time_of_day(1, 59), "Europe/Berlin") == instant(
        day, "01:59", "Europe/Berlin"
    )
    assert moved_instant(day, time_of_day(3), "Europe/Berlin") == instant(
        day, "03:00", "Europe/Berlin"
    )
