"""Endpoints of tasks."""

from collections.abc import Sequence
from typing import Annotated, Final, cast
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import TypeAdapter

from common.media_types import JSON_TYPE, MERGE_PATCH_TYPE
from common.validation import JsonBody, QueryParams
from tasks.core.dependencies import (
    CreationLimits,
    ListDelivery,
    ReadContext,
    RetentionDays,
    WriteContext,
)
from tasks.core.preconditions import IdempotencyKey, IfMatch, IfNoneMatch, PutCondition
from tasks.core.responses import (
    CHANGED,
    CREATED_HEADERS,
    DELETED,
    ETAG,
    MOVED,
    OPTIONAL_ETAG,
    READ,
    REPLAYABLE,
    Responses,
    created,
    etag_headers,
    ok,
    with_etag,
    without_etag,
)
from tasks.core.routing import RequestOnlyRoute
from tasks.core.types import EXAMPLE_TASK
from tasks.task import creation, moves, service
from tasks.task.filters import TaskQuery
from tasks.task.reader import TaskReader, TaskWriter
from tasks.task.schemas import (
    TaskChange,
    TaskCreate,
    TaskDelete,
    TaskMove,
    TaskRead,
    TaskReplace,
    UserIdQuery,
)
from tasks.task.streaming import ChunkedResponse

router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=RequestOnlyRoute)

_TASK = TypeAdapter(TaskRead)
_TASKS = TypeAdapter(list[TaskRead])

TaskId = Annotated[UUID, Path(description="The task.", examples=[EXAMPLE_TASK])]
TaskFilters = Annotated[TaskQuery, Depends(QueryParams(TaskQuery))]
OnlyUserId = Annotated[UserIdQuery, Depends(QueryParams(UserIdQuery))]
CreateBody = Annotated[TaskCreate, Depends(JsonBody(TaskCreate, UserIdQuery))]
ChangeBody = Annotated[
    TaskChange, Depends(JsonBody(TaskChange, UserIdQuery, (JSON_TYPE, MERGE_PATCH_TYPE)))
]
ReplaceBody = Annotated[TaskReplace, Depends(JsonBody(TaskReplace, UserIdQuery))]
MoveBody = Annotated[TaskMove, Depends(JsonBody(TaskMove, UserIdQuery))]
DeleteBody = Annotated[TaskDelete, Depends(JsonBody(TaskDelete, UserIdQuery, required=False))]

_LINKED_OPERATIONS = ("get_task", "change_task", "replace_task", "delete_task", "move_task")
_LINKS = {
    operation_id: {"operationId": operation_id, "parameters": {"task_id": "$response.body#/id"}}
    for operation_id in _LINKED_OPERATIONS
}
_LINK_HEADER = {
    "description": 'The next page (`rel="next"`), if there is one.',
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
_REPLACED: Final[Responses] = CHANGED | {
    201: {"headers": CREATED_HEADERS, "links": _LINKS},
    409: {},
}


def _serialize_items(tasks: Sequence[TaskRead]) -> bytes:
    """Serialize tasks as the items of a JSON array, without its brackets."""
    return _TASKS.dump_json(cast("list[TaskRead]", tasks))[1:-1]


_WRITER: Final = TaskWriter(_serialize_items, separator=b",")


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
    known_versions = if_none_match if has_etag else []
    reader = TaskReader(context, filters, _WRITER, delivery)
    items = await reader.begin(known_versions)
    headers = _list_headers(request, reader, has_etag=has_etag)
    if not reader.is_whole:
        return ChunkedResponse(request, b"[" + items, reader.rest(), b"]", reader.close, headers)
    body = b"[" + items + b"]"
    if has_etag:
        return with_etag(body, reader.version, headers, if_none_match=known_versions)
    return without_etag(body, headers)


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


@router.patch("/{task_id}", response_model=TaskRead, responses=CHANGED)
async def change_task(
    task_id: TaskId, if_match: IfMatch, body: ChangeBody, context: WriteContext
) -> Response:
    """Change the fields that are sent; 404 if the task is not the user's."""
    async with context.write_slot():
        task = await service.change_task(context, task_id, body, if_match)
    return with_etag(_TASK.dump_json(task), task["version"])


@router.put("/{task_id}", response_model=TaskRead, responses=_REPLACED)
async def replace_task(
    task_id: TaskId,
    condition: PutCondition,
    body: ReplaceBody,
    context: WriteContext,
    limits: CreationLimits,
) -> Response:
    """Replace a task; 404 if it is not the user's.

    Absent fields get their defaults, but list, due date, priority and labels stay.

    With `If-None-Match: *` create a task with this id instead, for the first time or to undo its
    deletion.
    """
    async with context.write_slot():
        if condition.is_new:
            response = await creation.create_task_with_client_id(context, limits, task_id, body)
            return created(response, "/tasks")
        task = await service.replace_task(context, task_id, body, condition.if_match)
    return with_etag(_TASK.dump_json(task), task["version"])


@router.delete("/{task_id}", status_code=204, responses=DELETED)
async def delete_task(
    task_id: TaskId,
    if_match: IfMatch,
    _: DeleteBody,
    context: WriteContext,
    retention_days: RetentionDays,
) -> Response:
    """Delete a task; 404 if it is not the user's."""
    async with context.write_slot():
        await service.delete_task(context, task_id, if_match, retention_days)
    return Response(status_code=204)


@router.post("/{task_id}/move", response_model=TaskRead, responses=MOVED)
async def move_task(
    task_id: TaskId, if_match: IfMatch, key: IdempotencyKey, body: MoveBody, context: WriteContext
) -> Response:
    """Move a task to another list, or within its own; 404 if it is not the user's."""
    async with context.write_slot():
        response = await moves.move_task(context, task_id, body, if_match, key)
    return ok(response)


def _list_headers(request: Request, reader: TaskReader, *, has_etag: bool) -> dict[str, str]:
    headers: dict[str, str] = {}
    if has_etag:
        headers.update(etag_headers(reader.version))
    if reader.cursor is not None:
        headers["Link"] = _next_link(request, reader.cursor)
    return headers


def _next_link(request: Request, cursor: str) -> str:
    """Return the `Link` to the next page of the same list.

    Source: RFC 8288, 3.
    """
    query_params = [
        (name, value) for name, value in request.query_params.multi_items() if name != "cursor"
    ]
    query_params.append(("cursor", cursor))
    return f'</tasks?{urlencode(query_params)}>; rel="next"'
