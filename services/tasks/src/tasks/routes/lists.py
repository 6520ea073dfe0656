"""The addresses of lists."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response
from pydantic import TypeAdapter

from common.database import DbSession
from common.identity import CurrentUser
from common.reading import JSON_TYPE, MERGE_PATCH_TYPE, Body, Query
from tasks.conditions import Expected, Key, Placed, Seen, Unconditional
from tasks.fields.names import EXAMPLE_LIST
from tasks.routes.answers import CHANGED, DELETED, MADE, MOVED, READ, REPLAYABLE, Answers, done, made, tagged
from tasks.routes.needs import Admission, KeptDays, NoQuery
from tasks.schemas.lists import ListChange, ListCreate, ListDeletion, ListMove, ListRead, ListReplace
from tasks.service import creation, lists, order
from tasks.turns import WriteSession

router = APIRouter(prefix="/lists", tags=["lists"])

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


@router.get("", response_model=list[ListRead], responses=READ, dependencies=[NoQuery])
async def list_lists(seen: Seen, user: CurrentUser, session: DbSession) -> Response:
    """List the caller's lists in their order."""
    found = await lists.find_lists(session, user, seen)
    return tagged(_LISTS.dump_json(found.lists), found.version, seen=seen)


@router.post("", status_code=201, response_model=ListRead, responses=_POSTED, dependencies=[Unconditional])
async def create_list(key: Key, new: New, user: CurrentUser, session: WriteSession, admission: Admission) -> Response:
    """Add a list; with `Idempotency-Key` only once within 24 hours, however often it is sent."""
    return made(await creation.create_list(session, admission, user, new, key), "/lists")


@router.get("/{list_id}", response_model=ListRead, responses=READ, dependencies=[NoQuery])
async def get_list(list_id: ListId, seen: Seen, user: CurrentUser, session: DbSession) -> Response:
    """Show one list; 404 if it is not the caller's."""
    found = await lists.get_list(session, user, list_id)
    return tagged(_LIST.dump_json(found), found["version"], seen=seen)


@router.patch("/{list_id}", response_model=ListRead, responses=_CHANGED, dependencies=[Unconditional])
async def change_list(
    list_id: ListId, expected: Expected, change: Change, user: CurrentUser, session: WriteSession
) -> Response:
    """Rename a list; 404 if it is not the caller's."""
    changed = await lists.change_list(session, user, list_id, change, expected)
    return tagged(_LIST.dump_json(changed), changed["version"])


@router.put("/{list_id}", response_model=ListRead, responses=_PUT)
async def replace_list(
    list_id: ListId, target: Placed, whole: Whole, user: CurrentUser, session: WriteSession, admission: Admission
) -> Response:
    """Replace a list, which changes its name; 404 if it is not the caller's.

    With `If-None-Match: *` make one under this id instead, be it for the first time or to undo its deletion.
    """
    if target.is_new:
        return made(await creation.create_named_list(session, admission, user, list_id, whole), "/lists")
    replaced = await lists.change_list(session, user, list_id, whole, target.expected)
    return tagged(_LIST.dump_json(replaced), replaced["version"])


@router.delete("/{list_id}", status_code=204, responses=DELETED, dependencies=[Unconditional])
async def delete_list(
    list_id: ListId, expected: Expected, deletion: Deletion, user: CurrentUser, session: WriteSession, days: KeptDays
) -> None:
    """Delete a list; its tasks go to the inbox, or with `tasks=delete` with it. 404 if it is not the caller's."""
    await lists.delete_list(session, user, list_id, expected, days, with_tasks=deletion.tasks == "delete")


@router.post("/{list_id}/move", response_model=ListRead, responses=MOVED, dependencies=[Unconditional])
async def move_list(
    list_id: ListId, expected: Expected, key: Key, move: Move, user: CurrentUser, session: WriteSession
) -> Response:
    """Put a list elsewhere among the caller's lists; 404 if it is not the caller's."""
    return done(await order.move_list(session, user, list_id, move, expected, key))
