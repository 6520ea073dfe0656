"""The addresses of lists."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response
from pydantic import TypeAdapter

from common.reading import JSON_TYPE, MERGE_PATCH_TYPE, Body, Query
from tasks.conditions import Expected, Key, Placed, Seen
from tasks.fields.names import EXAMPLE_LIST
from tasks.routes.answers import CHANGED, DELETED, MADE, MOVED, READ, REPLAYABLE, Answers, done, made, tagged
from tasks.routes.direct import DirectRoute
from tasks.routes.needs import Admission, KeptDays, NoQuery
from tasks.schemas.lists import ListChange, ListCreate, ListDeletion, ListMove, ListRead, ListReplace
from tasks.service import creation, lists, order
from tasks.turns import Caller, Turn

router = APIRouter(prefix="/lists", tags=["lists"], route_class=DirectRoute)

_LIST = TypeAdapter(ListRead)
_LISTS = TypeAdapter(list[ListRead])

ListId = Annotated[UUID, Path(description="The list.", examples=[EXAMPLE_LIST])]
New = Annotated[ListCreate, Depends(Body(ListCreate))]
Change = Annotated[ListChange, Depends(Body(ListChange, media_types=(JSON_TYPE, MERGE_PATCH_TYPE)))]
Whole = Annotated[ListReplace, Depends(Body(ListReplace))]
Move = Annotated[ListMove, Depends(Body(ListMove))]
Deletion = Annotated[ListDeletion, Depends(Query(ListDeletion))]

_FURTHER = ("get_list", "change_list", "replace_list", "delete_list", "move_list")
_LINKS = {name: {"operationId": name, "parameters": {"list_id": "$response.body#/id"}} for name in _FURTHER}

_POSTED: Final[Answers] = {201: {"headers": {**MADE, **REPLAYABLE}, "links": _LINKS}, 409: {}}
_CHANGED: Final[Answers] = {**CHANGED, 409: {}}
_PUT: Final[Answers] = {**_CHANGED, 201: {"headers": MADE, "links": _LINKS}}


@router.get("", response_model=list[ListRead], responses=READ)
async def list_lists(seen: Seen, _: NoQuery, caller: Caller) -> Response:
    """List the caller's lists in their order."""
    found = await lists.find_lists(*caller, seen)
    return tagged(_LISTS.dump_json(found.lists), found.version, seen=seen)


@router.post("", status_code=201, response_model=ListRead, responses=_POSTED)
async def create_list(key: Key, new: New, turn: Turn, admission: Admission) -> Response:
    """Add a list; with `Idempotency-Key` only once within 24 hours, however often it is sent."""
    async with turn as caller:
        return made(await creation.create_list(*caller, admission, new, key), "/lists")


@router.get("/{list_id}", response_model=ListRead, responses=READ)
async def get_list(list_id: ListId, seen: Seen, _: NoQuery, caller: Caller) -> Response:
    """Show one list; 404 if it is not the caller's."""
    found = await lists.get_list(*caller, list_id)
    return tagged(_LIST.dump_json(found), found["version"], seen=seen)


@router.patch("/{list_id}", response_model=ListRead, responses=_CHANGED)
async def change_list(list_id: ListId, expected: Expected, change: Change, turn: Turn) -> Response:
    """Rename a list; 404 if it is not the caller's."""
    async with turn as caller:
        changed = await lists.change_list(*caller, list_id, change, expected)
    return tagged(_LIST.dump_json(changed), changed["version"])


@router.put("/{list_id}", response_model=ListRead, responses=_PUT)
async def replace_list(list_id: ListId, target: Placed, whole: Whole, turn: Turn, admission: Admission) -> Response:
    """Replace a list, which changes its name; 404 if it is not the caller's.

    With `If-None-Match: *` make one under this id instead, be it for the first time or to undo its deletion.
    """
    async with turn as caller:
        if target.is_new:
            return made(await creation.create_named_list(*caller, admission, list_id, whole), "/lists")
        replaced = await lists.change_list(*caller, list_id, whole, target.expected)
    return tagged(_LIST.dump_json(replaced), replaced["version"])


@router.delete("/{list_id}", status_code=204, responses=DELETED)
async def delete_list(list_id: ListId, expected: Expected, deletion: Deletion, turn: Turn, days: KeptDays) -> Response:
    """Delete a list; its tasks go to the inbox, or with `tasks=delete` with it. 404 if it is not the caller's."""
    async with turn as caller:
        await lists.delete_list(*caller, list_id, expected, days, with_tasks=deletion.tasks == "delete")
    return Response(status_code=204)


@router.post("/{list_id}/move", response_model=ListRead, responses=MOVED)
async def move_list(list_id: ListId, expected: Expected, key: Key, move: Move, turn: Turn) -> Response:
    """Put a list elsewhere among the caller's lists; 404 if it is not the caller's."""
    async with turn as caller:
        return done(await order.move_list(*caller, list_id, move, expected, key))
