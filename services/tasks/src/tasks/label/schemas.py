"""Labels on the wire."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from common.validation import StrictModel
from tasks.core.types import EXAMPLE_USER, AssertedUser, DateTimeText, IgnoredReadOnly, Version
from tasks.core.types.names import EXAMPLE_LABEL, LabelName


class LabelChange(StrictModel):
    """A change: an absent name stays; whatever else was read before may be sent, and is ignored but for the ids."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "holidays"}]})

    name: LabelName = Field(default_factory=str)
    user_id: AssertedUser = None
    id: UUID | None = Field(
        default=None, description="Must be the one in the address.", examples=[EXAMPLE_LABEL]
    )
    version: IgnoredReadOnly = None
    created_at: IgnoredReadOnly = None
    updated_at: IgnoredReadOnly = None
    task_count: IgnoredReadOnly = None


class LabelRead(TypedDict):
    """A label as it is answered: every field is always there."""

    id: Annotated[UUID, Field(examples=[EXAMPLE_LABEL])]
    user_id: Annotated[UUID, Field(description="Whose label it is.", examples=[EXAMPLE_USER])]
    name: LabelName
    version: Version
    created_at: DateTimeText
    updated_at: DateTimeText


@with_config(
    title="LabelListed"
)  # the name in the OpenAPI document, which clients generate code from
class LabelWithCount(LabelRead):
    """A label among all of its owner's."""

    task_count: Annotated[int, Field(ge=0, description="How many tasks carry it.", examples=[3])]
