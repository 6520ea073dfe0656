"""Due dates: requests, responses, and changes of clocks."""

from calendar import isleap
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import cast
from uuid import uuid4
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devkit.testing.auth_headers import ClientFactory
from tasks.task.due import TIME_ZONES, instant

from ..support.helpers import IF_ABSENT, create_task, json_object, problem_code

ALL_DAY = {"date": "2126-11-30", "time": None, "time_zone": None, "at": None}

NO_DAYS = (
    None,
    5,
    "30.11.2026",
    "2026-02-30",
    "2100-02-29",
    "2126-11-30T00:00:00",
    "20261130",
    "٢٠٢٦-11-30",
    "",
)
NO_CLOCKS = ("24:00", "8:30", "08:30:00", "", 8)
UNREADABLE: list[dict[str, object]] = [
    *({"date": day} for day in NO_DAYS),
    *({"date": "2126-11-30", "time": time_of_day, "time_zone": "UTC"} for time_of_day in NO_CLOCKS),
]

BROKEN: list[tuple[dict[str, object], str]] = [
    ({}, "missing"),
    ({"date": "1969-12-31"}, "date-out-of-range"),
    ({"date": "2201-01-01"}, "date-out-of-range"),
    ({"date": "2126-11-30", "time": "08:30"}, "incomplete-time"),
    ({"date": "2126-11-30", "time_zone": "UTC"}, "incomplete-time"),
    ({"date": "2126-11-30", "time": "08:30", "time_zone": None}, "incomplete-time"),
    ({"date": "2126-11-30", "time": "08:30", "time_zone": "Mars/Base"}, "unknown-time-zone"),
    ({"date": "2126-11-30", "time": "08:30", "time_zone": "europe/berlin"}, "unknown-time-zone"),
    ({"date": "2126-11-30", "time": "08:30", "time_zone": "Factory"}, "unknown-time-zone"),
    ({"date": "2026-03-29", "time": "02:30", "time_zone": "Europe/Berlin"}, "skipped-time"),
    ({"date": "2011-12-30", "time": "12:00", "time_zone": "Pacific/Apia"}, "skipped-time"),
    ({"date": "2126-11-30", "when": "now"}, "extra-forbidden"),
]


@pytest.mark.scenario("S006-FR-003", "S006-SC-004")
@pytest.mark.parametrize("due", [5, "2126-11-30", [], *UNREADABLE], ids=str)
async def test_an_unreadable_due_date_is_400(as_user: ClientFactory, due: object) -> None:
    owner = as_user("owner")

    assert (await owner.post("/tasks", json={"title": "x", "due": due})).status_code == 400
    assert (await owner.get("/tasks")).json() == []


@pytest.mark.scenario("S006-FR-003", "S006-SC-004")
@pytest.mark.parametrize(("due", "code"), BROKEN, ids=str)
async def test_a_due_date_that_breaks_a_rule_is_422(
    as_user: ClientFactory, due: object, code: str
) -> None:
    assert problem_code(await as_user("owner").post("/tasks", json={"title": "x", "due": due})) == (
        422,
        code,
    )


