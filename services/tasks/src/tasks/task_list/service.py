"""The rules for reading, renaming and deleting lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast
from uuid import UUID

from common.context import RequestContext
from common.database import fetch_all, fetch_one
from tasks.core.conflicts import require_found, require_matching_id
from tasks.core.names import name_params
from tasks.core.owners import retry_while_stale
from tasks.task_list import queries
from tasks.task_list.schemas import ListChange, ListRead, ListReplace


@dataclass(frozen=True, slots=True)
class TaskLists:
    """All lists of one user at one moment.

    Attributes:
        lists: The lists in their order; none if the client has this version.
        version: The owner's counter.
    """

    lists: list[ListRead]
    version: int


async def list_lists(context: RequestContext, if_none_match: Sequence[str]) -> TaskLists:
    """Return the user's lists in their order.

    Args:
        context: The database and the user.
        if_none_match: Versions that the client has. If one is current, no lists are read.
    """
    rows = await fetch_all(
        context.database,
        queries.LIST_LISTS,
        current_user_id=context.user.id,
        if_none_match=list(if_none_match),
    )
    if not rows:
        return TaskLists([], 0)
    lists = [row for row in rows if row["id"] is not None]
    version = cast("int", rows[0]["counter"])
    return TaskLists(cast("list[ListRead]", lists), version)


async def get_list(context: RequestContext, list_id: UUID) -> ListRead:
    """Return one list of the user.

    Raises:
        NotFound: It does not exist, or another user has it.
    """
    row = await fetch_one(
        context.database, queries.GET_LIST, current_user_id=context.user.id, target_id=list_id
    )
    return cast("ListRead", require_found(row, "list"))


async def change_list(
    context: RequestContext,
    list_id: UUID,
    change: ListChange | ListReplace,
    if_match: Sequence[str] | None,
) -> ListRead:
    """Rename a list, if the change has a name.

    Raises:
        NotFound: It does not exist, or another user has it.
        Conflict: Another list of the user has this name.
        Unprocessable: The body has another id.
        PreconditionFailed: The list has none of the versions in `if_match`.
    """
    require_matching_id(list_id, change.id)
    row = await retry_while_stale(
        context.database,
        queries.CHANGE_LIST,
        current_user_id=context.user.id,
        target_id=list_id,
        if_match=if_match,
        **name_params(change.name),
    )
    return cast("ListRead", require_found(row, "list"))


async def delete_list(
    context: RequestContext,
    list_id: UUID,
    if_match: Sequence[str] | None,
    retention_days: int,
    *,
    with_tasks: bool,
) -> None:
    """Delete a list.

    Args:
        context: The database and the user.
        list_id: The list.
        if_match: The versions that may be deleted; None for any.
        retention_days: How long tombstones are kept. Some older ones are deleted.
        with_tasks: Delete its tasks, too. Otherwise they move to the inbox.

    Raises:
        NotFound: It does not exist, or another user has it.
        PreconditionFailed: The list has none of the versions in `if_match`.
    """
    row = await retry_while_stale(
        context.database,
        queries.delete_list(with_tasks=with_tasks),
        current_user_id=context.user.id,
        target_id=list_id,
        if_match=if_match,
        retention=timedelta(days=retention_days),
    )
    require_found(row, "list")
