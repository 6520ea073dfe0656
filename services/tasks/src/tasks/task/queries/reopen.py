"""Reopen a task whose successor nobody has changed: write it, and delete the successor."""

from functools import cache
from typing import Any, Final

from sqlalchemy import (
    CTE,
    CompoundSelect,
    Uuid,
    cast,
    func,
    null,
    or_,
    select,
)
from sqlmodel import col

from tasks.core.owners import bump_counter, find_owner, lock_owner
from tasks.core.task_links import number_linked_tasks, unlink_tasks
from tasks.core.tombstones import (
    insert_tombstones,
    new_pruned_version,
    prune_tombstones,
    select_tombstones,
)
from tasks.core.version_cascade import count_rows, delete_tasks
from tasks.models import Owner, Task
from tasks.task.queries.change import (
    find_followers,
    label_count,
    lock_task,
    own_version_count,
    return_task,
    update_task,
)
from tasks.task.queries.occurrences import SUCCESSOR_ID

_NO_SUCCESSOR: Final = cast(null(), Uuid)


@cache
def reopen_task(
    *, with_labels: bool = False, with_place: bool = False
) -> CompoundSelect[*tuple[Any, ...]]:
    """Build the statement that reopens a task, deletes its successor and returns the task.

    The task was read by `READ_FOR_CHANGE`. Parameters and columns are those of `change_task`.

    Stages:
        1. requested_labels: the labels that were sent, stored or new (with labels).
        2. owner: lock the owner.
        3. current: lock the task, and find out whether there is a conflict.
        4. reopened: the same row, unless there is a conflict.
           taken_back: the successor and its subtasks, numbered.
        5. linked_tasks: the other tasks that point to them, numbered after them.
        6. oldest, pruned: delete a few tombstones that are older than `retention`.
        7. counter_bump: take a version for the task, each new label and each of these tasks, and
           count those that are deleted.
        8. deleted_tasks, unlinked_tasks, tombstones: delete them, and unlink the others.
        9. written: the version of the task.
        10. updated: write the task.
        11. new_labels, linked, unlinked: set the labels (with labels).
        12. Return the task.
    """
    owner = lock_owner(find_owner(check_snapshot=with_labels or with_place))
    current = lock_task(owner, with_labels=with_labels, with_place=with_place, was_read=True)
    followers = find_followers(current, with_labels=with_labels, with_place=with_place)
    reopened = select(current).where(current.c.is_written).cte("reopened")
    taken_back = _find_taken_back(reopened)
    deleted_count = count_rows(taken_back)
    linked_tasks = number_linked_tasks(taken_back, versions_taken=deleted_count)
    other_version_count = deleted_count + count_rows(linked_tasks)
    pruned = prune_tombstones(reopened, deleted_count)
    counter_bump = bump_counter(
        reopened,
        own_version_count(followers, with_labels=with_labels) + other_version_count,
        task_count=col(Owner.task_count) - deleted_count,
        pruned_version=new_pruned_version(pruned),
        **label_count(with_labels=with_labels),
    )
    # What follows takes the versions below this one: those of the task and its labels are lower.
    above = select(
        counter_bump.c.id, (counter_bump.c.counter + 1).label("counter"), counter_bump.c.now
    ).cte("above")
    written = select(
        counter_bump.c.id,
        (counter_bump.c.counter - other_version_count).label("counter"),
        counter_bump.c.now,
    ).cte("written")
    updated = update_task(current, written, _NO_SUCCESSOR, with_labels=with_labels)
    return return_task(current, updated, written, followers, with_labels=with_labels).add_cte(
        delete_tasks(taken_back, above).cte("deleted_tasks"),
        unlink_tasks(linked_tasks, above),
        insert_tombstones(select_tombstones(taken_back, above)).cte("tombstones"),
    )


def _find_taken_back(reopened: CTE) -> CTE:
    """Return the successor and its subtasks, numbered from the last to the first."""
    number = func.row_number().over(order_by=col(Task.version).desc())
    is_taken_back = or_(col(Task.id) == SUCCESSOR_ID, col(Task.parent_id) == SUCCESSOR_ID)
    return (
        select(col(Task.id), col(Task.user_id), number.label("number"))
        .join(reopened, col(Task.user_id) == reopened.c.user_id)
        .where(is_taken_back)
        .cte("taken_back")
    )
