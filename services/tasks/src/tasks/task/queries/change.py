"""Read, change and delete one task."""

from functools import cache
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Executable,
    and_,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.orm import aliased
from sqlmodel import col

from tasks.core.conflicts import ConflictCode, first_conflict
from tasks.core.owners import bump_counter, find_owner, lock_owner, target_list_exists
from tasks.core.projections import (
    LIST_ID,
    SETS_LIST,
    TARGET_ID,
    USER_ID,
    matches_if_match,
)
from tasks.core.task_links import number_linked_tasks, unlink_tasks
from tasks.core.tombstones import insert_tombstones, new_pruned_version, prune_tombstones
from tasks.core.version_cascade import count_rows
from tasks.models import Owner, Task, columns_of
from tasks.task.columns import EDITABLE_COLUMNS
from tasks.task.projection import TASK_PROJECTION, label_names_of, task_fields
from tasks.task.queries.task_labels import (
    LABELS_QUOTA,
    NEW_LABEL_COUNT,
    REQUESTED_NAMES,
    has_other_labels,
    set_labels,
)

GET_TASK: Final = select(*TASK_PROJECTION).where(
    col(Task.id) == TARGET_ID, col(Task.user_id) == USER_ID
)
"""One task of one user, as it is shown to clients."""


_NEW_VALUES: Final = {column.name: column.new_value for column in EDITABLE_COLUMNS}
"""What each editable column gets by a change: the parameter, or what it has."""


@cache
def change_task(*, with_labels: bool = False) -> Executable:
    """Build the statement that changes a task and returns it.

    A column stays as it is if its flag is false, or if it has no flag and its parameter is null.
    A change that changes nothing takes no version. No row if the user has no such task.

    The row also has a `conflict`; then nothing is written, and if it is "stale", the statement must
    run again. If `labels_may_be_outdated`, the labels of the row may be older than
    the rest.

    Stages:
        1. requested_labels: the labels that were sent, stored or new (with labels).
        2. owner: lock the owner.
        3. current: lock the task, and find out whether it differs and whether there is a conflict.
        4. counter_bump: take a version for the task and each new label, unless nothing is written.
        5. updated: write the task.
        6. new_labels, linked, unlinked: set the labels (with labels).
        7. Return the updated task, or else the current one.
    """
    owner = lock_owner(find_owner(check_snapshot=with_labels))
    current = _lock_task(owner, with_labels=with_labels)
    is_written = and_(current.c.differs, current.c.conflict.is_(None))
    if with_labels:
        label_names = REQUESTED_NAMES
        counter_bump = bump_counter(
            current,
            1 + NEW_LABEL_COUNT,
            is_written,
            label_count=col(Owner.label_count) + NEW_LABEL_COUNT,
        )
    else:
        label_names = label_names_of(columns_of(Task))
        counter_bump = bump_counter(current, 1, is_written)
    updated = _update_task(counter_bump, task_fields(columns_of(Task), label_names))
    unchanged_columns = task_fields(current.c, label_names_of(current.c))
    unchanged_columns.append(current.c.conflict)
    unchanged_columns.append(current.c.labels_may_be_outdated)
    statement = union_all(
        select(updated, current.c.conflict, current.c.labels_may_be_outdated).join(current, true()),
        select(*unchanged_columns).where(~is_written),
    )
    if with_labels:
        for cte in set_labels(counter_bump, TARGET_ID):
            statement = statement.add_cte(cte)
    return statement.execution_options(not_idempotent=True)


def _lock_task(owner: CTE, *, with_labels: bool) -> CTE:
    new_values = list(_NEW_VALUES.values())
    current_values = [columns_of(Task)[name] for name in _NEW_VALUES]
    differs: ColumnElement[bool] = tuple_(*current_values).is_distinct_from(tuple_(*new_values))
    if with_labels:
        differs = or_(differs, has_other_labels(columns_of(Task)))
    # The labels of a task are not locked, but each change of them changes the version of the task.
    labels_may_be_outdated = col(Task.version) != _version_in_snapshot()
    return (
        select(
            Task,
            owner.c.now,
            differs.label("differs"),
            labels_may_be_outdated.label("labels_may_be_outdated"),
            _conflict(owner, with_labels=with_labels).label("conflict"),
        )
        .join(owner, col(Task.user_id) == owner.c.id)
        .where(col(Task.id) == TARGET_ID)
        .with_for_update(of=Task)
        .cte("current")
    )


def _version_in_snapshot() -> ColumnElement[int]:
    """Return the version of the task when the statement began, before it waited for a lock."""
    task = aliased(Task, name="task_in_snapshot")
    return (
        select(col(task.version))
        .where(col(task.id) == TARGET_ID, col(task.user_id) == USER_ID)
        .scalar_subquery()
    )


def _conflict(owner: CTE, *, with_labels: bool) -> ColumnElement[str | None]:
    is_list_missing = and_(SETS_LIST, LIST_ID.is_not(None), ~target_list_exists(owner))
    conflicts: list[tuple[ColumnElement[bool], str]] = [(is_list_missing, "list-not-found")]
    if with_labels:
        label_count = owner.c.label_count + NEW_LABEL_COUNT
        conflicts.append((~owner.c.is_current, "stale"))
        conflicts.append((label_count > LABELS_QUOTA, "labels-full"))
    conflicts.append((~matches_if_match(columns_of(Task)), "version-mismatch"))
    return case(*conflicts)


def _update_task(counter_bump: CTE, projection: list[ColumnElement[Any]]) -> CTE:
    now = counter_bump.c.now
    values = dict(_NEW_VALUES)
    values["completed_at"] = case(
        (_NEW_VALUES["is_completed"], func.coalesce(col(Task.completed_at), now))
    )
    values["updated_at"] = now
    values["version"] = counter_bump.c.counter
    return (
        update(Task)
        .where(col(Task.id) == TARGET_ID, col(Task.user_id) == counter_bump.c.id)
        .values(values)
        .returning(*projection)
        .cte("updated")
    )


def _delete_task() -> Executable:
    """Build the statement.

    Stages:
        1. owner: lock the owner.
        2. current: lock the task, and find out whether there is a conflict.
        3. deleted: delete the task, unless there is one.
        4. linked_tasks: its subtasks, and the occurrence after it, numbered.
        5. pruned: delete a few tombstones that are older than `retention`.
        6. counter_bump: take a version for the task and each linked one, count one task less, and
           note the version up to which tombstones may be missing.
        7. unlinked_tasks: unlink the linked tasks.
        8. tombstone: insert the tombstone of the task.
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
    linked_tasks = number_linked_tasks(deleted)
    counter_bump = bump_counter(
        deleted,
        1 + count_rows(linked_tasks),
        task_count=col(Owner.task_count) - 1,
        pruned_version=new_pruned_version(prune_tombstones(deleted)),
    )
    tombstone = select(
        deleted.c.id,
        counter_bump.c.id.label("user_id"),
        literal("task"),
        counter_bump.c.counter,
        counter_bump.c.now,
    ).join(counter_bump, true())
    statement = select(current.c.conflict).add_cte(
        unlink_tasks(linked_tasks, counter_bump), insert_tombstones(tombstone).cte("tombstone")
    )
    return statement.execution_options(not_idempotent=True)


DELETE_TASK: Final = _delete_task()
"""Delete a task, unlink those that point to it, insert its tombstone and return a `conflict`.

If that is "stale", the statement must run again. No row if the user has no such task.
"""
