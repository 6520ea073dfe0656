"""Request and response models of the changes feed."""

from typing import Annotated
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from tasks.core.pagination import SyncTokenText
from tasks.core.types import EXAMPLE_TASK, PageSize, Version
from tasks.label.schemas import LabelRead
from tasks.task.schemas import TaskRead, UserIdQuery
from tasks.task_list.schemas import ListRead


class ChangesQuery(UserIdQuery):
    """The query string of the changes feed."""

    since: SyncTokenText | None = None
    limit: PageSize | None = Field(
        default=None,
        description="Changes and deletions in one response; the default is 500. "
        "A page of long texts ends at 1 MiB.",
        examples=[100],
    )


class DeletionRead(TypedDict):
    """A deleted task, list or label."""

    kind: Annotated[
        str,
        Field(
            description="What it was.",
            examples=["task"],
            json_schema_extra={"enum": ["task", "list", "label"]},
        ),
    ]
    id: Annotated[UUID, Field(examples=[EXAMPLE_TASK])]
    version: Version


class ChangesRead(TypedDict):
    """What happened since the last synchronization, in the order of versions."""

    tasks: Annotated[
        list[TaskRead],
        Field(description="Tasks that are new or changed, as they are now.", examples=[[]]),
    ]
    lists: Annotated[
        list[ListRead], Field(description="Lists that are new or changed.", examples=[[]])
    ]
    labels: Annotated[
        list[LabelRead], Field(description="Labels that are new or changed.", examples=[[]])
    ]
    deleted: Annotated[list[DeletionRead], Field(description="What is gone.", examples=[[]])]
    next: Annotated[
        str, Field(description="Send it as `since` the next time.", examples=["1795249800000000"])
    ]
    has_more: Annotated[bool, Field(description="There is more already.", examples=[False])]
