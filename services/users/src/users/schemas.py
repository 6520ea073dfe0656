"""What goes over the wire."""

from importlib.resources import files
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, WithJsonSchema
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from common.texts import require_few_marks
from common.validation import StrictModel

TIME_ZONES: Final = frozenset(files("tzdata").joinpath("zones").read_text().split()) - {"Factory"}
"""The names that count, the same on every machine. `Factory` means that nobody has set one; browsers refuse it."""


def _require_known(name: str) -> str:
    if require_few_marks(name) not in TIME_ZONES:
        raise PydanticCustomError(
            "unknown-time-zone", "This is no name of a time zone, such as Europe/Berlin."
        )
    return name


def _require_export(kind: str) -> str:
    if kind != "export":
        raise PydanticCustomError(
            "unknown-word", "The first line of an import is that of an export."
        )
    return kind


def _require_known_format(number: int) -> int:
    if number != FORMAT:
        raise PydanticCustomError("unknown-format", "The only format of exports is 1.")
    return number


FORMAT: Final = 1
"""How exports are written; it changes when an old import would not understand them."""

EXAMPLE_USER: Final = "5f0c6a3e-8d1b-4c7a-9e52-b7d64f1a0c38"
"""The user of all examples."""

EXAMPLE_LINES: Final = (
    '{"kind": "export", "format": 1, "user": {"time_zone": "Europe/Berlin"}}\n'
    '{"kind": "task", "id": "019aa5f2-8e40-7c31-a6d9-3b0f5c72e184", "title": "Water the plants", '
    '"created_at": "2026-11-21T08:30:00.000000Z", "updated_at": "2026-11-21T08:30:00.000000Z"}\n'
)
"""The least that an import may say; an export says all."""

EMAIL_MAX_CHARACTERS: Final = 254
"""Source: RFC 5321, 4.5.3.1.3 (the brackets around it do not count)."""

_ZONE = {
    "description": "A name of the IANA Time Zone Database.",
    "pattern": "^[A-Za-z][A-Za-z0-9_+/-]*$",
}

TimeZone = Annotated[
    str,
    AfterValidator(_require_known),
    WithJsonSchema({"type": "string", **_ZONE, "maxLength": 64, "examples": ["Europe/Berlin"]}),
]
"""Source: the IANA Time Zone Database; links such as `US/Pacific` count, other spellings do not."""

WireTime = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
        examples=["2026-11-21T08:30:00.000000Z"],
        json_schema_extra={"format": "date-time"},
    ),
]
"""RFC 3339, UTC, `Z`, microseconds."""


EmailAddress = Annotated[str, Field(max_length=EMAIL_MAX_CHARACTERS, examples=["ada@example.com"])]
"""In lower case."""

Echo = Annotated[
    JsonValue, WithJsonSchema({"description": "May be sent as it was read; it is ignored."})
]
"""What only the service sets, in a profile that is sent back."""


class _Echoed(StrictModel):
    """What a sender may leave in a profile that they read before."""

    time_zone: TimeZone = Field(default_factory=str)
    email: Echo = None
    auth_issuer: Echo = None
    auth_subject: Echo = None
    created_at: Echo = None
    updated_at: Echo = None


class UserChange(_Echoed):
    """A change: what is absent stays; all but `time_zone` may be sent as it was read, and `id` must be the caller's."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"time_zone": "Europe/Berlin"}]})

    id: UUID | None = Field(
        default=None, description="Must be the caller's.", examples=[EXAMPLE_USER]
    )


class ImportedUser(_Echoed):
    """A profile from elsewhere: all but the time zone is ignored, and whose it was as well."""

    id: Echo = None


class ImportStart(StrictModel):
    """The first line of an import."""

    kind: Annotated[str, AfterValidator(_require_export)]
    format: Annotated[int, AfterValidator(_require_known_format)]
    exported_at: Echo = None
    user: ImportedUser


class UserRead(TypedDict):
    """A profile as it is answered: every field is always there."""

    id: Annotated[UUID, Field(examples=[EXAMPLE_USER])]
    email: Annotated[
        EmailAddress | None, Field(description="What the token said, if nobody else has it.")
    ]
    time_zone: TimeZone
    auth_issuer: Annotated[str, Field(description="Who knows the user.", examples=["better-auth"])]
    auth_subject: Annotated[
        str, Field(description="The user's id there.", examples=["h7RyX2mPqLz0aVtC"])
    ]
    created_at: WireTime
    updated_at: WireTime


class ImportRead(TypedDict):
    """What became of the lines of an import."""

    created: Annotated[
        int, Field(ge=0, description="Tasks, lists and labels that were not there.", examples=[2])
    ]
    updated: Annotated[int, Field(ge=0, description="Tasks that were different.", examples=[0])]
    unchanged: Annotated[
        int, Field(ge=0, description="Those that were there as they are.", examples=[1])
    ]
    renumbered: Annotated[
        int, Field(ge=0, description="How many of all these have another id here.", examples=[0])
    ]
