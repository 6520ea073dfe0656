"""The text of a recurrence rule: read strictly, written in one canonical form.

Source: RFC 5545, 3.3.10, without everything shorter than a day.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Final, NamedTuple, NoReturn, TypeVar

from tasks.limits import RECURRENCE_RULE_MAX_CHARACTERS

WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
"""In the order of `date.weekday()`."""

MONDAY: Final = 0

PARTS: Final = (
    "FREQ",
    "INTERVAL",
    "BYDAY",
    "BYMONTHDAY",
    "BYMONTH",
    "BYSETPOS",
    "WKST",
    "COUNT",
    "UNTIL",
)
"""What a rule is made of, in the order of the canonical form."""

_UNSUPPORTED_PARTS: Final = frozenset(
    {"BYSECOND", "BYMINUTE", "BYHOUR", "BYYEARDAY", "BYWEEKNO", "DTSTART"}
)
"""What RFC 5545 knows beside these; `DTSTART` is a property of its own there."""

_MONTHS_OF_YEAR: Final = 12
_DAYS_OF_MONTH: Final = 31
_DAYS_OF_YEAR: Final = 366

_ORDINAL_MAX: Final = 5
"""RFC 5545 allows 53 with FREQ=YEARLY; here it is the fifth of a month or year at most."""

_PREFIX: Final = "RRULE:"

_NUMBER: Final = re.compile(r"0*([0-9]{1,3})")
_SIGNED_NUMBER: Final = re.compile(r"([+-]?)0*([0-9]{1,3})")
_WEEKDAY: Final = re.compile(r"(?:([+-]?)0*([0-9]))?(MO|TU|WE|TH|FR|SA|SU)")
_DATE: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
"""None of the patterns passes more than three significant digits on: no number is ever large."""


class InvalidRule(ValueError):
    """A text that is no rule. The message is one sentence for the client."""


class Frequency(StrEnum):
    """The value of `FREQ`."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


class Weekday(NamedTuple):
    """One value of `BYDAY`. Sorting puts them into the order of the canonical form."""

    ordinal: int
    """-1 is the last one of the month or year; 0 is every one."""

    weekday: int
    """0 is Monday."""

    @property
    def text(self) -> str:
        """The value as RFC 5545 writes it."""
        return f"{self.ordinal or ''}{WEEKDAYS[self.weekday]}"


_Item = TypeVar("_Item", int, Weekday)


@dataclass(frozen=True)
class RecurrenceRule:
    """A valid rule. Equal rules have equal text; the tuples are sorted, without duplicates."""

    frequency: Frequency
    interval: int = 1
    days: tuple[Weekday, ...] = ()
    month_days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    set_positions: tuple[int, ...] = ()
    week_start: int = MONDAY
    count: int | None = None
    """How many tasks are still to come, the one that has this rule included."""

    until: date | None = None

    @property
    def text(self) -> str:
        """The canonical form; it is never longer than what was read."""
        weekdays = [day.text for day in self.days]
        values = {
            "FREQ": str(self.frequency),
            "INTERVAL": "" if self.interval == 1 else str(self.interval),
            "BYDAY": ",".join(weekdays),
            "BYMONTHDAY": _join(self.month_days),
            "BYMONTH": _join(self.months),
            "BYSETPOS": _join(self.set_positions),
            "WKST": "" if self.week_start == MONDAY else WEEKDAYS[self.week_start],
            "COUNT": "" if self.count is None else str(self.count),
            # Not strftime: how it writes years below 1000 differs between systems.
            "UNTIL": "" if self.until is None else self.until.isoformat().replace("-", ""),
        }
        return ";".join(f"{name}={values[name]}" for name in PARTS if values[name])

    def counted_down(self) -> "RecurrenceRule | None":
        """Return the rule of the next task; None if this task is the last one that is counted."""
        if self.count is None:
            return self
        if self.count == 1:
            return None
        return replace(self, count=self.count - 1)


def parse_rule(text: str) -> RecurrenceRule:
    """Read a rule, its parts in any order and case.

    Raises:
        InvalidRule: whatever is wrong. The message names a part only if RFC 5545 knows it.

    """
    values = _split(text)
    frequency = _read_frequency(values)
    count: int | None = None
    if "COUNT" in values:
        count = _read_number("COUNT", values["COUNT"])
    until: date | None = None
    if "UNTIL" in values:
        until = _read_date(values["UNTIL"])
    interval = 1
    if "INTERVAL" in values:
        interval = _read_number("INTERVAL", values["INTERVAL"])
    week_start = MONDAY
    if "WKST" in values:
        week_start = _read_week_start(values["WKST"])
    rule = RecurrenceRule(
        frequency,
        interval,
        days=_read_list(values, "BYDAY", _read_weekday),
        month_days=_read_list(
            values, "BYMONTHDAY", partial(_read_signed, "BYMONTHDAY", _DAYS_OF_MONTH)
        ),
        months=_read_list(values, "BYMONTH", _read_month),
        set_positions=_read_list(
            values, "BYSETPOS", partial(_read_signed, "BYSETPOS", _DAYS_OF_YEAR)
        ),
        week_start=week_start,
        count=count,
        until=until,
    )
    _check_combination(rule)
    return rule


