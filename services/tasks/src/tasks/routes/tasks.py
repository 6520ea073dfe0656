"""The addresses of tasks."""

from typing import Annotated, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import TypeAdapter

from common.database import DbSession
from common.identity import CurrentUser
from common.reading import JSON_TYPE, MERGE_PATCH_TYPE, Body, Query
from tasks.conditions import Expected, Key, Placed, Seen, Unconditional
from tasks.fields import EXAMPLE_TASK
from tasks.peers import UsersService
from tasks.routes.answers import TAG, Answers, tagged
from tasks.schemas import Assertion, TaskChange, TaskCreate, TaskDelete, TaskQuery, TaskRead, TaskReplace
from tasks.service import creation, tasks
from tasks.turns import WriteSession

router = APIRouter(prefix="/tasks", tags=["tasks"])

_TASK = TypeAdapter(TaskRead)
_TASKS = TypeAdapter(list[TaskRead])


async def _admission(request: Request) -> creation.Admission:
    state = request.app.state
    peer = UsersService(state.users, request.scope["request_id"])
    return creation.Admission(peer, state.settings.tasks_per_user_max)


async def _kept_days(request: Request) -> int:
    return request.app.state.settings.tombstones_kept_days


KeptDays = Annotated[int, Depends(_kept_days)]
TaskId = Annotated[UUID, Path(description="The task.", examples=[EXAMPLE_TASK])]
Admission = Annotated[creation.Admission, Depends(_admission)]
Filters = Annotated[TaskQuery, Depends(Query(TaskQuery))]
Address = Annotated[Assertion, Depends(Query(Assertion))]
New = Annotated[TaskCreate, Depends(Body(TaskCreate, Assertion))]
Change = Annotated[TaskChange, Depends(Body(TaskChange, Assertion, (JSON_TYPE, MERGE_PATCH_TYPE)))]
Whole = Annotated[TaskReplace, Depends(Body(TaskReplace, Assertion))]
Deletion = Annotated[TaskDelete, Depends(Body(TaskDelete, Assertion, required=False))]

_FURTHER = ("get_task", "change_task", "replace_task", "delete_task")
_LINKS = {name: {"operationId": name, "parameters": {"task_id": "$response.body#/id"}} for name in _FURTHER}
_LOCATION = {"description": "The task's address.", "required": True, "schema": {"type": "string"}}
_LINK = {"description": 'The next page (`rel="next"`), if there is one.', "schema": {"type": "string"}}
_REPLAYED = {"description": "An earlier request with the key made it.", "schema": {"type": "string", "enum": ["true"]}}
_MADE = {**TAG, "Location": _LOCATION}

_LISTED: Final[Answers] = {200: {"headers": {**TAG, "Link": _LINK}}, 304: {"headers": TAG}}
_READ: Final[Answers] = {200: {"headers": TAG}, 304: {"headers": TAG}}
_POSTED: Final[Answers] = {201: {"headers": {**_MADE, "Idempotency-Replayed": _REPLAYED}, "links": _LINKS}, 409: {}}
_CHANGED: Final[Answers] = {200: {"headers": TAG}, 412: {}}
_PUT: Final[Answers] = {**_CHANGED, 201: {"headers": _MADE, "links": _LINKS}, 409: {}}


@router.get("", response_model=list[TaskRead], responses=_LISTED)
async def list_tasks(request: Request, seen: Seen, filters: Filters, user: CurrentUser, session: DbSession) -> Response:
    """List the caller's tasks, oldest first: all of them, or with `limit` a page."""
    found = await tasks.find_tasks(session, user, filters, seen)
    return tagged(_TASKS.dump_json(found.tasks), found.version, _next(request, found.cursor), seen=seen)


@router.post("", status_code=201, response_model=TaskRead, responses=_POSTED, dependencies=[Unconditional])
async def create_task(key: Key, new: New, user: CurrentUser, session: WriteSession, admission: Admission) -> Response:
    """Add a task; with `Idempotency-Key` only once within 24 hours, however often it is sent."""
    return _made(await creation.create_task(session, admission, user, new, key))


@router.get("/{task_id}", response_model=TaskRead, responses=_READ)
async def get_task(task_id: TaskId, seen: Seen, _: Address, user: CurrentUser, session: DbSession) -> Response:
    """Show one task; 404 if it is not the caller's."""
    task = await tasks.get_task(session, user, task_id)
    return tagged(_TASK.dump_json(task), task["version"], seen=seen)


@router.patch("/{task_id}", response_model=TaskRead, responses=_CHANGED, dependencies=[Unconditional])
async def change_task(
    task_id: TaskId, expected: Expected, change: Change, user: CurrentUser, session: WriteSession
) -> Response:
    """Change the fields that are sent; 404 if the task is not the caller's."""
    task = await tasks.change_task(session, user, task_id, change, expected)
    return tagged(_TASK.dump_json(task), task["version"])


@router.put("/{task_id}", response_model=TaskRead, responses=_PUT)
async def replace_task(
    task_id: TaskId, target: Placed, whole: Whole, user: CurrentUser, session: WriteSession, admission: Admission
) -> Response:
    """Replace a task; what is absent goes to its default. 404 if the task is not the caller's.

    With `If-None-Match: *` make one under this id instead, be it for the first time or to undo its deletion.
    """
    if target.is_new:
        return _made(await creation.create_named_task(session, admission, user, task_id, whole))
    task = await tasks.replace_task(session, user, task_id, whole, target.expected)
    return tagged(_TASK.dump_json(task), task["version"])


@router.delete("/{task_id}", status_code=204, responses={412: {}}, dependencies=[Unconditional])
async def delete_task(
    task_id: TaskId, expected: Expected, _: Deletion, user: CurrentUser, session: WriteSession, kept_days: KeptDays
) -> Response:
    """Delete a task; 404 if it is not the caller's."""
    await tasks.delete_task(session, user, task_id, expected, kept_days)
    return Response(status_code=204)


def _made(made: creation.Creation) -> Response:
    replayed = {"Idempotency-Replayed": "true"} if made.replayed else {}
    return tagged(made.answer, made.version, {"Location": f"/tasks/{made.task_id}", **replayed}, 201)


def _next(request: Request, cursor: str | None) -> dict[str, str]:
    """Link the next page of the same list.

    Source: RFC 8288, 3.
    """
    if cursor is None:
        return {}
    query = urlencode({**request.query_params, "cursor": cursor})
    return {"Link": f'</tasks?{query}>; rel="next"'}
