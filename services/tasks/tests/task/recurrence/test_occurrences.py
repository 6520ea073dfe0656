"""Dates of rules: month ends, leap years, limits, and rules that never match."""

import asyncio
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice

import pytest

from tasks.task.recurrence.occurrences import (
    in_thread,
    next_occurrence,
    occurs_within_40_years,
    will_occur_within_40_years,
)
from tasks.task.recurrence.rule import parse_rule

DAY = timedelta(days=1)


def dates(rule: str, start: str) -> Iterator[date]:
    """Yield the dates from the start on, which is one of them if the rule says so."""
    first = date.fromisoformat(start)
    day = next_occurrence(parse_rule(rule), first, first - DAY)
    while day is not None:
        yield day
        day = next_occurrence(parse_rule(rule), first, day)


def assert_dates(rule: str, start: str, expected: str) -> None:
    days = [date.fromisoformat(text) for text in expected.split()]
    assert list(islice(dates(rule, start), len(days))) == days


@pytest.mark.scenario("S007-AC-1")
@pytest.mark.parametrize(
    ("rule", "start", "expected"),
    [
        ("FREQ=MONTHLY", "2026-01-31", "2026-01-31 2026-03-31 2026-05-31 2026-07-31 2026-08-31"),
        ("FREQ=MONTHLY", "2027-12-30", "2027-12-30 2028-01-30 2028-03-30 2028-04-30"),
        ("FREQ=MONTHLY", "2027-12-29", "2027-12-29 2028-01-29 2028-02-29 2028-03-29"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2027-12-31", "2027-12-31 2028-01-31 2028-02-29 2028-03-31"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2100-01-31", "2100-01-31 2100-02-28 2100-03-31"),
        ("FREQ=MONTHLY;BYMONTHDAY=-30", "2028-01-02", "2028-01-02 2028-03-02 2028-04-01"),
        ("FREQ=YEARLY", "2088-02-29", "2088-02-29 2092-02-29 2096-02-29 2104-02-29"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", "2099-01-01", "2099-02-28 2100-02-28 2101-02-28"),
    ],
)
def test_days_that_do_not_exist_are_skipped(rule: str, start: str, expected: str) -> None:
    assert_dates(rule, start, expected)


@pytest.mark.scenario("S007-AC-2")
@pytest.mark.parametrize(
    ("rule", "start", "expected"),
    [
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", "2026-12-01", "2026-12-01 2026-12-15 2026-12-29"),
        ("FREQ=MONTHLY;BYDAY=1MO", "2026-11-30", "2026-12-07 2027-01-04 2027-02-01 2027-03-01"),
        (
            "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
            "2026-12-03",
            "2026-12-03 2026-12-04 2026-12-07 2026-12-08 2026-12-09 2026-12-10",
        ),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "2026-12-04", "2026-12-04 2026-12-07 2026-12-08"),
    ],
)
def test_weeks_and_weekdays(rule: str, start: str, expected: str) -> None:
    assert_dates(rule, start, expected)


@pytest.mark.scenario("S007-AC-7")
def test_until_is_the_last_day() -> None:
    assert list(dates("FREQ=DAILY;UNTIL=20261202", "2026-11-30")) == [
        date(2026, 11, 30),
        date(2026, 12, 1),
        date(2026, 12, 2),
    ]


def test_a_count_is_no_part_of_the_computation() -> None:
    rule = parse_rule("FREQ=DAILY;COUNT=1")

    assert next_occurrence(rule, date(1970, 1, 1), date(2026, 11, 30)) == date(2026, 12, 1)


def test_there_is_no_date_after_the_year_2200() -> None:
    daily = parse_rule("FREQ=DAILY")

    assert next_occurrence(daily, date(1970, 1, 1), date(2200, 12, 30)) == date(2200, 12, 31)
    assert next_occurrence(daily, date(1970, 1, 1), date(2200, 12, 31)) is None
    assert next_occurrence(parse_rule("FREQ=YEARLY"), date(2200, 3, 1), date(2200, 3, 1)) is None