def _join(numbers: tuple[int, ...]) -> str:
    return ",".join(str(number) for number in numbers)


def _split(text: str) -> dict[str, str]:
    """Return the values by the names of the parts, both in upper case."""
    _check_characters(text)
    values: dict[str, str] = {}
    for part in text.upper().split(";"):
        name, _, value = part.partition("=")
        if name in _UNSUPPORTED_PARTS:
            raise InvalidRule(f"{name} is not supported.")
        if name not in PARTS:
            raise InvalidRule("A rule has parts such as FREQ=WEEKLY, with semicolons between them.")
        if not value:
            raise InvalidRule(f"{name} needs a value.")
        if name in values:
            raise InvalidRule(f"{name} is there twice.")
        values[name] = value
    return values


def _check_characters(text: str) -> None:
    if len(text) > RECURRENCE_RULE_MAX_CHARACTERS:
        raise InvalidRule(f"A rule has at most {RECURRENCE_RULE_MAX_CHARACTERS} characters.")
    # Later, upper() would turn some other letters into ASCII ones, such as the dotless i.
    if not text.isascii() or not text.isprintable() or " " in text:
        raise InvalidRule("A rule has no spaces and nothing but ASCII characters.")
    if text.upper().startswith(_PREFIX):
        raise InvalidRule("A rule is written without RRULE: in front of it.")


def _read_frequency(values: dict[str, str]) -> Frequency:
    if "FREQ" not in values:
        raise InvalidRule("FREQ is missing.")
    try:
        return Frequency(values["FREQ"])
    except ValueError:
        raise InvalidRule("FREQ is DAILY, WEEKLY, MONTHLY or YEARLY.") from None


def _read_number(name: str, text: str) -> int:
    match = _NUMBER.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise InvalidRule(f"{name} goes from 1 to 999.")
    return int(match[1])


def _read_signed(name: str, largest: int, text: str) -> int:
    match = _SIGNED_NUMBER.fullmatch(text)
    if match is None or not 1 <= int(match[2]) <= largest:
        raise InvalidRule(f"{name} goes from 1 to {largest} and from -1 to -{largest}.")
    return int(match[1] + match[2])


def _read_month(text: str) -> int:
    match = _NUMBER.fullmatch(text)
    if match is None or not 1 <= int(match[1]) <= _MONTHS_OF_YEAR:
        raise InvalidRule("BYMONTH goes from 1 to 12.")
    return int(match[1])


def _read_weekday(text: str) -> Weekday:
    match = _WEEKDAY.fullmatch(text)
    if match is None:
        _reject_weekday()
    weekday = WEEKDAYS.index(match[3])
    if match[2] is None:
        return Weekday(0, weekday)
    if not 1 <= int(match[2]) <= _ORDINAL_MAX:
        _reject_weekday()
    return Weekday(int(match[1] + match[2]), weekday)


def _reject_weekday() -> NoReturn:
    raise InvalidRule(
        "BYDAY has days from MO to SU, with a number from 1 to 5 or from -1 to -5, or none."
    )


def _read_week_start(text: str) -> int:
    if text not in WEEKDAYS:
        raise InvalidRule("WKST is a day from MO to SU.")
    return WEEKDAYS.index(text)


def _read_date(text: str) -> date:
    match = _DATE.fullmatch(text)
    try:
        if match is not None:
            return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        pass  # a day that does not exist: the same error
    raise InvalidRule("UNTIL is a date such as 20261231.")


def _read_list(
    values: dict[str, str], name: str, read_item: Callable[[str], _Item]
) -> tuple[_Item, ...]:
    """Return the items of a part in ascending order, each once; none if the part is absent."""
    if name not in values:
        return ()
    items = {read_item(text) for text in values[name].split(",")}
    return tuple(sorted(items))


def _check_combination(rule: RecurrenceRule) -> None:
    """Check what RFC 5545 says about parts that stand together."""
    has_ordinals = [day.ordinal != 0 for day in rule.days]
    is_monthly_or_yearly = rule.frequency in (Frequency.MONTHLY, Frequency.YEARLY)
    if rule.count is not None and rule.until is not None:
        raise InvalidRule("COUNT does not go with UNTIL.")
    if rule.month_days and rule.frequency is Frequency.WEEKLY:
        raise InvalidRule("BYMONTHDAY does not go with FREQ=WEEKLY.")
    if any(has_ordinals) and not is_monthly_or_yearly:
        raise InvalidRule("BYDAY has numbers only with FREQ=MONTHLY and FREQ=YEARLY.")
    # python-dateutil and the RFC differ in what a mixture means.
    if any(has_ordinals) and not all(has_ordinals):
        raise InvalidRule("BYDAY has a number at each of its days or at none of them.")
    if rule.set_positions and not is_monthly_or_yearly:
        raise InvalidRule("BYSETPOS goes only with FREQ=MONTHLY and FREQ=YEARLY.")
    if rule.set_positions and not (rule.days or rule.month_days or rule.months):
        raise InvalidRule("BYSETPOS needs BYDAY, BYMONTHDAY or BYMONTH beside it.")
