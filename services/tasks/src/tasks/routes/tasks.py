"""The addresses of tasks."""

from collections.abc import Sequence
from typing import Annotated, Final, cast
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import TypeAdapter

from common.reading import JSON_TYPE, MERGE_PATCH_TYPE, Body, Query
from tasks.conditions import Expected, Key, Placed, Seen
from tasks.fields import EXAMPLE_TASK
from tasks.routes.answers import (
    CHANGED,
    DELETED,
    MADE,
    MAYBE,
    MOVED,
    READ,
    REPLAYABLE,
    TAG,
    Answers,
    done,
    made,
    tag_headers,
    tagged,
    untagged,
)
from tasks.routes.direct import DirectRoute
from tasks.routes.needs import Admission, KeptDays
from tasks.routes.pieces import PiecesResponse
from tasks.schemas.query import TaskQuery
from tasks.schemas.tasks import Assertion, TaskChange, TaskCreate, TaskDelete, TaskMove, TaskRead, TaskReplace
from tasks.service import creation, order, tasks
from tasks.service.task_reader import TaskReader, TaskWriter
from tasks.turns import Caller, ListDelivery, Turn

router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=DirectRoute)

_TASK = TypeAdapter(TaskRead)
_TASKS = TypeAdapter(list[TaskRead])


def _write_tasks(tasks: Sequence[TaskRead]) -> bytes:
    """Write what stands between the brackets of an array."""
    return _TASKS.dump_json(cast("list[TaskRead]", tasks))[1:-1]


_WRITER: Final = TaskWriter(_write_tasks, separator=b",")


TaskId = Annotated[UUID, Path(description="The task.", examples=[EXAMPLE_TASK])]
Filters = Annotated[TaskQuery, Depends(Query(TaskQuery))]
Address = Annotated[Assertion, Depends(Query(Assertion))]
New = Annotated[TaskCreate, Depends(Body(TaskCreate, Assertion))]
Change = Annotated[TaskChange, Depends(Body(TaskChange, Assertion, (JSON_TYPE, MERGE_PATCH_TYPE)))]
Whole = Annotated[TaskReplace, Depends(Body(TaskReplace, Assertion))]
Move = Annotated[TaskMove, Depends(Body(TaskMove, Assertion))]
Deletion = Annotated[TaskDelete, Depends(Body(TaskDelete, Assertion, required=False))]

_FURTHER = ("get_task", "change_task", "replace_task", "delete_task", "move_task")
_LINKS = {name: {"operationId": name, "parameters": {"task_id": "$response.body#/id"}} for name in _FURTHER}
_LINK = {"description": 'The next page (`rel="next"`), if there is one.', "schema": {"type": "string"}}

_LISTED: Final[Answers] = {200: {"headers": {"ETag": MAYBE, "Link": _LINK}}, 304: {"headers": TAG}}
_POSTED: Final[Answers] = {201: {"headers": {**MADE, **REPLAYABLE}, "links": _LINKS}, 409: {}}
_PUT: Final[Answers] = {**CHANGED, 201: {"headers": MADE, "links": _LINKS}, 409: {}}


@router.get("", response_model=list[TaskRead], responses=_LISTED)
async def list_tasks(
    request: Request, seen: Seen, filters: Filters, caller: Caller, delivery: ListDelivery
) -> Response:
    """List the caller's tasks, oldest first: all of them, or with `limit` a page. With `overdue` there is no tag."""
    by_clock = filters.overdue is not None
    reader = TaskReader(*caller, filters, _WRITER, delivery)
    beginning = await reader.begin([] if by_clock else seen)
    link = _next(request, reader.cursor)
    if not reader.is_whole:
        headers = link if by_clock else tag_headers(reader.version) | link
        return PiecesResponse(request, b"[" + beginning, reader.rest(), b"]", reader.close, headers)
    body = b"[" + beginning + b"]"
    return untagged(body, link) if by_clock else tagged(body, reader.version, link, seen=seen)


@router.post("", status_code=201, response_model=TaskRead, responses=_POSTED)
async def create_task(key: Key, new: New, turn: Turn, admission: Admission) -> Response:
    """Add a task; with `Idempotency-Key` only once within 24 hours, however often it is sent."""
    async with turn as caller:
        return made(await creation.create_task(*caller, admission, new, key), "/tasks")


@router.get("/{task_id}", response_model=TaskRead, responses=READ)
async def get_task(task_id: TaskId, seen: Seen, _: Address, caller: Caller) -> Response:
    """Show one task; 404 if it is not the caller's."""
    task = await tasks.get_task(*caller, task_id)
    return tagged(_TASK.dump_json(task), task["version"], seen=seen)


@router.patch("/{task_id}", response_model=TaskRead, responses=CHANGED)
async def change_task(task_id: TaskId, expected: Expected, change: Change, turn: Turn) -> Response:
    """Change the fields that are sent; 404 if the task is not the caller's."""
    async with turn as caller:
        task = await tasks.change_task(*caller, task_id, change, expected)
    return tagged(_TASK.dump_json(task), task["version"])


@router.put("/{task_id}", response_model=TaskRead, responses=_PUT)
async def replace_task(task_id: TaskId, target: Placed, whole: Whole, turn: Turn, admission: Admission) -> Response:
    """Replace a task; what is absent goes to its default, but list, due date, priority and labels stay.

    404 if the task is not the caller's.

    With `If-None-Match: *` make one under this id instead, be it for the first time or to undo its deletion.
    """
    async with turn as caller:
        if target.is_new:
            return made(await creation.create_named_task(*caller, admission, task_id, whole), "/tasks")
        task = await tasks.replace_task(*caller, task_id, whole, target.expected)
    return tagged(_TASK.dump_json(task), task["version"])


@router.delete("/{task_id}", status_code=204, responses=DELETED)
async def delete_task(task_id: TaskId, expected: Expected, _: Deletion, turn: Turn, kept_days: KeptDays) -> Response:
    """Delete a task; 404 if it is not the caller's."""
    async with turn as caller:
        await tasks.delete_task(*caller, task_id, expected, kept_days)
    return Response(status_code=204)


@router.post("/{task_id}/move", response_model=TaskRead, responses=MOVED)
async def move_task(task_id: TaskId, expected: Expected, key: Key, move: Move, turn: Turn) -> Response:
    """Put a task into another list, or elsewhere in its own; 404 if the task is not the caller's."""
    async with turn as caller:
        return done(await order.move_task(*caller, task_id, move, expected, key))


def _next(request: Request, cursor: str | None) -> dict[str, str]:
    """Link the next page of the same list.

    Source: RFC 8288, 3.
    """
    if cursor is None:
        return {}
    same = [each for each in request.query_params.multi_items() if each[0] != "cursor"]
    return {"Link": f'</tasks?{urlencode([*same, ("cursor", cursor)])}>; rel="next"'}
