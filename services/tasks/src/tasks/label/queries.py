"""Reading, renaming and deleting labels; tasks make them."""

from typing import Final

from sqlalchemy import (
    CTE,
    Executable,
    and_,
    delete,
    func,
    literal,
    select,
    true,
)

from tasks.core.owners import NOT_MODIFIED_SINCE, bump_counter
from tasks.core.projections import (
    LABEL_PROJECTION,
    LABELS,
    OWNERS,
    TARGET_ID,
    TASK_LABELS,
    TASKS,
    USER_ID,
    label_json,
)
from tasks.core.rename import find_deletable, find_renamable, rename
from tasks.core.tombstones import insert_tombstones, new_pruned_version, prune_tombstones
from tasks.core.version_cascade import bump_task_versions, count_rows, number_tasks

_task_count = (
    select(func.count())
    .where(TASK_LABELS.c.user_id == LABELS.c.user_id, TASK_LABELS.c.label_id == LABELS.c.id)
    .correlate(LABELS)
    .scalar_subquery()
)
_listed = (
    select(*LABEL_PROJECTION, _task_count.label("task_count"))
    .where(LABELS.c.user_id == OWNERS.c.id, NOT_MODIFIED_SINCE)
    .order_by(LABELS.c.folded_name)
    .correlate(OWNERS)
    .lateral("listed")
)

LIST_LABELS: Final = (
    select(OWNERS.c.counter, _listed)
    .join(_listed, true(), isouter=True)
    .where(OWNERS.c.id == USER_ID)
)
"""All labels of this owner by name, each with the number of its tasks and the owner's `counter`.

One row without a label when there are none, or the counter was `seen`; no row when the owner is unknown.
"""

GET_LABEL: Final = select(*LABEL_PROJECTION).where(
    LABELS.c.id == TARGET_ID, LABELS.c.user_id == USER_ID
)
"""One label of this owner."""


def _carriers(label: CTE) -> CTE:
    linked = and_(TASK_LABELS.c.user_id == label.c.user_id, TASK_LABELS.c.label_id == label.c.id)
    return number_tasks(
        TASKS.c.id.in_(select(TASK_LABELS.c.task_id).where(linked).correlate(label)), label
    )


def _change_label() -> Executable:
    found = find_renamable(LABELS)
    carriers = _carriers(found[1])
    raised = bump_counter(found[1], 1 + count_rows(carriers))
    return rename(
        LABELS, found, raised, label_json, bump_task_versions(carriers, raised).cte("touched_tasks")
    )


CHANGE_LABEL: Final = _change_label()
"""Rename a label, so that all tasks with it take a version, unless there is a `conflict`; a null name keeps it.

No row when there is no such label of this owner.
"""


def _delete_label() -> Executable:
    wanted, allowed = find_deletable(LABELS)
    carriers = _carriers(allowed)
    known = new_pruned_version(prune_tombstones(allowed))
    counts = {"label_count": OWNERS.c.label_count - 1, "pruned_version": known}
    raised = bump_counter(allowed, 1 + count_rows(carriers), **counts)
    gone = delete(LABELS).where(LABELS.c.id == allowed.c.id, LABELS.c.user_id == raised.c.id)
    dead = select(allowed.c.id, raised.c.id, literal("label"), raised.c.counter, raised.c.now).join(
        raised, true()
    )
    writes = [
        gone.cte("gone"),
        bump_task_versions(carriers, raised).cte("touched_tasks"),
        insert_tombstones(dead).cte("left"),
    ]
    return select(wanted.c.conflict).add_cte(*writes).execution_options(not_idempotent=True)


DELETE_LABEL: Final = _delete_label()
"""Delete a label, so that all tasks with it take a version, unless there is a `conflict`.

No row when there is no such label of this owner.
"""
