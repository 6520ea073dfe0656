"""The addresses of this service."""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import TypeAdapter

from common.database import DbSession
from common.errors import MethodNotAllowed
from common.identity import CurrentUser
from common.reading import JSON_TYPE, MERGE_PATCH_TYPE, Body, Query
from tasks import service
from tasks.conditions import Expected, Key, Placed, Seen, Tags, Unconditional, is_among
from tasks.fields import EXAMPLE_TASK
from tasks.peers import UsersService
from tasks.schemas import (
    Assertion,
    ChangesQuery,
    ChangesRead,
    TaskChange,
    TaskCreate,
    TaskDelete,
    TaskQuery,
    TaskRead,
    TaskReplace,
)
from tasks.turns import WriteSession

router = APIRouter(prefix="/tasks", tags=["tasks"])

_TASK = TypeAdapter(TaskRead)
_TASKS = TypeAdapter(list[TaskRead])
_CHANGES = TypeAdapter(ChangesRead)


async def _admission(request: Request) -> service.Admission:
    state = request.app.state
    peer = UsersService(state.users, request.scope["request_id"])
    return service.Admission(peer, state.settings.tasks_per_user_max)


async def _kept_days(request: Request) -> int:
    return request.app.state.settings.tombstones_kept_days


KeptDays = Annotated[int, Depends(_kept_days)]
TaskId = Annotated[UUID, Path(description="The task.", examples=[EXAMPLE_TASK])]
Admission = Annotated[service.Admission, Depends(_admission)]
Filters = Annotated[TaskQuery, Depends(Query(TaskQuery))]
Feed = Annotated[ChangesQuery, Depends(Query(ChangesQuery))]
Address = Annotated[Assertion, Depends(Query(Assertion))]
New = Annotated[TaskCreate, Depends(Body(TaskCreate, Assertion))]
Change = Annotated[TaskChange, Depends(Body(TaskChange, Assertion, (JSON_TYPE, MERGE_PATCH_TYPE)))]
Whole = Annotated[TaskReplace, Depends(Body(TaskReplace, Assertion))]
Deletion = Annotated[TaskDelete, Depends(Body(TaskDelete, Assertion, required=False))]

_Answers = dict[int | str, dict[str, Any]]

_FURTHER = ("get_task", "change_task", "replace_task", "delete_task")
_LINKS = {name: {"operationId": name, "parameters": {"task_id": "$response.body#/id"}} for name in _FURTHER}
_LOCATION = {"description": "The task's address.", "required": True, "schema": {"type": "string"}}
_LINK = {"description": 'The next page (`rel="next"`), if there is one.', "schema": {"type": "string"}}
_QUOTED = {"type": "string", "pattern": '^"[0-9]+"$'}
_TAG = {"ETag": {"description": "The version, in quotes.", "required": True, "schema": _QUOTED}}
_REPLAYED = {"description": "An earlier request with the key made it.", "schema": {"type": "string", "enum": ["true"]}}
_MADE = {**_TAG, "Location": _LOCATION}

_READ_ONLY = {"Allow": "GET, HEAD, OPTIONS"}
_LISTED: Final[_Answers] = {200: {"headers": {**_TAG, "Link": _LINK}}, 304: {"headers": _TAG}}
_READ: Final[_Answers] = {200: {"headers": _TAG}, 304: {"headers": _TAG}}
_POSTED: Final[_Answers] = {201: {"headers": {**_MADE, "Idempotency-Replayed": _REPLAYED}, "links": _LINKS}, 409: {}}
_CHANGED: Final[_Answers] = {200: {"headers": _TAG}, 412: {}}
_PUT: Final[_Answers] = {**_CHANGED, 201: {"headers": _MADE, "links": _LINKS}, 409: {}}


@router.get("", response_model=list[TaskRead], responses=_LISTED)
async def list_tasks(request: Request, seen: Seen, filters: Filters, user: CurrentUser, session: DbSession) -> Response:
    """List the caller's tasks, oldest first: all of them, or with `limit` a page."""
    found = await service.find_tasks(session, user, filters, seen)
    return _tagged(_TASKS.dump_json(found.tasks), found.version, _next(request, found.cursor), seen=seen)


