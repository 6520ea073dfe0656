"""Delete one task, alone or with its subtasks."""

from functools import cache

from sqlalchemy import CTE, Executable, delete, literal, select, true, union_all
from sqlmodel import col

from tasks.core.conflicts import ConflictCode, first_conflict
from tasks.core.owners import bump_counter, find_owner, lock_owner
from tasks.core.projections import TARGET_ID, Query, matches_if_match
from tasks.core.task_links import number_linked_tasks, unlink_tasks
from tasks.core.tombstones import (
    insert_tombstones,
    new_pruned_version,
    prune_tombstones,
    select_tombstones,
)
from tasks.core.version_cascade import count_rows, delete_tasks, number_tasks
from tasks.model_base import columns_of
from tasks.models import Owner, Task


@cache
def delete_task(*, with_subtasks: bool = False) -> Executable:
    """Build the statement that deletes a task, and returns a `conflict`.

    If that is "stale", the statement must run again. No row if the user has no such task.

    Stages:
        1. owner: lock the owner.
        2. current: lock the task, and find out whether there is a conflict.
        3. deleted: delete the task, unless there is one.
        4. affected_tasks, all_deleted: its subtasks, numbered, and all of them (with subtasks).
        5. linked_tasks: the tasks that point to deleted ones, numbered: occurrences after them,
           and without `with_subtasks` the subtasks.
        6. pruned: delete a few tombstones that are older than `retention`.
        7. counter_bump: take a version for each deleted and each linked task, count fewer tasks,
           and note the version up to which tombstones may be missing.
        8. deleted_subtasks: delete the subtasks (with subtasks).
        9. unlinked_tasks: unlink the linked tasks.
        10. tombstones: insert the tombstones of the deleted tasks.

    Args:
        with_subtasks: Delete the subtasks of the task, too. Otherwise they become ordinary tasks.
    """
    owner = lock_owner(find_owner(check_snapshot=True))
    conflict = first_conflict(
        (~owner.c.is_current, ConflictCode.STALE),
        (~matches_if_match(columns_of(Task)), ConflictCode.VERSION_MISMATCH),
    )
    current = (
        select(col(Task.id), col(Task.user_id), owner.c.now, conflict.label("conflict"))
        .join(owner, col(Task.user_id) == owner.c.id)
        .where(col(Task.id) == TARGET_ID)
        .with_for_update(of=Task)
        .cte("current")
    )
    deleted = (
        delete(Task)
        .where(
            col(Task.id) == current.c.id,
            col(Task.user_id) == current.c.user_id,
            current.c.conflict.is_(None),
        )
        .returning(col(Task.id), col(Task.user_id), current.c.now)
        .cte("deleted")
    )
    stages = _delete_with_subtasks(deleted) if with_subtasks else _delete_alone(deleted)
    statement = select(current.c.conflict).add_cte(*stages)
    return statement.execution_options(not_idempotent=True)


def _delete_alone(deleted: CTE) -> list[CTE]:
    linked_tasks = number_linked_tasks(deleted)
    counter_bump = bump_counter(
        deleted,
        1 + count_rows(linked_tasks),
        task_count=col(Owner.task_count) - 1,
        pruned_version=new_pruned_version(prune_tombstones(deleted)),
    )
    tombstone = _tombstone(deleted, counter_bump)
    return [
        unlink_tasks(linked_tasks, counter_bump),
        insert_tombstones(tombstone).cte("tombstones"),
    ]


def _delete_with_subtasks(deleted: CTE) -> list[CTE]:
    subtasks = number_tasks(col(Task.parent_id) == deleted.c.id, deleted)
    subtask_count = count_rows(subtasks)
    all_deleted = union_all(select(deleted.c.id), select(subtasks.c.id)).cte("all_deleted")
    linked_tasks = number_linked_tasks(all_deleted, versions_taken=subtask_count)
    counter_bump = bump_counter(
        deleted,
        1 + subtask_count + count_rows(linked_tasks),
        task_count=col(Owner.task_count) - 1 - subtask_count,
        pruned_version=new_pruned_version(prune_tombstones(deleted, subtask_count)),
    )
    tombstones = union_all(
        _tombstone(deleted, counter_bump), select_tombstones(subtasks, counter_bump)
    )
    return [
        delete_tasks(subtasks, counter_bump).cte("deleted_subtasks"),
        unlink_tasks(linked_tasks, counter_bump),
        insert_tombstones(tombstones).cte("tombstones"),
    ]


def _tombstone(deleted: CTE, counter_bump: CTE) -> Query:
    return select(
        deleted.c.id,
        counter_bump.c.id.label("user_id"),
        literal("task"),
        counter_bump.c.counter,
        counter_bump.c.now,
    ).join(counter_bump, true())
