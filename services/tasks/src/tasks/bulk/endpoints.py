"""Endpoints that change or delete many tasks in one request."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import TypeAdapter

from common.media_types import JSON_TYPE, MERGE_PATCH_TYPE
from common.validation import JsonBody, QueryParams
from tasks.bulk import service
from tasks.bulk.schemas import (
    BulkChange,
    BulkChangeRead,
    BulkDeletionRead,
    TaskDeletion,
    TaskSelection,
)
from tasks.core.dependencies import ChangeLimits, RetentionDays, WriteContext
from tasks.core.preconditions import IfMatch
from tasks.core.responses import CHANGED, with_etag
from tasks.core.routing import RequestOnlyRoute
from tasks.task.schemas import TaskDelete

router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=RequestOnlyRoute)

_CHANGED = TypeAdapter(BulkChangeRead)
_DELETED = TypeAdapter(BulkDeletionRead)

# The body comes first: its dependency also checks the query, and reports the errors of both.
ChangeBody = Annotated[
    BulkChange, Depends(JsonBody(BulkChange, TaskSelection, (JSON_TYPE, MERGE_PATCH_TYPE)))
]
DeleteBody = Annotated[TaskDelete, Depends(JsonBody(TaskDelete, TaskDeletion, required=False))]
SelectionQuery = Annotated[TaskSelection, Depends(QueryParams(TaskSelection))]
DeletionQuery = Annotated[TaskDeletion, Depends(QueryParams(TaskDeletion))]


@router.patch("", response_model=BulkChangeRead, responses=CHANGED)
async def change_tasks(
    if_match: IfMatch,
    body: ChangeBody,
    selection: SelectionQuery,
    context: WriteContext,
    limits: ChangeLimits,
) -> Response:
    """Change all tasks that match the query, or none of them.

    Subtasks follow their parent to another list. `If-Match` takes the `ETag` of the list of tasks.
    """
    async with context.write_slot():
        result = await service.change_tasks(context, limits, selection, body, if_match)
    return with_etag(_CHANGED.dump_json(result), result["version"])


@router.delete("", response_model=BulkDeletionRead, responses=CHANGED)
async def delete_tasks(
    if_match: IfMatch,
    _: DeleteBody,
    deletion: DeletionQuery,
    context: WriteContext,
    retention_days: RetentionDays,
) -> Response:
    """Delete all tasks that match the query, or none of them.

    `If-Match` takes the `ETag` of the list of tasks.
    """
    async with context.write_slot():
        result = await service.delete_tasks(context, deletion, if_match, retention_days)
    return with_etag(_DELETED.dump_json(result), result["version"])
