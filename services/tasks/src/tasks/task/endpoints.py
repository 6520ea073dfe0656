"""Endpoints of tasks."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import TypeAdapter

from common.media_types import JSON_TYPE, MERGE_PATCH_TYPE
from common.validation import JsonBody, QueryParams
from tasks.core.dependencies import (
    ChangeLimits,
    CreationLimits,
    ListDelivery,
    ReadContext,
    RetentionDays,
    WriteContext,
)
from tasks.core.preconditions import IdempotencyKey, IfMatch, IfNoneMatch, PutCondition
from tasks.core.responses import (
    CREATED_HEADERS,
    DELETED,
    ETAG,
    MOVED,
    OPTIONAL_ETAG,
    READ,
    REPLAYABLE,
    Responses,
    created,
    ok,
    with_etag,
)
from tasks.core.routing import RequestOnlyRoute
from tasks.core.types import EXAMPLE_TASK
from tasks.task import creation, moves, service
from tasks.task.filters import TaskQuery
from tasks.task.list_response import ARRAY_WRITER, respond_with_list
from tasks.task.reader import TaskReader
from tasks.task.schemas import (
    TaskChange,
    TaskCreate,
    TaskDelete,
    TaskDeletion,
    TaskMove,
    TaskRead,
    TaskReplace,
    UserIdQuery,
)

router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=RequestOnlyRoute)

_TASK = TypeAdapter(TaskRead)

TaskId = Annotated[UUID, Path(description="The task.", examples=[EXAMPLE_TASK])]
TaskFilters = Annotated[TaskQuery, Depends(QueryParams(TaskQuery))]
OnlyUserId = Annotated[UserIdQuery, Depends(QueryParams(UserIdQuery))]
CreateBody = Annotated[TaskCreate, Depends(JsonBody(TaskCreate, UserIdQuery))]
ChangeBody = Annotated[
    TaskChange, Depends(JsonBody(TaskChange, UserIdQuery, (JSON_TYPE, MERGE_PATCH_TYPE)))
]
ReplaceBody = Annotated[TaskReplace, Depends(JsonBody(TaskReplace, UserIdQuery))]
MoveBody = Annotated[TaskMove, Depends(JsonBody(TaskMove, UserIdQuery))]
DeleteBody = Annotated[TaskDelete, Depends(JsonBody(TaskDelete, TaskDeletion, required=False))]
DeletionQuery = Annotated[TaskDeletion, Depends(QueryParams(TaskDeletion))]

_LINKED_OPERATIONS = ("get_task", "change_task", "replace_task", "delete_task", "move_task")
_LINKS = {
    operation_id: {"operationId": operation_id, "parameters": {"task_id": "$response.body#/id"}}
    for operation_id in _LINKED_OPERATIONS
}
_LINK_HEADER = {
    "description": 'The next page (`rel="next"`), if there is one.',
    "schema": {"type": "string"},
}
_NEXT_HEADER = {
    "description": 'The occurrence after a completed task (`rel="next"`), if there is one.',
    "schema": {"type": "string"},
}

_LISTED: Final[Responses] = {
    200: {"headers": {"ETag": OPTIONAL_ETAG, "Link": _LINK_HEADER}},
    304: {"headers": ETAG},
}
_CREATED: Final[Responses] = {
    201: {"headers": CREATED_HEADERS | REPLAYABLE, "links": _LINKS},
    409: {},
}
_CHANGED: Final[Responses] = {200: {"headers": ETAG | {"Link": _NEXT_HEADER}}, 412: {}}
_REPLACED: Final[Responses] = _CHANGED | {
    201: {"headers": CREATED_HEADERS, "links": _LINKS},
    409: {},
}


@router.get("", response_model=list[TaskRead], responses=_LISTED)
async def list_tasks(
    request: Request,
    if_none_match: IfNoneMatch,
    filters: TaskFilters,
    context: ReadContext,
    delivery: ListDelivery,
) -> Response:
    """List the user's tasks, oldest first: all of them, or with `limit` a page.

    With `overdue` the response has no `ETag`.
    """
    has_etag = filters.overdue is None  # what is overdue changes with the time as well
    reader = TaskReader(context, filters, ARRAY_WRITER, delivery)
    return await respond_with_list(request, reader, if_none_match, has_etag=has_etag)


@router.post("", status_code=201, response_model=TaskRead, responses=_CREATED)
async def create_task(
    key: IdempotencyKey, body: CreateBody, context: WriteContext, limits: CreationLimits
) -> Response:
    """Create a task; with `Idempotency-Key` only once within 24 hours, however often it is sent."""
    async with context.write_slot():
        response = await creation.create_task(context, limits, body, key)
    return created(response, "/tasks")


@router.get("/{task_id}", response_model=TaskRead, responses=READ)
async def get_task(
    task_id: TaskId, if_none_match: IfNoneMatch, _: OnlyUserId, context: ReadContext
) -> Response:
    """Return one task; 404 if it is not the user's."""
    task = await service.get_task(context, task_id)
    return with_etag(_TASK.dump_json(task), task["version"], if_none_match=if_none_match)


