"""Lists on the wire."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from common.validation import StrictModel
from tasks.core.types import (
    EXAMPLE_USER,
    AssertedUser,
    DateTimeText,
    ForbiddenId,
    IgnoredReadOnly,
    OrderKey,
    Version,
)
from tasks.core.types.names import EXAMPLE_LIST, ListName

_EXAMPLE = ConfigDict(json_schema_extra={"examples": [{"name": "Garden"}]})


class ListCreate(StrictModel):
    """A new list."""

    model_config = _EXAMPLE

    name: ListName
    id: ForbiddenId = None


class _Echoed(StrictModel):
    """What a sender may leave in a list that they read before: it is ignored, but for whose and which it is."""

    user_id: AssertedUser = None
    id: UUID | None = Field(
        default=None, description="Must be the one in the address.", examples=[EXAMPLE_LIST]
    )
    position: IgnoredReadOnly = None
    version: IgnoredReadOnly = None
    created_at: IgnoredReadOnly = None
    updated_at: IgnoredReadOnly = None


class ListChange(_Echoed):
    """A change: an absent name stays."""

    model_config = _EXAMPLE

    name: ListName = Field(default_factory=str)


class ListReplace(_Echoed):
    """A whole list."""

    model_config = _EXAMPLE

    name: ListName


class ListMove(StrictModel):
    """Where a list goes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"after": None}]})

    after: UUID | None = Field(
        description="The list that it follows; null puts it first.", examples=[EXAMPLE_LIST]
    )


class ListDeletion(StrictModel):
    """What becomes of the tasks of a list that is deleted."""

    tasks: Annotated[
        Literal["keep", "delete"],
        Field(
            description="`keep` puts them into the inbox; `delete` deletes them.",
            examples=["delete"],
        ),
    ] = "keep"


class ListRead(TypedDict):
    """A list as it is answered: every field is always there."""

    id: Annotated[UUID, Field(examples=[EXAMPLE_LIST])]
    user_id: Annotated[UUID, Field(description="Whose list it is.", examples=[EXAMPLE_USER])]
    name: ListName
    position: OrderKey
    version: Version
    created_at: DateTimeText
    updated_at: DateTimeText
