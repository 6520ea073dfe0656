"""The addresses of this service."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import TypeAdapter

from common.database import DbSession
from common.identity import CurrentUser
from common.reading import JSON_TYPE, MERGE_PATCH_TYPE, Body, Query
from tasks import service
from tasks.fields import EXAMPLE_TASK
from tasks.peers import UsersService
from tasks.schemas import Assertion, TaskChange, TaskCreate, TaskDelete, TaskQuery, TaskRead, TaskReplace
from tasks.settings import TasksSettings

router = APIRouter(prefix="/tasks", tags=["tasks"])

_TASK = TypeAdapter(TaskRead)
_TASKS = TypeAdapter(list[TaskRead])


async def _peer(request: Request) -> UsersService:
    return UsersService(request.app.state.users, request.scope["request_id"])


async def _settings(request: Request) -> TasksSettings:
    return request.app.state.settings


TaskId = Annotated[UUID, Path(description="The task.", examples=[EXAMPLE_TASK])]
Peer = Annotated[UsersService, Depends(_peer)]
Limits = Annotated[TasksSettings, Depends(_settings)]
Filters = Annotated[TaskQuery, Depends(Query(TaskQuery))]
Address = Depends(Query(Assertion))
New = Annotated[TaskCreate, Depends(Body(TaskCreate, Assertion))]
Change = Annotated[TaskChange, Depends(Body(TaskChange, Assertion, (JSON_TYPE, MERGE_PATCH_TYPE)))]
Whole = Annotated[TaskReplace, Depends(Body(TaskReplace, Assertion))]
Deletion = Depends(Body(TaskDelete, Assertion, required=False))

_LOCATION = {"description": "The task's address.", "required": True, "schema": {"type": "string"}}
_FURTHER = ("get_task", "change_task", "replace_task", "delete_task")
_LINKS = {name: {"operationId": name, "parameters": {"task_id": "$response.body#/id"}} for name in _FURTHER}
_CREATED = {"headers": {"Location": _LOCATION}, "links": _LINKS}
_LINK = {"description": 'The next page (`rel="next"`), if there is one.', "schema": {"type": "string"}}


@router.get("", response_model=list[TaskRead], responses={200: {"headers": {"Link": _LINK}}})
async def list_tasks(request: Request, filters: Filters, user: CurrentUser, session: DbSession) -> Response:
    """List the caller's tasks, oldest first: all of them, or with `limit` a page."""
    tasks, cursor = await service.find_tasks(session, user, filters)
    return Response(_TASKS.dump_json(tasks), headers=_next(request, cursor), media_type=JSON_TYPE)


@router.post("", status_code=201, response_model=TaskRead, responses={201: _CREATED})
async def create_task(new: New, user: CurrentUser, session: DbSession, peer: Peer, limits: Limits) -> Response:
    """Add a task."""
    task = await service.create_task(session, peer, user, new, limits.tasks_per_user_max)
    return _answer(task, 201, {"Location": f"/tasks/{task['id']}"})


@router.get("/{task_id}", response_model=TaskRead, dependencies=[Address])
async def get_task(task_id: TaskId, user: CurrentUser, session: DbSession) -> Response:
    """Show one task; 404 if it is not the caller's."""
    return _answer(await service.get_task(session, user, task_id))


@router.patch("/{task_id}", response_model=TaskRead)
async def change_task(task_id: TaskId, change: Change, user: CurrentUser, session: DbSession) -> Response:
    """Change the fields that are sent; 404 if the task is not the caller's."""
    return _answer(await service.change_task(session, user, task_id, change))


@router.put("/{task_id}", response_model=TaskRead)
async def replace_task(task_id: TaskId, whole: Whole, user: CurrentUser, session: DbSession) -> Response:
    """Replace a task; what is absent goes to its default. 404 if the task is not the caller's."""
    return _answer(await service.replace_task(session, user, task_id, whole))


@router.delete("/{task_id}", status_code=204, dependencies=[Deletion])
async def delete_task(task_id: TaskId, user: CurrentUser, session: DbSession) -> None:
    """Delete a task; 404 if it is not the caller's."""
    await service.delete_task(session, user, task_id)


def _answer(task: TaskRead, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(_TASK.dump_json(task), status, headers, JSON_TYPE)


def _next(request: Request, cursor: str | None) -> dict[str, str]:
    """Link the next page of the same list.

    Source: RFC 8288, 3.
    """
    if cursor is None:
        return {}
    query = urlencode({**request.query_params, "cursor": cursor})
    return {"Link": f'</tasks?{query}>; rel="next"'}
