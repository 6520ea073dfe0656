"""Due dates: a calendar day, optionally with a time of day in a time zone."""

import re
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from importlib.resources import files
from typing import Annotated, Final, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from common.texts import require_few_marks
from common.validation import StrictModel
from tasks.core.types import DateTimeText, IgnoredReadOnly

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2200
"""The years of due dates."""

TIME_ZONES: Final = frozenset(files("tzdata").joinpath("zones").read_text().split()) - {"Factory"}
"""The accepted names, the same on every machine. `Factory` stands for a zone that is not set."""

"""Code and message of the error for a time that does not exist on that day."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


def _read_day(text: object) -> object:
    """Read a date in the format of RFC 3339; other formats of ISO 8601 are rejected."""
    if not isinstance(text, str):
        return text
    try:
        return date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError:
        raise PydanticCustomError(
            "date_parsing", "Input should be a day such as 2026-11-21"
        ) from None


def _check_year(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise PydanticCustomError(
            "date-out-of-range", "A date lies between 1970-01-01 and 2200-12-31."
        )
    return day


def _check_clock(text: str) -> str:
    if not _CLOCK.fullmatch(text):
        raise PydanticCustomError("time_parsing", "Input should be a time of day such as 08:30")
    return text


def _check_zone(name: str) -> str:
    if require_few_marks(name) not in TIME_ZONES:
        raise PydanticCustomError(
            "unknown-time-zone", "This is no name of a time zone, such as Europe/Berlin."
        )
    return name


def _string_schema(description: str, schema: dict[str, object]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "description": description} | schema)


_DAY_SCHEMA: dict[str, object] = {"format": "date", "examples": ["2026-11-30"]}
_CLOCK_SCHEMA: dict[str, object] = {
    "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
    "examples": ["08:30"],
}
_ZONE_SCHEMA: dict[str, object] = {
    "pattern": "^[A-Za-z][A-Za-z0-9_+/-]*$",
    "maxLength": 64,
    "examples": ["Europe/Berlin"],
}

Day = Annotated[
    date,
    BeforeValidator(_read_day),
    AfterValidator(_check_year),
    _string_schema("A calendar day, from 1970 to 2200.", _DAY_SCHEMA),
]
"""Source: RFC 3339, 5.6."""

Clock = Annotated[
    str, AfterValidator(_check_clock), _string_schema("The time of day there.", _CLOCK_SCHEMA)
]
"""`HH:MM`, from 00:00 to 23:59."""

TimeZone = Annotated[
    str,
    AfterValidator(_check_zone),
    _string_schema("A name of the IANA Time Zone Database.", _ZONE_SCHEMA),
]
"""Source: IANA Time Zone Database. Links such as `US/Pacific` are accepted, other cases are not."""


def instant(day: date, clock: str, zone: str) -> datetime | None:
    """Return the instant of a local time; None if the clocks skip that time.

    When clocks are set back and show the time twice, it is the first of both instants.
    """
    clock_time = time_of_day.fromisoformat(clock)
    moment = moved_instant(day, clock_time, zone)
    shown_time = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    if shown_time != datetime.combine(day, clock_time):
        return None
    return moment


def moved_instant(day: date, clock: time_of_day, zone: str) -> datetime:
    """Return the instant of a local time; one that clocks skip moves forward by what they skip.

    For 02:30 on a day on which clocks go from 02:00 to 03:00 it is the instant of 03:30.
    """
    # With fold=0 the offset is the one before the change, both in a gap and in a repeated hour.
    return datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)


class Due(StrictModel):
    """The due date in a request. A time of day needs a time zone, and the other way round."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"date": "2026-11-30", "time": "08:30", "time_zone": "Europe/Berlin"}]
        }
    )

    date: Day
    time: Clock | None = None
    time_zone: TimeZone | None = None
    at: IgnoredReadOnly = None

    @property
    def clock(self) -> time_of_day | None:
        """The time of day, if there is one."""
        if self.time is None:
            return None
        return time_of_day.fromisoformat(self.time)

    @property
    def moment(self) -> datetime | None:
        """The instant, if there is a time of day; later by the gap if clocks skip that time."""
        if self.clock is None or self.time_zone is None:
            return None
        return moved_instant(self.date, self.clock, self.time_zone)

    @property
    def is_skipped(self) -> bool:
        """Whether clocks skip the time on that day.

        The service makes such due dates itself, for occurrences of a task that repeats. A request
        may only send back one that is stored.
        """
        if self.time is None or self.time_zone is None:
            return False
        return instant(self.date, self.time, self.time_zone) is None

    @model_validator(mode="after")
    def _check_time(self) -> Self:
        if (self.time is None) != (self.time_zone is None):
            raise PydanticCustomError(
                "incomplete-time", "A time needs a time zone, and a time zone needs a time."
            )
        return self


def require_moved_time(due: Due | None) -> Due | None:
    """Accept a time that clocks skip only beside the instant to which an occurrence is moved.

    So what the service has returned can be sent again: by an import, or to undo a deletion.
    """
    if due is not None and due.is_skipped and _stated_instant(due) != due.moment:
        raise skipped_time()
    return due


def _stated_instant(due: Due) -> datetime | None:
    """Return the instant in `at`, which is otherwise ignored."""
    if not isinstance(due.at, str):
        return None
    try:
        return datetime.fromisoformat(due.at.upper())
    except ValueError:
        return None


def skipped_time() -> PydanticCustomError:
    """Return the error of a due date at a time that does not exist."""
    return PydanticCustomError(
        "skipped-time", "Clocks skip this time on that day in that time zone."
    )


def _reject_skipped_time(due: Due | None) -> Due | None:
    if due is not None and due.is_skipped:
        raise skipped_time()
    return due


NewDue = Annotated[Due | None, AfterValidator(_reject_skipped_time)]
"""The due date of a new task, if it has one: at a time that exists."""


class DueRead(TypedDict):
    """The due date of a task; all but the date is null if the task is due all day."""

    date: Annotated[str, _string_schema("The calendar day; it never shifts.", _DAY_SCHEMA)]
    time: Annotated[Clock | None, Field(description="The time of day there.")]
    time_zone: Annotated[TimeZone | None, Field(description="Where clocks show that time.")]
    at: Annotated[DateTimeText | None, Field(description="The instant.")]
