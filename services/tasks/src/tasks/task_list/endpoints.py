"""The addresses of lists."""

from typing import Annotated, Final
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
    CHANGED,
    CREATED_HEADERS,
    DELETED,
    MOVED,
    READ,
    REPLAYABLE,
    Responses,
    created,
    ok,
    with_etag,
)
from tasks.core.routing import RequestOnlyRoute
from tasks.core.types.names import EXAMPLE_LIST
from tasks.task_list import creation, moves
from tasks.task_list import service as lists
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

ListId = Annotated[UUID, Path(description="The list.", examples=[EXAMPLE_LIST])]
New = Annotated[ListCreate, Depends(JsonBody(ListCreate))]
Change = Annotated[
    ListChange, Depends(JsonBody(ListChange, media_types=(JSON_TYPE, MERGE_PATCH_TYPE)))
]
Whole = Annotated[ListReplace, Depends(JsonBody(ListReplace))]
Move = Annotated[ListMove, Depends(JsonBody(ListMove))]
Deletion = Annotated[ListDeletion, Depends(QueryParams(ListDeletion))]

_FURTHER = ("get_list", "change_list", "replace_list", "delete_list", "move_list")
_LINKS = {
    name: {"operationId": name, "parameters": {"list_id": "$response.body#/id"}}
    for name in _FURTHER
}

_POSTED: Final[Responses] = {
    201: {"headers": {**CREATED_HEADERS, **REPLAYABLE}, "links": _LINKS},
    409: {},
}
_CHANGED: Final[Responses] = {**CHANGED, 409: {}}
_PUT: Final[Responses] = {**_CHANGED, 201: {"headers": CREATED_HEADERS, "links": _LINKS}}


@router.get("", response_model=list[ListRead], responses=READ)
async def list_lists(
    if_none_match: IfNoneMatch, _: NoQueryParams, context: ReadContext
) -> Response:
    """List the caller's lists in their order."""
    found = await lists.list_lists(context, if_none_match)
    return with_etag(_LISTS.dump_json(found.lists), found.version, if_none_match=if_none_match)


@router.post("", status_code=201, response_model=ListRead, responses=_POSTED)
async def create_list(
    key: IdempotencyKey, new: New, context: WriteContext, limits: CreationLimits
) -> Response:
    """Add a list; with `Idempotency-Key` only once within 24 hours, however often it is sent."""
    async with context.write_slot():
        return created(await creation.create_list(context, limits, new, key), "/lists")


@router.get("/{list_id}", response_model=ListRead, responses=READ)
async def get_list(
    list_id: ListId, if_none_match: IfNoneMatch, _: NoQueryParams, context: ReadContext
) -> Response:
    """Show one list; 404 if it is not the caller's."""
    found = await lists.get_list(context, list_id)
    return with_etag(_LIST.dump_json(found), found["version"], if_none_match=if_none_match)


@router.patch("/{list_id}", response_model=ListRead, responses=_CHANGED)
async def change_list(
    list_id: ListId, if_match: IfMatch, change: Change, context: WriteContext
) -> Response:
    """Rename a list; 404 if it is not the caller's."""
    async with context.write_slot():
        changed = await lists.change_list(context, list_id, change, if_match)
    return with_etag(_LIST.dump_json(changed), changed["version"])


@router.put("/{list_id}", response_model=ListRead, responses=_PUT)
async def replace_list(
    list_id: ListId,
    target: PutCondition,
    whole: Whole,
    context: WriteContext,
    limits: CreationLimits,
) -> Response:
    """Replace a list, which changes its name; 404 if it is not the caller's.

    With `If-None-Match: *` make one under this id instead, be it for the first time or to undo its deletion.
    """
    async with context.write_slot():
        if target.is_new:
            return created(
                await creation.create_list_with_client_id(context, limits, list_id, whole),
                "/lists",
            )
        replaced = await lists.change_list(context, list_id, whole, target.if_match)
    return with_etag(_LIST.dump_json(replaced), replaced["version"])


@router.delete("/{list_id}", status_code=204, responses=DELETED)
async def delete_list(
    list_id: ListId,
    if_match: IfMatch,
    deletion: Deletion,
    context: WriteContext,
    retention_days: RetentionDays,
) -> Response:
    """Delete a list; its tasks go to the inbox, or with `tasks=delete` with it. 404 if it is not the caller's."""
    async with context.write_slot():
        await lists.delete_list(
            context, list_id, if_match, retention_days, with_tasks=deletion.tasks == "delete"
        )
    return Response(status_code=204)


@router.post("/{list_id}/move", response_model=ListRead, responses=MOVED)
async def move_list(
    list_id: ListId, if_match: IfMatch, key: IdempotencyKey, move: Move, context: WriteContext
) -> Response:
    """Put a list elsewhere among the caller's lists; 404 if it is not the caller's."""
    async with context.write_slot():
        return ok(await moves.move_list(context, list_id, move, if_match, key))
