"""Moving a list among the other lists of its owner."""

from functools import cache

from sqlalchemy import CTE, Executable, Uuid, and_, case, cast, null, select, true
from sqlmodel import col

from tasks.core.idempotency import if_key_unused
from tasks.core.ordering import (
    Siblings,
    find_gap,
    find_placements,
    find_slot,
    return_moved_row,
    take_versions,
    write_positions,
)
from tasks.core.owners import find_owner, lock_owner
from tasks.core.projections import TARGET_ID, list_fields, matches_if_match
from tasks.model_base import columns_of, sort_position
from tasks.models import TaskList


@cache
def move_list(*, with_idempotency_key: bool = False) -> Executable:
    """Move a list to the start, or after another list.

    Returns the list's `id`, `version` and JSON `response`; nothing is written and `conflict` is set
    if it cannot be moved. No row if the owner has no such list, or if the idempotency key is used.

    Stages: as `tasks.task.queries.move.move_task`. The lists of an owner are one list of lists.
    """
    owner = find_owner(check_snapshot=True)
    if with_idempotency_key:
        owner = if_key_unused(owner)
    current = _lock_list(lock_owner(owner))
    is_other_list = and_(
        col(TaskList.user_id) == current.c.user_id, col(TaskList.id) != current.c.id
    )
    siblings = [Siblings(columns=columns_of(TaskList), condition=is_other_list, applies=true())]
    slot = find_slot(find_gap(current, siblings, columns_of(TaskList), is_in_target_list=true()))
    placements = find_placements(current, siblings, slot)
    counter_bump = take_versions(slot, placements, with_idempotency_key=with_idempotency_key)
    updated = (
        write_positions(TaskList, placements, counter_bump)
        .returning(*list_fields(columns_of(TaskList)), counter_bump.c.now)
        .cte("updated")
    )
    unchanged = select(*list_fields(current.c), current.c.now)
    return return_moved_row(slot, updated, unchanged, with_idempotency_key=with_idempotency_key)


def _lock_list(owner: CTE) -> CTE:
    return (
        select(
            TaskList,
            sort_position(columns_of(TaskList)).label("sort_position"),
            cast(null(), Uuid).label("target_list_id"),
            true().label("unchanged_list"),
            owner.c.now,
            case((~owner.c.is_current, "stale")).label("conflict"),
            matches_if_match(columns_of(TaskList)).label("matches_if_match"),
        )
        .join(owner, col(TaskList.user_id) == owner.c.id)
        .where(col(TaskList.id) == TARGET_ID)
        .with_for_update(of=TaskList)
        .cte("current")
    )
