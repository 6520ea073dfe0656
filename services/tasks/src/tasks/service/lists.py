"""What may be done with lists that are there."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple, cast
from uuid import UUID

from common.database import Session, row, rows
from common.identity import User
from tasks.schemas.lists import ListChange, ListRead, ListReplace
from tasks.service.freshness import settled
from tasks.service.obstacles import require, require_same_id
from tasks.service.planning import name_values
from tasks.statements import lists


class Lists(NamedTuple):
    """All lists of one owner at one moment, and the owner's counter."""

    lists: list[ListRead]
    version: int


async def find_lists(session: Session, user: User, seen: Sequence[str]) -> Lists:
    """Return the caller's lists in their order; none, if the caller has seen this version of them."""
    found = await rows(session, lists.LIST_LISTS, caller=user.id, seen=list(seen))
    version = cast("int", found[0]["counter"]) if found else 0
    return Lists(cast("list[ListRead]", [each for each in found if each["id"]]), version)


async def get_list(session: Session, user: User, list_id: UUID) -> ListRead:
    """Return one list of the caller.

    Raises:
        NotFound: There is no such list, or it is somebody else's.
    """
    return cast("ListRead", require(await row(session, lists.GET_LIST, caller=user.id, wanted=list_id), "list"))


async def change_list(
    session: Session, user: User, list_id: UUID, change: ListChange | ListReplace, expected: Sequence[str] | None
) -> ListRead:
    """Rename a list, if a name was sent.

    Raises:
        NotFound: There is no such list, or it is somebody else's.
        Conflict: Another list of the caller has this name.
        Unprocessable: The body names another list.
        PreconditionFailed: The list has none of the expected versions.
    """
    require_same_id(list_id, change.id)
    values = {"caller": user.id, "wanted": list_id, "expected": expected, **name_values(change.name)}
    return cast("ListRead", require(await settled(session, lists.CHANGE_LIST, **values), "list"))


async def delete_list(
    session: Session,
    user: User,
    list_id: UUID,
    expected: Sequence[str] | None,
    kept_days: int,
    *,
    with_tasks: bool,
) -> None:
    """Delete a list, and its tasks with it, or else put them into the inbox.

    Raises:
        NotFound: There is no such list, or it is somebody else's.
        PreconditionFailed: The list has none of the expected versions.
    """
    values = {"caller": user.id, "wanted": list_id, "expected": expected, "kept": timedelta(days=kept_days)}
    require(await settled(session, lists.delete_list(with_tasks=with_tasks), **values), "list")
