"""What goes over the wire."""

from importlib.resources import files
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, Field, JsonValue
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from common.reading import Input

TIME_ZONES: Final = frozenset(files("tzdata").joinpath("zones").read_text().split()) - {"Factory"}
"""The names that count, the same on every machine. `Factory` means that nobody has set one; browsers refuse it."""


def _require_known(name: str) -> str:
    if name not in TIME_ZONES:
        raise PydanticCustomError("unknown-time-zone", "This is no name of a time zone, such as Europe/Berlin.")
    return name


TimeZone = Annotated[str, AfterValidator(_require_known), Field(examples=["Europe/Berlin"])]
"""Source: the IANA Time Zone Database; links such as `US/Pacific` count, other spellings do not."""

WireTime = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339, UTC, `Z`, microseconds."""


class UserChange(Input):
    """A change: what is absent stays; all but `time_zone` may be sent as it was read, and `id` must be the caller's."""

    time_zone: TimeZone = Field(default_factory=str)
    id: UUID | None = None
    email: JsonValue = None
    auth_issuer: JsonValue = None
    auth_subject: JsonValue = None
    created_at: JsonValue = None
    updated_at: JsonValue = None


class UserRead(TypedDict):
    """A profile as it is answered: every field is always there."""

    id: UUID
    email: str | None
    time_zone: str
    auth_issuer: str
    auth_subject: str
    created_at: WireTime
    updated_at: WireTime
