"""The dates of a rule, as python-dateutil computes them from a start.

python-dateutil searches until the year 9999 for a date that does not come, whatever `UNTIL` says:
2.7 s for a 30 February with FREQ=DAILY. The Gregorian calendar repeats every 400 years, weekdays
included, so the search happens 7,600 years later, where less than 430 years are left.

What still takes long (about 150 ms) runs in a thread. `COUNT` is no part of the computation.
"""

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Final, Literal, TypeVar, TypeVarTuple

from dateutil import rrule

from tasks.task.due import LAST_YEAR
from tasks.task.recurrence.rule import Frequency, RecurrenceRule, Weekday

_Arguments = TypeVarTuple("_Arguments")
_Result = TypeVar("_Result")

_LAST_DAY: Final = date(LAST_YEAR, 12, 31)

_YEARS_AHEAD: Final = 40
"""How soon a new rule must have its first date."""

_CALENDAR_CYCLE: Final = timedelta(days=146_097)
"""400 years, a whole number of weeks."""

_SHIFT: Final = 19 * _CALENDAR_CYCLE
"""As late as it can be: 40 years after the year 2200 it is still before the year 9999."""

_FREQUENCIES: Final[dict[Frequency, Literal[0, 1, 2, 3]]] = {
    Frequency.DAILY: rrule.DAILY,
    Frequency.WEEKLY: rrule.WEEKLY,
    Frequency.MONTHLY: rrule.MONTHLY,
    Frequency.YEARLY: rrule.YEARLY,
}

_ALL_WEEKDAYS: Final = tuple(Weekday(0, weekday) for weekday in range(7))

_PERIOD_DAYS: Final = {Frequency.DAILY: 1, Frequency.WEEKLY: 7}
"""The frequencies whose periods have equal lengths."""

_SWITCH_SECONDS: Final = 0.001
"""How long a thread computes before another one goes on; Python's default is 5 ms."""

_THREAD: Final = ThreadPoolExecutor(
    max_workers=1,
    thread_name_prefix="recurrence",
    initializer=partial(sys.setswitchinterval, _SWITCH_SECONDS),
)
"""One thread: with each thread more, the event loop waits longer for its turn."""


def next_occurrence(rule: RecurrenceRule, start: date, after: date) -> date | None:
    """Return the first date after `after`; None past `UNTIL` and past the year 2200."""
    day = _first_after(rule, start, after)
    if day is None or day > _LAST_DAY or _is_over(rule, day):
        return None
    return day


def occurs_within_40_years(rule: RecurrenceRule, due: date) -> bool:
    """Whether the rule has a date from the due date on, within 40 years and up to `UNTIL`."""
    day = _first_after(rule, due, due - timedelta(days=1))
    if day is None or _is_over(rule, day):
        return False
    # As tuples: 40 years after 29 February 2060 there is no such day.
    horizon = (due.year + _YEARS_AHEAD, due.month, due.day)
    return (day.year, day.month, day.day) <= horizon


async def will_occur_within_40_years(rule: RecurrenceRule, due: date) -> bool:
    """Do as `occurs_within_40_years`, in a thread."""
    return await in_thread(occurs_within_40_years, rule, due)


async def in_thread(function: Callable[[*_Arguments], _Result], *arguments: *_Arguments) -> _Result:
    """Call a function of this package where it does not hold the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_THREAD, function, *arguments)


def _is_over(rule: RecurrenceRule, day: date) -> bool:
    return rule.until is not None and rule.until < day


def _first_after(rule: RecurrenceRule, start: date, after: date) -> date | None:
    frequency = rule.frequency
    days = rule.days
    if frequency is Frequency.DAILY and rule.interval == 1:
        # The days of all years that pass the other parts: the same dates, in a twentieth of the
        # time. With a day of the week, YEARLY takes neither day nor month from the start.
        frequency = Frequency.YEARLY
        days = days or _ALL_WEEKDAYS
    dates = rrule.rrule(
        _FREQUENCIES[frequency],
        dtstart=_midnight(_near_start(rule, start, after) + _SHIFT),
        interval=rule.interval,
        wkst=rule.week_start,
        byweekday=[rrule.weekday(day.weekday, day.ordinal or None) for day in days] or None,
        bymonthday=rule.month_days or None,
        bymonth=rule.months or None,
        bysetpos=rule.set_positions or None,
    )
    try:
        day = dates.after(_midnight(after + _SHIFT))
    except ValueError:
        # The week of 31 December 9999 ends in a year that Python does not have: no date before.
        return None
    if day is None:
        return None
    return day.date() - _SHIFT


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def _near_start(rule: RecurrenceRule, start: date, after: date) -> date:
    """Return a later start with the same dates after `after`.

    It keeps the day of the week and is whole intervals later. A daily rule of 1970 would take
    20,000 steps to today; there are no more than 3,000 months.
    """
    period_days = _PERIOD_DAYS.get(rule.frequency)
    if period_days is None or after <= start:
        return start
    interval = timedelta(days=period_days * rule.interval)
    return start + (after - start) // interval * interval
