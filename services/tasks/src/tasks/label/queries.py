"""Read, rename and delete labels. Tasks create them."""

from typing import Final

from sqlalchemy import CTE, Executable, delete, func, literal, select, true
from sqlmodel import col

from tasks.core.owners import NOT_MODIFIED_SINCE, bump_counter
from tasks.core.projections import LABEL_PROJECTION, TARGET_ID, USER_ID, label_fields
from tasks.core.rename import find_deletable, find_renamable, rename
from tasks.core.tombstones import insert_tombstones, new_pruned_version, prune_tombstones
from tasks.core.version_cascade import bump_task_versions, count_rows, number_tasks
from tasks.models import Label, Owner, Task, TaskLabel

_task_count = (
    select(func.count())
    .where(col(TaskLabel.user_id) == col(Label.user_id), col(TaskLabel.label_id) == col(Label.id))
    .correlate(Label)
    .scalar_subquery()
)
_labels_of_owner = (
    select(*LABEL_PROJECTION, _task_count.label("task_count"))
    .where(col(Label.user_id) == col(Owner.id), NOT_MODIFIED_SINCE)
    .order_by(col(Label.folded_name))
    .correlate(Owner)
    .lateral("labels_of_owner")
)

LIST_LABELS: Final = (
    select(col(Owner.counter), _labels_of_owner)
    .join(_labels_of_owner, true(), isouter=True)
    .where(col(Owner.id) == USER_ID)
)
"""The labels of the user by name, each with its number of tasks and the owner's `counter`.

One row without a label if there are none, or if the counter is in `If-None-Match`; no row for an
unknown owner.
"""

GET_LABEL: Final = select(*LABEL_PROJECTION).where(
    col(Label.id) == TARGET_ID, col(Label.user_id) == USER_ID
)
"""One label of the user."""


def _number_tasks_with(label: CTE) -> CTE:
    task_ids = (
        select(col(TaskLabel.task_id))
        .where(col(TaskLabel.user_id) == label.c.user_id, col(TaskLabel.label_id) == label.c.id)
        .correlate(label)
    )
    return number_tasks(col(Task.id).in_(task_ids), label)


def _change_label() -> Executable:
    label = find_renamable(Label)
    tasks = _number_tasks_with(label.writable)
    counter_bump = bump_counter(label.writable, 1 + count_rows(tasks))
    task_update = bump_task_versions(tasks, counter_bump).cte("updated_tasks")
    return rename(Label, label, counter_bump, label_fields, task_update)


CHANGE_LABEL: Final = _change_label()
"""Rename a label, unless there is a `conflict`; a null name leaves the stored one.

Each task with the label gets a new version. No row if the user has no such label.

Stages:
    snapshot, locked, owner: the owner's counter before the lock, the lock, and the time.
    current: the label, locked, with its `conflict`.
    writable: the same row if the name changes and there is no conflict.
    affected_tasks: the tasks with the label, numbered.
    counter_bump: the owner's counter, raised by one and by the number of tasks.
    updated, updated_tasks: the label and its tasks with their new versions.
"""


def _delete_label() -> Executable:
    label = find_deletable(Label)
    tasks = _number_tasks_with(label.writable)
    counter_bump = bump_counter(
        label.writable,
        1 + count_rows(tasks),
        label_count=col(Owner.label_count) - 1,
        pruned_version=new_pruned_version(prune_tombstones(label.writable)),
    )
    deleted = (
        delete(Label)
        .where(col(Label.id) == label.writable.c.id, col(Label.user_id) == counter_bump.c.id)
        .cte("deleted")
    )
    updated_tasks = bump_task_versions(tasks, counter_bump).cte("updated_tasks")
    tombstone = select(
        label.writable.c.id,
        counter_bump.c.id,
        literal("label"),
        counter_bump.c.counter,
        counter_bump.c.now,
    ).join(counter_bump, true())
    tombstones = insert_tombstones(tombstone).cte("tombstones")
    statement = select(label.current.c.conflict).add_cte(deleted, updated_tasks, tombstones)
    return statement.execution_options(not_idempotent=True)


DELETE_LABEL: Final = _delete_label()
"""Delete a label and leave its tombstone, unless there is a `conflict`.

Each task with the label gets a new version. No row if the user has no such label.

Stages:
    snapshot, locked, owner: the owner's counter before the lock, the lock, and the time.
    current: the label, locked, with its `conflict`.
    writable: the same row if there is no conflict.
    affected_tasks: the tasks with the label, numbered.
    oldest, pruned: the owner's oldest tombstones; those that have expired are deleted.
    counter_bump: the owner's counter, raised by one and by the number of tasks.
    deleted, updated_tasks, tombstones: the label, its tasks and its tombstone.
"""
