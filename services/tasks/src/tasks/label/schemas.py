"""Request and response models of labels."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from common.validation import StrictModel
from tasks.core.types import EXAMPLE_USER, AssertedUser, DateTimeText, IgnoredReadOnly, Version
from tasks.core.types.names import EXAMPLE_LABEL, LabelName
from tasks.core.types.synonyms import SYNONYMS


class LabelChange(StrictModel):
    """A change; an absent name leaves the stored one.

    The other fields of a label may be sent as they were read; only the ids are checked.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "holidays"}]})
    synonyms: ClassVar = SYNONYMS

    name: LabelName = Field(default_factory=str)
    user_id: AssertedUser = None
    id: UUID | None = Field(
        default=None, description="Must be the id in the path.", examples=[EXAMPLE_LABEL]
    )
    version: IgnoredReadOnly = None
    created_at: IgnoredReadOnly = None
    updated_at: IgnoredReadOnly = None
    task_count: IgnoredReadOnly = None


class LabelRead(TypedDict):
    """A label in a response. All fields are always present."""

    id: Annotated[UUID, Field(examples=[EXAMPLE_LABEL])]
    user_id: Annotated[UUID, Field(description="Whose label it is.", examples=[EXAMPLE_USER])]
    name: LabelName
    version: Version
    created_at: DateTimeText
    updated_at: DateTimeText


# The title is the name in the OpenAPI document, from which clients generate code.
@with_config(title="LabelListed")
class LabelWithCount(LabelRead):
    """A label in the list of all labels."""

    task_count: Annotated[int, Field(ge=0, description="How many tasks carry it.", examples=[3])]
