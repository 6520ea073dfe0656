"""What may be done with lists that are there."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple, cast
from uuid import UUID

from common.database import fetch_all, fetch_one
from tasks.core.conflicts import require_found, require_matching_id
from tasks.core.context import RequestContext
from tasks.core.names import name_params
from tasks.core.staleness import retry_while_stale
from tasks.task_list import queries as lists
from tasks.task_list.schemas import ListChange, ListRead, ListReplace


class Lists(NamedTuple):
    """All lists of one owner at one moment, and the owner's counter."""

    lists: list[ListRead]
    version: int


async def find_lists(context: RequestContext, if_none_match: Sequence[str]) -> Lists:
    """Return the caller's lists in their order; none, if the caller has seen this version of them."""
    found = await fetch_all(
        context.database,
        lists.LIST_LISTS,
        current_user_id=context.user.id,
        if_none_match=list(if_none_match),
    )
    version = cast("int", found[0]["counter"]) if found else 0
    return Lists(cast("list[ListRead]", [each for each in found if each["id"]]), version)


async def get_list(context: RequestContext, list_id: UUID) -> ListRead:
    """Return one list of the caller.

    Raises:
        NotFound: There is no such list, or it is somebody else's.
    """
    return cast(
        "ListRead",
        require_found(
            await fetch_one(
                context.database, lists.GET_LIST, current_user_id=context.user.id, target_id=list_id
            ),
            "list",
        ),
    )


async def change_list(
    context: RequestContext,
    list_id: UUID,
    change: ListChange | ListReplace,
    if_match: Sequence[str] | None,
) -> ListRead:
    """Rename a list, if a name was sent.

    Raises:
        NotFound: There is no such list, or it is somebody else's.
        Conflict: Another list of the caller has this name.
        Unprocessable: The body names another list.
        PreconditionFailed: The list has none of the expected versions.
    """
    require_matching_id(list_id, change.id)
    values = {
        "current_user_id": context.user.id,
        "target_id": list_id,
        "if_match": if_match,
        **name_params(change.name),
    }
    return cast(
        "ListRead",
        require_found(
            await retry_while_stale(context.database, lists.CHANGE_LIST, **values), "list"
        ),
    )


async def delete_list(
    context: RequestContext,
    list_id: UUID,
    if_match: Sequence[str] | None,
    retention_days: int,
    *,
    with_tasks: bool,
) -> None:
    """Delete a list, and its tasks with it, or else put them into the inbox.

    Raises:
        NotFound: There is no such list, or it is somebody else's.
        PreconditionFailed: The list has none of the expected versions.
    """
    values = {
        "current_user_id": context.user.id,
        "target_id": list_id,
        "if_match": if_match,
        "retention": timedelta(days=retention_days),
    }
    require_found(
        await retry_while_stale(
            context.database, lists.delete_list(with_tasks=with_tasks), **values
        ),
        "list",
    )
