"""The addresses of tasks."""

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
from tasks.task import creation, moves
from tasks.task import service as tasks
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


def _write_tasks(tasks: Sequence[TaskRead]) -> bytes:
    """Write what stands between the brackets of an array."""
    return _TASKS.dump_json(cast("list[TaskRead]", tasks))[1:-1]


_WRITER: Final = TaskWriter(_write_tasks, separator=b",")


TaskId = Annotated[UUID, Path(description="The task.", examples=[EXAMPLE_TASK])]
Filters = Annotated[TaskQuery, Depends(QueryParams(TaskQuery))]
Address = Annotated[UserIdQuery, Depends(QueryParams(UserIdQuery))]
New = Annotated[TaskCreate, Depends(JsonBody(TaskCreate, UserIdQuery))]
Change = Annotated[
    TaskChange, Depends(JsonBody(TaskChange, UserIdQuery, (JSON_TYPE, MERGE_PATCH_TYPE)))
]
Whole = Annotated[TaskReplace, Depends(JsonBody(TaskReplace, UserIdQuery))]
Move = Annotated[TaskMove, Depends(JsonBody(TaskMove, UserIdQuery))]
Deletion = Annotated[TaskDelete, Depends(JsonBody(TaskDelete, UserIdQuery, required=False))]

_FURTHER = ("get_task", "change_task", "replace_task", "delete_task", "move_task")
_LINKS = {
    name: {"operationId": name, "parameters": {"task_id": "$response.body#/id"}}
    for name in _FURTHER
}
_LINK = {
    "description": 'The next page (`rel="next"`), if there is one.',
    "schema": {"type": "string"},
}

_LISTED: Final[Responses] = {
    200: {"headers": {"ETag": OPTIONAL_ETAG, "Link": _LINK}},
    304: {"headers": ETAG},
}
_POSTED: Final[Responses] = {
    201: {"headers": {**CREATED_HEADERS, **REPLAYABLE}, "links": _LINKS},
    409: {},
}
_PUT: Final[Responses] = {**CHANGED, 201: {"headers": CREATED_HEADERS, "links": _LINKS}, 409: {}}


@router.get("", response_model=list[TaskRead], responses=_LISTED)
async def list_tasks(
    request: Request,
    if_none_match: IfNoneMatch,
    filters: Filters,
    context: ReadContext,
    delivery: ListDelivery,
) -> Response:
    """List the caller's tasks, oldest first: all of them, or with `limit` a page. With `overdue` there is no tag."""
    by_clock = filters.overdue is not None
    reader = TaskReader(context, filters, _WRITER, delivery)
    beginning = await reader.begin([] if by_clock else if_none_match)
    link = _next(request, reader.cursor)
    if not reader.is_whole:
        headers = link if by_clock else etag_headers(reader.version) | link
        return ChunkedResponse(
            request, b"[" + beginning, reader.rest(), b"]", reader.close, headers
        )
    body = b"[" + beginning + b"]"
    return (
        without_etag(body, link)
        if by_clock
        else with_etag(body, reader.version, link, if_none_match=if_none_match)
    )


@router.post("", status_code=201, response_model=TaskRead, responses=_POSTED)
async def create_task(
    key: IdempotencyKey, new: New, context: WriteContext, limits: CreationLimits
) -> Response:
    """Add a task; with `Idempotency-Key` only once within 24 hours, however often it is sent."""
    async with context.write_slot():
        return created(await creation.create_task(context, limits, new, key), "/tasks")


@router.get("/{task_id}", response_model=TaskRead, responses=READ)
async def get_task(
    task_id: TaskId, if_none_match: IfNoneMatch, _: Address, context: ReadContext
) -> Response:
    """Show one task; 404 if it is not the caller's."""
    task = await tasks.get_task(context, task_id)
    return with_etag(_TASK.dump_json(task), task["version"], if_none_match=if_none_match)


@router.patch("/{task_id}", response_model=TaskRead, responses=CHANGED)
async def change_task(
    task_id: TaskId, if_match: IfMatch, change: Change, context: WriteContext
) -> Response:
    """Change the fields that are sent; 404 if the task is not the caller's."""
    async with context.write_slot():
        task = await tasks.change_task(context, task_id, change, if_match)
    return with_etag(_TASK.dump_json(task), task["version"])


@router.put("/{task_id}", response_model=TaskRead, responses=_PUT)
async def replace_task(
    task_id: TaskId,
    condition: PutCondition,
    whole: Whole,
    context: WriteContext,
    limits: CreationLimits,
) -> Response:
    """Replace a task; what is absent goes to its default, but list, due date, priority and labels stay.

    404 if the task is not the caller's.

    With `If-None-Match: *` make one under this id instead, be it for the first time or to undo its deletion.
    """
    async with context.write_slot():
        if condition.is_new:
            return created(
                await creation.create_task_with_client_id(context, limits, task_id, whole),
                "/tasks",
            )
        task = await tasks.replace_task(context, task_id, whole, condition.if_match)
    return with_etag(_TASK.dump_json(task), task["version"])


@router.delete("/{task_id}", status_code=204, responses=DELETED)
async def delete_task(
    task_id: TaskId,
    if_match: IfMatch,
    _: Deletion,
    context: WriteContext,
    retention_days: RetentionDays,
) -> Response:
    """Delete a task; 404 if it is not the caller's."""
    async with context.write_slot():
        await tasks.delete_task(context, task_id, if_match, retention_days)
    return Response(status_code=204)


@router.post("/{task_id}/move", response_model=TaskRead, responses=MOVED)
async def move_task(
    task_id: TaskId, if_match: IfMatch, key: IdempotencyKey, move: Move, context: WriteContext
) -> Response:
    """Put a task into another list, or elsewhere in its own; 404 if the task is not the caller's."""
    async with context.write_slot():
        return ok(await moves.move_task(context, task_id, move, if_match, key))


def _next(request: Request, cursor: str | None) -> dict[str, str]:
    """Link the next page of the same list.

    Source: RFC 8288, 3.
    """
    if cursor is None:
        return {}
    same = [each for each in request.query_params.multi_items() if each[0] != "cursor"]
    return {"Link": f'</tasks?{urlencode([*same, ("cursor", cursor)])}>; rel="next"'}
