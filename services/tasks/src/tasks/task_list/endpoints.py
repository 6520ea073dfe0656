"""The endpoints of lists."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response
from pydantic import TypeAdapter

from common.media_types import JSON_TYPE, MERGE_PATCH_TYPE
from common.validation import JsonBody, QueryParams
from tasks.core.dependencies import (
    CreationLimits,
    NoQueryParams,
    ReadContext,
    RetentionDays,
    WriteContext,
)
from tasks.core.preconditions import IdempotencyKey, IfMatch, IfNoneMatch, PutCondition
from tasks.core.responses import (
    DELETED,
    MOVED,
    READ,
    RENAMED,
    created,
    ok,
    operation_links,
    posted,
    put,
    with_etag,
)
from tasks.core.routing import RequestOnlyRoute
from tasks.core.types.names import EXAMPLE_LIST
from tasks.task_list import creation, moves, service
from tasks.task_list.schemas import (
    ListChange,
    ListCreate,
    ListDeletion,
    ListMove,
    ListRead,
    ListReplace,
)

router = APIRouter(prefix="/lists", tags=["lists"], route_class=RequestOnlyRoute)

_LIST = TypeAdapter(ListRead)
_LISTS = TypeAdapter(list[ListRead])
_CHANGE_TYPES = (JSON_TYPE, MERGE_PATCH_TYPE)

ListId = Annotated[UUID, Path(description="The list.", examples=[EXAMPLE_LIST])]
CreateBody = Annotated[ListCreate, Depends(JsonBody(ListCreate))]
ChangeBody = Annotated[ListChange, Depends(JsonBody(ListChange, media_types=_CHANGE_TYPES))]
ReplaceBody = Annotated[ListReplace, Depends(JsonBody(ListReplace))]
MoveBody = Annotated[ListMove, Depends(JsonBody(ListMove))]
DeletionQuery = Annotated[ListDeletion, Depends(QueryParams(ListDeletion))]

_LINKS = operation_links(
    "list_id", ("get_list", "change_list", "replace_list", "delete_list", "move_list")
)


@router.get("", response_model=list[ListRead], responses=READ)
async def list_lists(
    if_none_match: IfNoneMatch, _: NoQueryParams, context: ReadContext
) -> Response:
    """List the user's lists in their order."""
    result = await service.list_lists(context, if_none_match)
    body = _LISTS.dump_json(result.lists)
    return with_etag(body, result.version, if_none_match=if_none_match)


@router.post("", status_code=201, response_model=ListRead, responses=posted(_LINKS))
async def create_list(
    key: IdempotencyKey, new: CreateBody, context: WriteContext, limits: CreationLimits
) -> Response:
    """Create a list; with `Idempotency-Key` once within 24 hours, however often it is sent."""
    async with context.write_slot():
        response = await creation.create_list(context, limits, new, key)
    return created(response, "/lists")


@router.get("/{list_id}", response_model=ListRead, responses=READ)
async def get_list(
    list_id: ListId, if_none_match: IfNoneMatch, _: NoQueryParams, context: ReadContext
) -> Response:
    """Return one list; 404 if it is not the user's."""
    task_list = await service.get_list(context, list_id)
    body = _LIST.dump_json(task_list)
    return with_etag(body, task_list["version"], if_none_match=if_none_match)


@router.patch("/{list_id}", response_model=ListRead, responses=RENAMED)
async def change_list(
    list_id: ListId, if_match: IfMatch, change: ChangeBody, context: WriteContext
) -> Response:
    """Rename a list; 404 if it is not the user's."""
    async with context.write_slot():
        task_list = await service.change_list(context, list_id, change, if_match)
    return with_etag(_LIST.dump_json(task_list), task_list["version"])


@router.put("/{list_id}", response_model=ListRead, responses=put(_LINKS))
async def replace_list(
    list_id: ListId,
    target: PutCondition,
    new: ReplaceBody,
    context: WriteContext,
    limits: CreationLimits,
) -> Response:
    """Replace a list, which renames it; 404 if it is not the user's.

    With `If-None-Match: *` create a list under this id instead, which undoes its deletion.
    """
    async with context.write_slot():
        if target.is_new:
            response = await creation.create_list_with_client_id(context, limits, list_id, new)
            return created(response, "/lists")
        task_list = await service.change_list(context, list_id, new, target.if_match)
    return with_etag(_LIST.dump_json(task_list), task_list["version"])


@router.delete("/{list_id}", status_code=204, responses=DELETED)
async def delete_list(
    list_id: ListId,
    if_match: IfMatch,
    deletion: DeletionQuery,
    context: WriteContext,
    retention_days: RetentionDays,
) -> Response:
    """Delete a list; 404 if it is not the user's.

    Its tasks move to the inbox, or are deleted as well with `tasks=delete`.
    """
    with_tasks = deletion.tasks == "delete"
    async with context.write_slot():
        await service.delete_list(context, list_id, if_match, retention_days, with_tasks=with_tasks)
    return Response(status_code=204)


@router.post("/{list_id}/move", response_model=ListRead, responses=MOVED)
async def move_list(
    list_id: ListId, if_match: IfMatch, key: IdempotencyKey, move: MoveBody, context: WriteContext
) -> Response:
    """Move a list among the user's lists; 404 if it is not the user's."""
    async with context.write_slot():
        response = await moves.move_list(context, list_id, move, if_match, key)
    return ok(response)