@router.post("", status_code=201, response_model=TaskRead, responses=_POSTED, dependencies=[Unconditional])
async def create_task(key: Key, new: New, user: CurrentUser, session: WriteSession, admission: Admission) -> Response:
    """Add a task; with `Idempotency-Key` only once within 24 hours, however often it is sent."""
    return _made(await service.create_task(session, admission, user, new, key))


@router.get("/changes", response_model=ChangesRead, responses={410: {}})
async def list_changes(query: Feed, user: CurrentUser, session: DbSession) -> Response:
    """List what happened to the caller's tasks since the last time, deletions included; 410 when it is too long ago."""
    return Response(_CHANGES.dump_json(await service.find_changes(session, user, query)), media_type=JSON_TYPE)


@router.route("/tasks/changes", methods=["POST", "PUT", "PATCH", "DELETE", "OPTIONS"], include_in_schema=False)
async def refuse_to_change_changes(request: Request) -> Response:
    """Keep the word from being read as the id of a task."""
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=_READ_ONLY)
    raise MethodNotAllowed(headers=_READ_ONLY)


@router.get("/{task_id}", response_model=TaskRead, responses=_READ)
async def get_task(task_id: TaskId, seen: Seen, _: Address, user: CurrentUser, session: DbSession) -> Response:
    """Show one task; 404 if it is not the caller's."""
    task = await service.get_task(session, user, task_id)
    return _tagged(_TASK.dump_json(task), task["version"], seen=seen)


@router.patch("/{task_id}", response_model=TaskRead, responses=_CHANGED, dependencies=[Unconditional])
async def change_task(
    task_id: TaskId, expected: Expected, change: Change, user: CurrentUser, session: WriteSession
) -> Response:
    """Change the fields that are sent; 404 if the task is not the caller's."""
    task = await service.change_task(session, user, task_id, change, expected)
    return _tagged(_TASK.dump_json(task), task["version"])


@router.put("/{task_id}", response_model=TaskRead, responses=_PUT)
async def replace_task(
    task_id: TaskId, target: Placed, whole: Whole, user: CurrentUser, session: WriteSession, admission: Admission
) -> Response:
    """Replace a task; what is absent goes to its default. 404 if the task is not the caller's.

    With `If-None-Match: *` make one under this id instead, be it for the first time or to undo its deletion.
    """
    if target.is_new:
        return _made(await service.create_named_task(session, admission, user, task_id, whole))
    task = await service.replace_task(session, user, task_id, whole, target.expected)
    return _tagged(_TASK.dump_json(task), task["version"])


@router.delete("/{task_id}", status_code=204, responses={412: {}}, dependencies=[Unconditional])
async def delete_task(
    task_id: TaskId, expected: Expected, _: Deletion, user: CurrentUser, session: WriteSession, kept_days: KeptDays
) -> None:
    """Delete a task; 404 if it is not the caller's."""
    await service.delete_task(session, user, task_id, expected, kept_days)


def _made(made: service.Creation) -> Response:
    replayed = {"Idempotency-Replayed": "true"} if made.replayed else {}
    return _tagged(made.answer, made.version, {"Location": f"/tasks/{made.task_id}", **replayed}, 201)


def _tagged(
    body: bytes, version: int, headers: Mapping[str, str] | None = None, status: int = 200, seen: Tags | None = None
) -> Response:
    """Show what has this version, unless the caller has seen it."""
    said = {"ETag": f'"{version}"', "Vary": "Authorization", "Cache-Control": "private, no-cache"}
    if is_among(version, seen or []):
        return Response(status_code=304, headers=said)
    return Response(body, status, {**said, **(headers or {})}, JSON_TYPE)


def _next(request: Request, cursor: str | None) -> dict[str, str]:
    """Link the next page of the same list.

    Source: RFC 8288, 3.
    """
    if cursor is None:
        return {}
    query = urlencode({**request.query_params, "cursor": cursor})
    return {"Link": f'</tasks?{query}>; rel="next"'}
