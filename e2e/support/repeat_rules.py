"""Rules that the repeat picker of the app can make, with the dates that python-dateutil computes.

Computed without the code of the service: a second opinion on what the app shows before the server
has been asked.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import combinations
from random import Random
from typing import Final

from dateutil.rrule import rrulestr

WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

LEAP_YEAR: Final = 2028

DATES_MAX: Final = 3
"""How many dates the app shows."""

DAYS_LATE_MAX: Final = 400
"""Early as well."""

FIRST_DAY: Final = date(2026, 1, 1)

DAYS: Final = 10 * 365
"""In how many days tasks of the sample are due."""

LAST_DAY: Final = date(2200, 12, 31)


def sample_occurrences() -> list[dict[str, object]]:
    """Return each rule with random dates: completed early, in time or late, counted from both."""
    random = Random(5545)  # noqa: S311 - the same sequence in every run
    sample: list[dict[str, object]] = []
    for rule in _rules():
        due = FIRST_DAY + timedelta(days=random.randrange(DAYS))
        for days_late in (0, random.randrange(-DAYS_LATE_MAX, DAYS_LATE_MAX)):
            today = due + timedelta(days=days_late)
            start = random.choice(("due", "completion"))
            if start == "due":
                dates = _next_dates(rule, due, max(due, today))
            else:
                dates = _next_dates(rule, today, today)
            sample.append(
                {
                    "rule": rule,
                    "from": start,
                    "due": due.isoformat(),
                    "today": today.isoformat(),
                    "dates": [day.isoformat() for day in dates],
                }
            )
    return sample


def _next_dates(rule: str, start: date, after: date) -> list[date]:
    dates: list[date] = []
    while len(dates) < DATES_MAX:
        occurrences = rrulestr(rule, dtstart=_midnight(start))
        instant = occurrences.after(_midnight(after))
        if instant is None or instant.date() > LAST_DAY:
            break
        # Each task starts anew from its own due date.
        start = after = instant.date()
        dates.append(start)
    return dates


def _rules() -> Iterator[str]:
    for frequency in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY"):
        for interval in (1, 2, 3, 7, 12, 30, 999):
            yield f"FREQ={frequency};INTERVAL={interval}"
    for interval in (1, 2, 5):
        yield from _rules_by_day(f"INTERVAL={interval}")


def _rules_by_day(interval: str) -> Iterator[str]:
    for count in range(1, len(WEEKDAYS) + 1):
        for days in combinations(WEEKDAYS, count):
            yield f"FREQ=WEEKLY;{interval};BYDAY={','.join(days)}"
    for day in (*range(1, 32), -1):
        yield f"FREQ=MONTHLY;{interval};BYMONTHDAY={day}"
    for ordinal in (1, 2, 3, 4, 5, -1):
        for weekday in WEEKDAYS:
            yield f"FREQ=MONTHLY;{interval};BYDAY={ordinal}{weekday}"
    for number in range(366):
        day = date(LEAP_YEAR, 1, 1) + timedelta(days=number)
        yield f"FREQ=YEARLY;{interval};BYMONTHDAY={day.day};BYMONTH={day.month}"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())