@pytest.mark.parametrize(
    ("rule", "due", "occurs"),
    [
        ("FREQ=DAILY", "2026-11-30", True),
        ("FREQ=DAILY;UNTIL=20261130", "2026-11-30", True),
        ("FREQ=DAILY;UNTIL=20261129", "2026-11-30", False),
        ("FREQ=WEEKLY;BYDAY=TU;UNTIL=20261201", "2026-11-30", True),
        ("FREQ=WEEKLY;BYDAY=WE;UNTIL=20261201", "2026-11-30", False),
        ("FREQ=YEARLY;INTERVAL=20;BYMONTH=11;BYMONTHDAY=29", "2026-11-30", True),
        ("FREQ=YEARLY;INTERVAL=41;BYMONTH=11;BYMONTHDAY=29", "2026-11-30", False),
        # The first date is 30 November 2066, a Tuesday.
        ("FREQ=YEARLY;INTERVAL=40;BYDAY=TU;BYMONTHDAY=30;BYMONTH=11", "2026-11-30", True),
        ("FREQ=YEARLY;INTERVAL=40;BYDAY=TU;BYMONTHDAY=30;BYMONTH=11", "2026-11-29", False),
        # The first dates are 28 February and 1 March 2100, which is no leap year.
        ("FREQ=YEARLY;INTERVAL=40;BYMONTHDAY=28;BYMONTH=2", "2060-02-29", True),
        ("FREQ=DAILY;INTERVAL=974;BYMONTHDAY=1;BYMONTH=3", "2060-02-29", False),
        ("FREQ=DAILY;INTERVAL=999", "2200-12-31", True),
        ("FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1", "2200-12-31", True),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2026-11-30", False),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=TU", "2026-11-30", False),
        ("FREQ=MONTHLY;INTERVAL=12;BYMONTH=2", "2026-11-30", False),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6", "2026-11-30", False),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=5", "2026-11-30", True),
    ],
)
def test_a_rule_needs_a_date_within_40_years(rule: str, due: str, occurs: bool) -> None:  # noqa: FBT001
    assert occurs_within_40_years(parse_rule(rule), date.fromisoformat(due)) is occurs


HOSTILE = [
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=999",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30,31;BYDAY=MO,TU,WE,TH,FR,SA,SU;UNTIL=99991231",
    "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
    "FREQ=DAILY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30;BYSETPOS=" + ",".join(map(str, range(1, 54))),
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;BYSETPOS=" + ",".join(map(str, range(1, 54))),
    "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYMONTH=1,2,3;BYSETPOS="
    + ",".join(map(str, range(301, 334))),
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=" + ",".join(map(str, range(301, 337))),
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("start", [date(1970, 1, 1), date(2026, 11, 30), date(2200, 12, 31)])
def test_a_rule_that_never_matches_is_answered_soon(text: str, start: date) -> None:
    rule = parse_rule(text)
    started = time.thread_time()

    occurs = occurs_within_40_years(rule, start)

    assert time.thread_time() - started < 0.6
    assert not occurs


def test_a_30_february_of_a_daily_rule_takes_no_longer_than_others() -> None:
    rule = parse_rule(HOSTILE[0])
    started = time.thread_time()

    for _ in range(5):
        occurs_within_40_years(rule, date(2026, 11, 30))

    assert time.thread_time() - started < 0.25


@pytest.mark.parametrize("text", ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU"])
def test_a_start_long_ago_takes_no_steps_to_today(text: str) -> None:
    rule = parse_rule(text)
    started = time.thread_time()

    for _ in range(20):
        next_occurrence(rule, date(1970, 1, 1), date(2200, 12, 30))

    assert time.thread_time() - started < 0.1


@pytest.mark.parametrize("intervals", range(11, 20))
def test_a_search_may_end_in_the_week_of_the_last_day_of_python(intervals: int) -> None:
    """The first date would be 1 January 10000, where python-dateutil fails."""
    rule = parse_rule("FREQ=WEEKLY;INTERVAL=999;BYDAY=SA;BYMONTH=1")
    shift = 19 * timedelta(days=146_097)
    start = date(9999, 12, 27) - intervals * timedelta(weeks=999) - shift

    assert next_occurrence(rule, start, start) is None


def test_the_calendar_of_the_search_has_the_same_weekdays_and_leap_years() -> None:
    shift = 19 * timedelta(days=146_097)
    for day in (date(1970, 1, 1), date(2000, 2, 29), date(2100, 2, 28), date(2240, 12, 31)):
        shifted = day + shift
        assert (shifted.year, shifted.month, shifted.day) == (day.year + 7600, day.month, day.day)
        assert shifted.weekday() == day.weekday()


async def test_the_event_loop_goes_on_while_two_rules_are_computed() -> None:
    rules = [parse_rule(HOSTILE[4]), parse_rule(HOSTILE[5])]
    ticks = 0
    due = date(2026, 11, 30)
    results = asyncio.gather(*(will_occur_within_40_years(rule, due) for rule in rules))

    while not results.done():
        await asyncio.sleep(0.001)
        ticks += 1

    assert await results == [False, False]
    assert ticks > 10
    assert sys.getswitchinterval() == pytest.approx(0.001)


async def test_one_thread_computes_all_rules() -> None:
    threads = await asyncio.gather(*(in_thread(threading.get_ident) for _ in range(5)))

    assert len(set(threads)) == 1
    assert threads[0] != threading.get_ident()
