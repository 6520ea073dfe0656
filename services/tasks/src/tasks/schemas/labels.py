"""Labels on the wire."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from common.reading import Input
from tasks.fields import EXAMPLE_USER, AssertedUser, Echo, Version, WireTime
from tasks.fields.names import EXAMPLE_LABEL, LabelName


class LabelChange(Input):
    """A change: an absent name stays; whatever else was read before may be sent, and is ignored but for the ids."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "holidays"}]})

    name: LabelName = Field(default_factory=str)
    user_id: AssertedUser = None
    id: UUID | None = Field(default=None, description="Must be the one in the address.", examples=[EXAMPLE_LABEL])
    version: Echo = None
    created_at: Echo = None
    updated_at: Echo = None
    task_count: Echo = None


class LabelRead(TypedDict):
    """A label as it is answered: every field is always there."""

    id: Annotated[UUID, Field(examples=[EXAMPLE_LABEL])]
    user_id: Annotated[UUID, Field(description="Whose label it is.", examples=[EXAMPLE_USER])]
    name: LabelName
    version: Version
    created_at: WireTime
    updated_at: WireTime


class LabelListed(LabelRead):
    """A label among all of its owner's."""

    task_count: Annotated[int, Field(ge=0, description="How many tasks carry it.", examples=[3])]
