"""Delete many tasks in one statement."""

from functools import lru_cache

from sqlalchemy import CTE, Delete, Executable, and_, delete, literal, select, true, union_all
from sqlmodel import col

from tasks.bulk.queries.matching import (
    compose_verdict,
    match_tasks,
    narrow,
    number_from_last,
    return_result,
)
from tasks.core.conflicts import ConflictCode, first_conflict
from tasks.core.owners import bump_counter, counter_matches_if_match, find_owner, lock_owner
from tasks.core.task_links import number_linked_tasks, unlink_many_tasks
from tasks.core.tombstones import insert_tombstones, new_pruned_version, prune_tombstones
from tasks.core.version_cascade import count_rows, is_among
from tasks.model_base import columns_of, sort_position
from tasks.models import Owner, Task
from tasks.task.queries.listing import STATEMENTS_CACHED_MAX


@lru_cache(maxsize=STATEMENTS_CACHED_MAX)
def delete_tasks(filters: frozenset[str], *, with_subtasks: bool) -> Executable:
    """Build the statement that deletes all tasks that match.

    It returns what `change.change_tasks` returns.

    Stages:
        1. owner: lock the owner.
        2. matched: the tasks that match.
        3. verdict: whether there is a conflict.
        4. deletable: the matched tasks, and with `with_subtasks` their subtasks, numbered. None if
           there is a conflict.
        5. linked_tasks: the other tasks that point to them, numbered after them.
        6. oldest, pruned: the owner's oldest tombstones; those that have expired are deleted.
        7. counter_bump: take a version for each of these tasks, and count those that are deleted.
        8. deleted, unlinked_tasks, tombstones: delete them, and unlink the others.

    Args:
        filters: Names of `matching.SELECTIONS`.
        with_subtasks: Whether subtasks of the tasks are deleted as well. Otherwise they become
            tasks of their own.
    """
    owner = lock_owner(find_owner(check_snapshot=True))
    matched = match_tasks(owner, filters)
    conflict = first_conflict(
        (~owner.c.is_current, ConflictCode.STALE),
        (~counter_matches_if_match(owner), ConflictCode.VERSION_MISMATCH),
    )
    verdict = compose_verdict(owner, conflict)
    deletable = _find_deletable(matched, verdict, with_subtasks=with_subtasks)
    deleted_count = count_rows(deletable)
    linked_tasks = number_linked_tasks(deletable, versions_taken=deleted_count - 1, are_many=True)
    is_deletion = and_(verdict.c.conflict.is_(None), deleted_count > 0)
    deletion = select(verdict).where(is_deletion).cte("deletion")
    counter_bump = bump_counter(
        verdict,
        deleted_count + count_rows(linked_tasks),
        deleted_count > 0,
        task_count=col(Owner.task_count) - deleted_count,
        pruned_version=new_pruned_version(prune_tombstones(deletion, deleted_count)),
    )
    deleted = _delete(deletable, counter_bump).where(*narrow(filters)).cte("deleted")
    statement = return_result(verdict, matched, matched, counter_bump).add_cte(
        deleted,
        unlink_many_tasks(linked_tasks, deletable, counter_bump),
        _insert_tombstones(deletable, counter_bump),
    )
    if with_subtasks:
        is_other = and_(col(Task.parent_id).is_not(None), col(Task.id).not_in(select(matched.c.id)))
        subtasks = _delete(deletable, counter_bump).where(is_other).cte("deleted_subtasks")
        statement = statement.add_cte(subtasks)
    return statement.execution_options(not_idempotent=True)


def _insert_tombstones(deletable: CTE, counter_bump: CTE) -> CTE:
    tombstones = select(
        deletable.c.id,
        counter_bump.c.id,
        literal("task"),
        counter_bump.c.counter - deletable.c.number,
        counter_bump.c.now,
    ).join(counter_bump, true())
    return insert_tombstones(tombstones).cte("tombstones")


def _delete(deletable: CTE, counter_bump: CTE) -> Delete:
    return delete(Task).where(
        col(Task.user_id) == counter_bump.c.id, is_among(col(Task.id), deletable)
    )


def _find_deletable(matched: CTE, verdict: CTE, *, with_subtasks: bool) -> CTE:
    tasks = matched
    if with_subtasks:
        subtasks = (
            select(col(Task.id), sort_position(columns_of(Task)).label("sort_position"))
            .join(verdict, col(Task.user_id) == verdict.c.user_id)
            .where(
                col(Task.parent_id).is_not(None),
                is_among(col(Task.parent_id), matched),
                col(Task.id).not_in(select(matched.c.id)),
            )
        )
        tasks = union_all(select(matched), subtasks).cte("tasks_and_subtasks")
    return (
        select(tasks.c.id, number_from_last(tasks).label("number"))
        .join(verdict, verdict.c.conflict.is_(None))
        .cte("deletable")
    )
