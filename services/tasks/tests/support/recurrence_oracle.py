"""A second implementation of recurrence: it looks at every day, as RFC 5545, 3.3.10, describes it.

It shares no code with the service, and does not use python-dateutil.
"""

from calendar import isleap, monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from hypothesis import strategies as st

WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Parts:
    """The parts of a rule, as they were drawn and before they are written."""

    frequency: str
    interval: int
    days: list[tuple[int, int]]
    """Ordinals, 0 for none, and weekdays."""

    month_days: list[int]
    months: list[int]
    set_positions: list[int]
    week_start: int


def dates_from(parts: Parts, start: date, end: date) -> Iterator[date]:
    """Yield the dates of a rule from its start until `end`."""
    day = start
    while day <= end:
        if _is_occurrence(parts, start, day):
            yield day
        day += DAY


def _is_occurrence(parts: Parts, start: date, day: date) -> bool:
    periods = _period(parts, day) - _period(parts, start)
    if periods % parts.interval != 0 or not _is_candidate(parts, start, day):
        return False
    if not parts.set_positions:
        return True
    candidates = [each for each in _period_days(parts, day) if _is_candidate(parts, start, each)]
    place = candidates.index(day)
    return place + 1 in parts.set_positions or place - len(candidates) in parts.set_positions


def _period(parts: Parts, day: date) -> int:
    if parts.frequency == "YEARLY":
        return day.year
    if parts.frequency == "MONTHLY":
        return day.year * 12 + day.month
    if parts.frequency == "WEEKLY":
        first_day = day.toordinal() - (day.weekday() - parts.week_start) % 7
        return first_day // 7
    return day.toordinal()


def _period_days(parts: Parts, day: date) -> list[date]:
    first, last = date(day.year, 1, 1), date(day.year, 12, 31)
    if parts.frequency == "MONTHLY":
        first = day.replace(day=1)
        last = day.replace(day=monthrange(day.year, day.month)[1])
    return [first + number * DAY for number in range((last - first).days + 1)]


def _is_candidate(parts: Parts, start: date, day: date) -> bool:
    """Whether a day passes all parts but BYSETPOS; what is not given comes from the start."""
    months, month_days, days = parts.months, parts.month_days, parts.days
    if not days and not month_days and parts.frequency == "WEEKLY":
        days = [(0, start.weekday())]
    if not days and not month_days and parts.frequency in ("MONTHLY", "YEARLY"):
        month_days = [start.day]
        if parts.frequency == "YEARLY" and not months:
            months = [start.month]
    if months and day.month not in months:
        return False
    month_length = monthrange(day.year, day.month)[1]
    if month_days and day.day not in month_days and day.day - month_length - 1 not in month_days:
        return False
    return not days or any(_is_weekday(parts, ordinal, weekday, day) for ordinal, weekday in days)


def _is_weekday(parts: Parts, ordinal: int, weekday: int, day: date) -> bool:
    if day.weekday() != weekday:
        return False
    if ordinal == 0:
        return True
    place, length = day.day, monthrange(day.year, day.month)[1]
    if parts.frequency == "YEARLY" and not parts.months:
        place, length = day.timetuple().tm_yday, 365 + isleap(day.year)
    if ordinal > 0:
        return (place - 1) // 7 + 1 == ordinal
    return (length - place) // 7 + 1 == -ordinal


def _signed(largest: int) -> st.SearchStrategy[int]:
    numbers = st.integers(1, largest)
    return numbers | numbers.map(lambda number: -number)


@st.composite
def rule_parts(draw: st.DrawFn) -> Parts:
    """Draw the parts of a valid rule."""
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    is_long = frequency in ("MONTHLY", "YEARLY")
    ordinals = st.just(0)
    if is_long and draw(st.booleans()):
        ordinals = _signed(5)
    days = draw(st.lists(st.tuples(ordinals, st.integers(0, 6)), max_size=4))
    month_days: list[int] = []
    if frequency != "WEEKLY":
        month_days = draw(st.lists(_signed(31), max_size=4))
    months = draw(st.lists(st.integers(1, 12), max_size=3))
    set_positions: list[int] = []
    if is_long and (days or month_days or months):
        set_positions = draw(st.lists(_signed(4) | _signed(366), max_size=3))
    return Parts(
        frequency,
        interval=draw(st.integers(1, 4) | st.integers(1, 999)),
        days=days,
        month_days=month_days,
        months=months,
        set_positions=set_positions,
        week_start=draw(st.integers(0, 6)),
    )


@st.composite
def spellings(draw: st.DrawFn, parts: Parts) -> str:
    """Draw one of the ways to write a rule: parts in any order and case, with signs and zeros."""
    written = [f"FREQ={parts.frequency}", f"WKST={WEEKDAYS[parts.week_start]}"]
    if parts.interval != 1 or draw(st.booleans()):
        written.append("INTERVAL=" + draw(_numbers(parts.interval)))
    lists = {
        "BYDAY": [draw(_days(ordinal, weekday)) for ordinal, weekday in parts.days],
        "BYMONTHDAY": [draw(_signed_numbers(day)) for day in parts.month_days],
        "BYMONTH": [draw(_numbers(month)) for month in parts.months],
        "BYSETPOS": [draw(_signed_numbers(place)) for place in parts.set_positions],
    }
    for name, values in lists.items():
        if values:
            written.append(f"{name}={','.join(values)}")
    text = ";".join(draw(st.permutations(written)))
    return draw(st.sampled_from([text, text.lower(), text.title()]))


def _numbers(number: int) -> st.SearchStrategy[str]:
    return st.sampled_from([f"{number}", f"0{number}"])


def _signed_numbers(number: int) -> st.SearchStrategy[str]:
    if number < 0:
        return _numbers(-number).map("-{}".format)
    return _numbers(number) | _numbers(number).map("+{}".format)


def _days(ordinal: int, weekday: int) -> st.SearchStrategy[str]:
    if ordinal == 0:
        return st.just(WEEKDAYS[weekday])
    return _signed_numbers(ordinal).map(lambda text: text + WEEKDAYS[weekday])