@pytest.mark.parametrize("day", ["1970-01-01", "2024-02-29", "2200-12-31"])
@pytest.mark.parametrize("time_of_day", [None, "00:00", "23:59"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"])
async def test_a_due_date_comes_back_as_it_was_sent(
    as_user: ClientFactory, day: str, time_of_day: str | None, zone: str
) -> None:
    due = {"date": day, "time": time_of_day, "time_zone": time_of_day and zone}
    owner = as_user("owner")

    task = await create_task(owner, due={**due, "at": "ignored"})

    instant_utc = time_of_day and instant(date.fromisoformat(day), time_of_day, zone)
    at = instant_utc and f"{instant_utc:%Y-%m-%dT%H:%M:%S.%fZ}"
    assert task["due"] == {**due, "at": at}
    assert (
        (await owner.get(f"/tasks/{task['id']}")).json()
        == task
        == (await owner.get("/tasks")).json()[0]
    )


async def test_a_repeated_time_is_the_first_one(as_user: ClientFactory) -> None:
    due = {"date": "2026-10-25", "time": "02:30", "time_zone": "Europe/Berlin"}

    task = await create_task(as_user("owner"), due=due)

    assert task["due"] == {**due, "at": "2026-10-25T00:30:00.000000Z"}


@pytest.mark.scenario("S006-AC-1")
async def test_an_all_day_task_keeps_its_date_in_every_time_zone(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    task = await create_task(owner, due={"date": "2126-11-30"})

    for zone in ("Pacific/Pago_Pago", "Pacific/Kiritimati"):
        [listed] = (
            await owner.get("/tasks", params={"overdue": "false", "time_zone": zone, "sort": "due"})
        ).json()
        assert listed["due"] == task["due"] == ALL_DAY


@pytest.mark.scenario("S006-AC-2")
@pytest.mark.parametrize("day", ["2027-03-27", "2027-03-28", "2027-03-29", "2027-10-31"])
async def test_a_timed_task_survives_a_change_of_clocks(as_user: ClientFactory, day: str) -> None:
    owner, due = as_user("owner"), {"date": day, "time": "09:00", "time_zone": "Europe/Berlin"}
    task = await create_task(owner, due=due)

    assert (await owner.get(f"/tasks/{task['id']}")).json()["due"] | {"at": None} == due | {
        "at": None
    }
    echoed = await json_object(await owner.put(f"/tasks/{task['id']}", json=task))
    assert echoed == task


async def test_a_change_replaces_the_due_date_as_a_whole(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task = await create_task(owner, due={"date": "2126-11-30", "time": "08:30", "time_zone": "UTC"})
    url = f"/tasks/{task['id']}"

    assert (await owner.patch(url, json={"due": {"date": "2126-11-30"}})).json()["due"] == ALL_DAY
    assert (await owner.patch(url, json={"title": "New"})).json()["due"] == ALL_DAY
    assert (await owner.patch(url, json={"due": None})).json()["due"] is None


@pytest.mark.parametrize("body", [{"is_completed": True}, {"title": "New"}])
async def test_completing_never_touches_the_due_date(
    as_user: ClientFactory, body: dict[str, object]
) -> None:
    owner = as_user("owner")
    task = await create_task(owner, due={"date": "2126-11-30"}, priority="high")

    changed = (await owner.patch(f"/tasks/{task['id']}", json=body)).json()

    assert (changed["due"], changed["priority"]) == (ALL_DAY, "high")


@pytest.mark.parametrize(
    ("sent", "status", "code"), [("urgent", 422, "unknown-word"), (2, 400, ""), (None, 400, "")]
)
async def test_a_priority_is_one_of_four_words(
    as_user: ClientFactory, sent: object, status: int, code: str
) -> None:
    owner = as_user("owner")
    response = await owner.post("/tasks", json={"title": "x", "priority": sent})

    assert response.status_code == status
    assert not code or problem_code(response) == (422, code)
    for word in ("none", "low", "medium", "high"):
        assert (await owner.patch(f"/tasks/{uuid4()}", json={"priority": word})).status_code == 404


async def test_a_task_with_a_client_id_has_its_planning_fields(as_user: ClientFactory) -> None:
    body = {"title": "x", "due": {"date": "2126-11-30"}, "priority": "low", "labels": ["b", "A"]}

    task = await json_object(
        await as_user("owner").put(f"/tasks/{uuid4()}", json=body, headers=IF_ABSENT), 201
    )

    assert (task["due"], task["priority"], task["labels"]) == (ALL_DAY, "low", ["A", "b"])


ZONES = sorted(available_timezones() - {"Factory", "localtime"})
SECOND, MINUTE, WEEKS = timedelta(seconds=1), timedelta(minutes=1), timedelta(weeks=3)

leap_days = st.sampled_from([date(year, 2, 29) for year in range(1972, 2200, 4) if isleap(year)])
days = st.dates(date(1970, 1, 1), date(2200, 12, 31)) | leap_days
clocks = st.times().map("{:%H:%M}".format)


def test_every_zone_of_the_time_zone_database_counts() -> None:
    assert sorted(TIME_ZONES) == ZONES


@settings(max_examples=500)
@given(days, clocks, st.sampled_from(ZONES))
def test_an_instant_has_the_requested_local_time(day: date, time_of_day: str, zone: str) -> None:
    instant_utc = instant(day, time_of_day, zone)

    if instant_utc is not None:
        local_time = instant_utc.astimezone(ZoneInfo(zone))
        assert (local_time.date(), f"{local_time:%H:%M}", local_time.fold) == (day, time_of_day, 0)
    else:
        noon = datetime.combine(day, time(12), UTC)
        assert _offset(noon - timedelta(days=2), zone) < _offset(noon + timedelta(days=2), zone)


def test_every_clock_change_skips_or_repeats_times() -> None:
    skipped = repeated = 0
    for zone in ZONES:
        for instant_utc in _changes(zone):
            before, after = _offset(instant_utc - SECOND, zone), _offset(instant_utc, zone)
            low, high = (
                _whole_minute(instant_utc.replace(tzinfo=None) + each)
                for each in sorted([before, after])
            )
            middle = _whole_minute(low + (high - low) // 2)
            skipped, repeated = skipped + (before < after), repeated + (before > after)
            assert _instant(low - MINUTE, zone) == low - MINUTE - before
            assert _instant(high, zone) == high - after
            for local_time in (low, middle, high - MINUTE):
                assert _instant(local_time, zone) == (
                    None if before < after else local_time - before
                ), (
                    zone,
                    local_time,
                )
    assert skipped > repeated > 10_000


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Pacific/Kwajalein", date(1993, 8, 21)),
        ("Pacific/Kiritimati", date(1994, 12, 31)),
        ("Pacific/Apia", date(2011, 12, 30)),
        ("Pacific/Fakaofo", date(2011, 12, 30)),
    ],
)
def test_a_day_skipped_at_the_date_line_has_no_times(zone: str, day: date) -> None:
    yesterday, tomorrow = day - timedelta(days=1), day + timedelta(days=1)
    last, first = instant(yesterday, "23:59", zone), instant(tomorrow, "00:00", zone)

    assert {
        instant(day, f"{hour:02}:{minute:02}", zone) for hour in range(24) for minute in range(60)
    } == {None}
    assert last is not None
    assert first == last + MINUTE


def _changes(zone: str) -> Iterator[datetime]:
    """Yield the clock changes of a zone, from 1970 until the rules repeat."""
    early = datetime(1970, 1, 1, tzinfo=UTC)
    before = _offset(early, zone)
    while early.year < 2040:
        late = early + WEEKS
        after = _offset(late, zone)
        if before != after:
            yield _change(early, late, zone)
        early, before = late, after


def _change(early: datetime, late: datetime, zone: str) -> datetime:
    """Return the second of the clock change between two instants, by bisection."""
    while late - early > SECOND:
        middle = early + (late - early) // SECOND // 2 * SECOND
        early, late = (
            (middle, late) if _offset(early, zone) == _offset(middle, zone) else (early, middle)
        )
    return late


def _offset(instant_utc: datetime, zone: str) -> timedelta:
    """Return the UTC offset at an instant, which is never ambiguous."""
    return cast("timedelta", instant_utc.astimezone(ZoneInfo(zone)).utcoffset())


def _whole_minute(local_time: datetime) -> datetime:
    """Round up to a minute: the offset of Monrovia had seconds until 1972."""
    return local_time + timedelta(seconds=-local_time.second % 60)


def _instant(local_time: datetime, zone: str) -> datetime | None:
    instant_utc = instant(local_time.date(), f"{local_time:%H:%M}", zone)
    return instant_utc and instant_utc.replace(tzinfo=None)


async def test_the_time_comes_back_even_if_the_database_has_other_rules(
    as_user: ClientFactory,
) -> None:
    due = {"date": "2199-07-15", "time": "09:00", "time_zone": "Africa/Casablanca"}

    assert (await create_task(as_user("owner"), due=due))["due"] == {
        **due,
        "at": "2199-07-15T08:00:00.000000Z",
    }
