"""Request and response models."""

from importlib.resources import files
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from common.field_types import DateTimeText, IgnoredReadOnly
from common.texts import require_few_marks
from common.validation import StrictModel

TIME_ZONES: Final = frozenset(files("tzdata").joinpath("zones").read_text().split()) - {"Factory"}
"""Valid names, the same on every machine. `Factory` means unset; browsers reject it."""


def _require_time_zone(name: str) -> str:
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


def _require_format(number: int) -> int:
    if number != FORMAT:
        raise PydanticCustomError("unknown-format", "The only format of exports is 1.")
    return number


FORMAT: Final = 1
"""The version of the export format; a new one would not be readable for old imports."""

EXAMPLE_USER: Final = "5f0c6a3e-8d1b-4c7a-9e52-b7d64f1a0c38"
"""The user of all examples."""

EXAMPLE_LINES: Final = (
    '{"kind": "export", "format": 1, "user": {"time_zone": "Europe/Berlin"}}\n'
    '{"kind": "task", "id": "019aa5f2-8e40-7c31-a6d9-3b0f5c72e184", "title": "Water the plants", '
    '"created_at": "2026-11-21T08:30:00.000000Z", "updated_at": "2026-11-21T08:30:00.000000Z"}\n'
)
"""The shortest lines of an import; an export has all members."""

EMAIL_MAX_CHARACTERS: Final = 254
"""Source: RFC 5321, 4.5.3.1.3 (the brackets around it do not count)."""

_TIME_ZONE_SCHEMA = {
    "description": "A name of the IANA Time Zone Database.",
    "pattern": "^[A-Za-z][A-Za-z0-9_+/-]*$",
}

TimeZone = Annotated[
    str,
    AfterValidator(_require_time_zone),
    WithJsonSchema(
        {"type": "string", **_TIME_ZONE_SCHEMA, "maxLength": 64, "examples": ["Europe/Berlin"]}
    ),
]
"""A name of the IANA Time Zone Database.

Links such as `US/Pacific` are valid, other spellings are not.
"""

EmailAddress = Annotated[str, Field(max_length=EMAIL_MAX_CHARACTERS, examples=["ada@example.com"])]
"""In lower case."""


class _ReadOnlyFields(StrictModel):
    """Fields that a client may send back unchanged; all but the time zone are ignored."""

    time_zone: TimeZone = Field(default_factory=str)
    email: IgnoredReadOnly = None
    auth_issuer: IgnoredReadOnly = None
    auth_subject: IgnoredReadOnly = None
    created_at: IgnoredReadOnly = None
    updated_at: IgnoredReadOnly = None


class UserChange(_ReadOnlyFields):
    """A change of a profile: absent members stay as they are.

    Everything but `time_zone` may be sent as it was read, and `id` must be the user's own.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"time_zone": "Europe/Berlin"}]})

    id: UUID | None = Field(
        default=None, description="Must be the user's own.", examples=[EXAMPLE_USER]
    )


class ImportedUser(_ReadOnlyFields):
    """A profile in an import, perhaps of another user: all but the time zone is ignored."""

    id: IgnoredReadOnly = None


class ImportHeader(StrictModel):
    """The first line of an import."""

    kind: Annotated[str, AfterValidator(_require_export)]
    format: Annotated[int, AfterValidator(_require_format)]
    exported_at: IgnoredReadOnly = None
    user: ImportedUser


class UserRead(TypedDict):
    """A profile in a response: every member is always there."""

    id: Annotated[UUID, Field(examples=[EXAMPLE_USER])]
    email: Annotated[
        EmailAddress | None,
        Field(description="The address of the token, unless another user has it."),
    ]
    time_zone: TimeZone
    auth_issuer: Annotated[
        str, Field(description="Who authenticates the user.", examples=["better-auth"])
    ]
    auth_subject: Annotated[
        str,
        Field(
            description="The user's id there, the subject of the token.",
            examples=["h7RyX2mPqLz0aVtC"],
        ),
    ]
    created_at: DateTimeText
    updated_at: DateTimeText


class ImportRead(TypedDict):
    """The result of an import."""

    created: Annotated[
        int, Field(ge=0, description="Tasks, lists and labels that were created.", examples=[2])
    ]
    updated: Annotated[int, Field(ge=0, description="Tasks that were replaced.", examples=[0])]
    unchanged: Annotated[
        int, Field(ge=0, description="Tasks, lists and labels that did not change.", examples=[1])
    ]
    renumbered: Annotated[
        int, Field(ge=0, description="How many of all these got another id.", examples=[0])
    ]
