"""When a task is due: on a calendar day, and perhaps at a time of that day in a time zone."""

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
"""The years in which something can be due."""

TIME_ZONES: Final = frozenset(files("tzdata").joinpath("zones").read_text().split()) - {"Factory"}
"""The names that count, the same on every machine. `Factory` means that nobody has set one."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


def _day(text: object) -> object:
    """Read a day as RFC 3339 writes it, and in no other of ISO 8601's ways."""
    if not isinstance(text, str):
        return text
    try:
        return date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError:
        raise PydanticCustomError(
            "date_parsing", "Input should be a day such as 2026-11-21"
        ) from None


def _in_range(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise PydanticCustomError(
            "date-out-of-range", "A date lies between 1970-01-01 and 2200-12-31."
        )
    return day


def _clock(text: str) -> str:
    if not _CLOCK.fullmatch(text):
        raise PydanticCustomError("time_parsing", "Input should be a time of day such as 08:30")
    return text


def _known_zone(name: str) -> str:
    if require_few_marks(name) not in TIME_ZONES:
        raise PydanticCustomError(
            "unknown-time-zone", "This is no name of a time zone, such as Europe/Berlin."
        )
    return name


def _described(description: str, **schema: object) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "description": description, **schema})


_day_form = {"format": "date", "examples": ["2026-11-30"]}
_clock_form = {"pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["08:30"]}
_zone_form = {
    "pattern": "^[A-Za-z][A-Za-z0-9_+/-]*$",
    "maxLength": 64,
    "examples": ["Europe/Berlin"],
}

Day = Annotated[
    date,
    BeforeValidator(_day),
    AfterValidator(_in_range),
    _described("A calendar day, from 1970 to 2200.", **_day_form),
]
"""Source: RFC 3339, 5.6."""

Clock = Annotated[str, AfterValidator(_clock), _described("The time of day there.", **_clock_form)]
"""`HH:MM`, from 00:00 to 23:59."""

TimeZone = Annotated[
    str,
    AfterValidator(_known_zone),
    _described("A name of the IANA Time Zone Database.", **_zone_form),
]
"""Source: the IANA Time Zone Database; links such as `US/Pacific` count, other spellings do not."""


def instant(day: date, clock: str, zone: str) -> datetime | None:
    """Return the moment at which clocks in a zone show this time, the first one if they do twice; None if never."""
    shown = datetime.combine(day, time_of_day.fromisoformat(clock))
    moment = shown.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return (
        moment if moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) == shown else None
    )


class Due(StrictModel):
    """The day on which something is due; with a time of day, it needs the zone in which clocks show that."""

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
        """What clocks show then."""
        return time_of_day.fromisoformat(self.time) if self.time else None

    @property
    def moment(self) -> datetime | None:
        """The instant, if there is a time of day."""
        return (
            instant(self.date, self.time, self.time_zone) if self.time and self.time_zone else None
        )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.time is None) != (self.time_zone is None):
            raise PydanticCustomError(
                "incomplete-time", "A time needs a time zone, and a time zone needs a time."
            )
        if self.time and self.moment is None:
            raise PydanticCustomError(
                "skipped-time", "Clocks skip this time on that day in that time zone."
            )
        return self


class DueRead(TypedDict):
    """When a task is due; all but the day is null if it is due all day."""

    date: Annotated[str, _described("The calendar day, which never shifts.", **_day_form)]
    time: Annotated[Clock | None, Field(description="The time of day there.")]
    time_zone: Annotated[TimeZone | None, Field(description="Where clocks show that time.")]
    at: Annotated[DateTimeText | None, Field(description="The instant.")]
