"""Request and response models of lists."""

from typing import Annotated, ClassVar, Literal
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
from tasks.core.types.synonyms import SYNONYMS

_EXAMPLE = ConfigDict(json_schema_extra={"examples": [{"name": "Garden"}]})


class ListCreate(StrictModel):
    """A new list."""

    model_config = _EXAMPLE
    synonyms: ClassVar = SYNONYMS

    name: ListName
    id: ForbiddenId = None


class _ReadOnlyFields(StrictModel):
    """The fields of a list that may be sent as they were read. Only the ids are checked."""

    synonyms: ClassVar = SYNONYMS

    user_id: AssertedUser = None
    id: UUID | None = Field(
        default=None, description="Must be the id in the path.", examples=[EXAMPLE_LIST]
    )
    position: IgnoredReadOnly = None
    version: IgnoredReadOnly = None
    created_at: IgnoredReadOnly = None
    updated_at: IgnoredReadOnly = None


class ListChange(_ReadOnlyFields):
    """A change; an absent name leaves the stored one."""

    model_config = _EXAMPLE

    name: ListName = Field(default_factory=str)


class ListReplace(_ReadOnlyFields):
    """A complete list."""

    model_config = _EXAMPLE

    name: ListName


class ListMove(StrictModel):
    """The new place of a list."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"after": None}]})

    after: UUID | None = Field(
        description="The list that it follows; null puts it first.", examples=[EXAMPLE_LIST]
    )


class ListDeletion(StrictModel):
    """What happens to the tasks of a deleted list."""

    tasks: Annotated[
        Literal["keep", "delete"],
        Field(
            description="`keep` puts them into the inbox; `delete` deletes them.",
            examples=["delete"],
        ),
    ] = "keep"


class ListRead(TypedDict):
    """A list in a response. All fields are always present."""

    id: Annotated[UUID, Field(examples=[EXAMPLE_LIST])]
    user_id: Annotated[UUID, Field(description="Whose list it is.", examples=[EXAMPLE_USER])]
    name: ListName
    position: OrderKey
    version: Version
    created_at: DateTimeText
    updated_at: DateTimeText