@router.patch("/{task_id}", response_model=TaskRead, responses=_CHANGED)
async def change_task(
    task_id: TaskId,
    if_match: IfMatch,
    body: ChangeBody,
    context: WriteContext,
    limits: ChangeLimits,
) -> Response:
    """Change the fields that are sent; 404 if the task is not the user's.

    Completing a task that repeats makes its next occurrence, to which `Link` leads.
    """
    async with context.write_slot():
        changed = await service.change_task(context, limits, task_id, body, if_match)
    return _respond_with_change(changed)


@router.put("/{task_id}", response_model=TaskRead, responses=_REPLACED)
async def replace_task(
    task_id: TaskId,
    condition: PutCondition,
    body: ReplaceBody,
    context: WriteContext,
    creation_limits: CreationLimits,
    limits: ChangeLimits,
) -> Response:
    """Replace a task; 404 if it is not the user's.

    Absent fields get their defaults, but list, due date, priority, labels and recurrence stay.
    Completing a task that repeats makes its next occurrence, to which `Link` leads.

    With `If-None-Match: *` create a task with this id instead, for the first time or to undo its
    deletion.
    """
    async with context.write_slot():
        if condition.is_new:
            response = await creation.create_task_with_client_id(
                context, creation_limits, task_id, body
            )
            return created(response, "/tasks")
        changed = await service.replace_task(context, limits, task_id, body, condition.if_match)
    return _respond_with_change(changed)


@router.delete("/{task_id}", status_code=204, responses=DELETED)
async def delete_task(
    task_id: TaskId,
    if_match: IfMatch,
    _: DeleteBody,
    deletion: DeletionQuery,
    context: WriteContext,
    retention_days: RetentionDays,
) -> Response:
    """Delete a task; 404 if it is not the user's.

    Its subtasks become ordinary tasks, or are deleted as well with `subtasks=delete`.
    """
    with_subtasks = deletion.subtasks == "delete"
    async with context.write_slot():
        await service.delete_task(
            context, task_id, if_match, retention_days, with_subtasks=with_subtasks
        )
    return Response(status_code=204)


@router.post("/{task_id}/move", response_model=TaskRead, responses=MOVED)
async def move_task(
    task_id: TaskId, if_match: IfMatch, key: IdempotencyKey, body: MoveBody, context: WriteContext
) -> Response:
    """Move a task to another list, or within its own; 404 if it is not the user's."""
    async with context.write_slot():
        response = await moves.move_task(context, task_id, body, if_match, key)
    return ok(response)


def _respond_with_change(changed: service.ChangedTask) -> Response:
    headers: dict[str, str] = {}
    if changed.next_id is not None:
        headers["Link"] = f'</tasks/{changed.next_id}>; rel="next"'
    return with_etag(_TASK.dump_json(changed.task), changed.task["version"], headers)
