"""Moving a task within its list, or to another one."""

from functools import cache

from sqlalchemy import CTE, Executable, and_, case, select
from sqlmodel import col

from tasks.core.conflicts import ConflictCode, first_conflict
from tasks.core.idempotency import if_key_unused
from tasks.core.ordering import (
    find_gap,
    find_placements,
    find_slot,
    return_moved_row,
    take_versions,
    write_positions,
)
from tasks.core.owners import find_owner, lock_owner, target_list_exists
from tasks.core.projections import LIST_ID, SETS_LIST, TARGET_ID, matches_if_match
from tasks.core.version_cascade import bump_task_versions, count_rows
from tasks.model_base import columns_of, sort_position
from tasks.models import Task
from tasks.task.projection import label_names_of, task_fields
from tasks.task.queries.parents import number_followers
from tasks.task.queries.places import siblings_in


@cache
def move_task(*, with_idempotency_key: bool = False, with_list: bool = False) -> Executable:
    """Move a task to the start or the end of a list or the inbox, or after another task there.

    Returns the task's `id`, `version` and JSON `response`; nothing is written and `conflict` is set
    if it cannot be moved. No row if the owner has no such task, or if the idempotency key is used.

    Stages:
        owner: Lock the owner, and read the time.
        current: Lock the task, and find out to which list it goes.
        anchor, preceding, following: Find the new neighbours by the index.
        gap: Compute the position in the middle between them.
        slot: Decide whether the task stays where it is, whether the gap is full, and whether there
            is a conflict.
        siblings, placements: The task, or all tasks of the list if the gap is full, with their new
            positions.
        followers: The subtasks of the task, if it goes to another list (with a list).
        counter_bump: Take a version for each of them.
        updated, updated_followers: Write them.
        moved: The task as clients see it.
        With a key: store the response under it, and delete some expired keys.

    Args:
        with_idempotency_key: Move the task once for each key.
        with_list: The request names a list.
    """
    owner = find_owner(check_snapshot=True)
    if with_idempotency_key:
        owner = if_key_unused(owner)
    current = _lock_task(lock_owner(owner), with_list=with_list)
    siblings = siblings_in(
        current.c.user_id, current.c.target_list_id, col(Task.id) != current.c.id
    )
    is_in_target_list = col(Task.list_id).is_not_distinct_from(current.c.target_list_id)
    slot = find_slot(find_gap(current, siblings, columns_of(Task), is_in_target_list))
    placements = find_placements(current, siblings, slot)
    followers, follower_count = None, None
    if with_list:
        versions_taken = count_rows(placements) - 1  # besides the counter itself
        followers = number_followers(
            slot, slot.c.target_list_id, slot.c.conflict.is_(None), versions_taken
        )
        follower_count = count_rows(followers)
    counter_bump = take_versions(
        slot, placements, follower_count, with_idempotency_key=with_idempotency_key
    )
    updated = (
        write_positions(Task, placements, counter_bump)
        .values(list_id=counter_bump.c.target_list_id)
        .returning(
            *task_fields(columns_of(Task), label_names_of(columns_of(Task))), counter_bump.c.now
        )
        .cte("updated")
    )
    unchanged = select(*task_fields(current.c, label_names_of(current.c)), current.c.now)
    statement = return_moved_row(
        slot, updated, unchanged, with_idempotency_key=with_idempotency_key
    )
    if followers is not None:
        target_list_id = counter_bump.c.target_list_id
        update = bump_task_versions(followers, counter_bump, list_id=target_list_id)
        statement = statement.add_cte(update.cte("updated_followers"))
    return statement


def _lock_task(owner: CTE, *, with_list: bool) -> CTE:
    target_list_id = case((SETS_LIST, LIST_ID), else_=col(Task.list_id))
    is_list_missing = and_(SETS_LIST, LIST_ID.is_not(None), ~target_list_exists(owner))
    conflicts = [
        (~owner.c.is_current, ConflictCode.STALE),
        (is_list_missing, ConflictCode.LIST_NOT_FOUND),
    ]
    if with_list:
        leaves_parent = and_(
            col(Task.parent_id).is_not(None), col(Task.list_id).is_distinct_from(target_list_id)
        )
        conflicts.append((leaves_parent, ConflictCode.CONTRADICTION))
    return (
        select(
            Task,
            sort_position(columns_of(Task)).label("sort_position"),
            target_list_id.label("target_list_id"),
            col(Task.list_id).is_not_distinct_from(target_list_id).label("unchanged_list"),
            owner.c.now,
            first_conflict(*conflicts).label("conflict"),
            matches_if_match(columns_of(Task)).label("matches_if_match"),
        )
        .join(owner, col(Task.user_id) == owner.c.id)
        .where(col(Task.id) == TARGET_ID)
        .with_for_update(of=Task)
        .cte("current")
    )
