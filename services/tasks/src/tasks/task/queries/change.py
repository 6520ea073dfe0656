"""Reading, changing and deleting a task."""

from functools import cache
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Executable,
    Update,
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

from tasks.core.owners import bump_counter, find_owner, lock_owner, target_list_exists
from tasks.core.projections import (
    LIST_ID,
    OWNERS,
    SETS_LIST,
    TARGET_ID,
    TASKS,
    USER_ID,
    matches_if_match,
)
from tasks.core.tombstones import insert_tombstones, new_pruned_version, prune_tombstones
from tasks.task.columns import EDITABLE_COLUMNS, EditableColumn
from tasks.task.projection import TASK_PROJECTION, label_names_of, task_json
from tasks.task.queries.task_labels import (
    CHOSEN_NAMES,
    LABELS_QUOTA,
    NEW_LABELS,
    are_others_chosen,
    put_labels,
)

GET_TASK: Final = select(*TASK_PROJECTION).where(
    TASKS.c.id == TARGET_ID, TASKS.c.user_id == USER_ID
)
"""One task of this owner."""


def _new_value(column: EditableColumn) -> ColumnElement[Any]:
    current = TASKS.c[column.name]
    if column.is_nullable:
        return case((column.flag, column.param), else_=current)
    return func.coalesce(column.param, current)


_AFTER: Final = {column.name: _new_value(column) for column in EDITABLE_COLUMNS}

_differs = tuple_(*(TASKS.c[name] for name in _AFTER)).is_distinct_from(tuple_(*_AFTER.values()))

_begun = TASKS.alias("begun_task")
_version_seen = (
    select(_begun.c.version)
    .where(_begun.c.id == TARGET_ID, _begun.c.user_id == USER_ID)
    .scalar_subquery()
)


def _conflict(owner: CTE, *, with_labels: bool) -> ColumnElement[str | None]:
    """Say why a change cannot be made; `outrun` means: not yet, because what was seen is no longer so."""
    lost = (and_(SETS_LIST, LIST_ID.is_not(None), ~target_list_exists(owner)), "list-not-found")
    other = (~matches_if_match(TASKS.c), "version-mismatch")
    if not with_labels:
        return case(lost, other)
    full = (owner.c.label_count + NEW_LABELS > LABELS_QUOTA, "labels-full")
    return case(lost, (~owner.c.is_current, "stale"), full, other)


def _look(owner: CTE, *, with_labels: bool) -> CTE:
    differs = or_(_differs, are_others_chosen(TASKS.c)) if with_labels else _differs
    # Its labels are not locked, but whoever changes them changes the task.
    is_stale = TASKS.c.version != _version_seen
    return (
        select(TASKS, differs.label("differs"), is_stale.label("is_stale"), owner.c.now)
        .add_columns(_conflict(owner, with_labels=with_labels).label("conflict"))
        .join(owner, TASKS.c.user_id == owner.c.id)
        .where(TASKS.c.id == TARGET_ID)
        .with_for_update(of=TASKS)
        .cte("before")
    )


def _write(raised: CTE) -> Update:
    completed_at = case((_AFTER["is_completed"], func.coalesce(TASKS.c.completed_at, raised.c.now)))
    return (
        update(TASKS)
        .where(TASKS.c.id == TARGET_ID, TASKS.c.user_id == raised.c.id)
        .values(
            **_AFTER, completed_at=completed_at, updated_at=raised.c.now, version=raised.c.counter
        )
    )


@cache
def change_task(*, with_labels: bool = False) -> Executable:
    """Build what changes a task: a null `title`, `is_completed` or `priority` keeps what is there.

    So does a description, a list or a due date that is not set. A change that changes nothing takes no version. Nothing
    is written where there is a `conflict`. The labels in the answer may be old where it `is_stale`. No row when there
    is no such task of this owner.
    """
    before = _look(lock_owner(find_owner(check_snapshot=with_labels)), with_labels=with_labels)
    is_written = and_(before.c.differs, before.c.conflict.is_(None))
    counts = {"label_count": OWNERS.c.label_count + NEW_LABELS} if with_labels else {}
    raised = bump_counter(before, 1 + NEW_LABELS if with_labels else 1, is_written, **counts)
    labels = CHOSEN_NAMES if with_labels else label_names_of(TASKS.c)
    changed = _write(raised).returning(*task_json(TASKS.c, labels)).cte("changed")
    met = (before.c.conflict, before.c.is_stale)
    unchanged = select(*task_json(before.c, label_names_of(before.c)), *met).where(~is_written)
    shown = union_all(select(changed, *met).join(before, true()), unchanged).execution_options(
        writes=True
    )
    return shown.add_cte(*put_labels(raised, TARGET_ID)) if with_labels else shown


def _find_deletable() -> CTE:
    owner, conflict = (
        lock_owner(find_owner(check_snapshot=False)),
        case((~matches_if_match(TASKS.c), "version-mismatch")),
    )
    return (
        select(TASKS.c.id, TASKS.c.user_id, owner.c.now, conflict.label("conflict"))
        .join(owner, TASKS.c.user_id == owner.c.id)
        .where(TASKS.c.id == TARGET_ID)
        .with_for_update(of=TASKS)
        .cte("wanted_task")
    )


def _delete_task() -> Executable:
    wanted = _find_deletable()
    gone = (
        delete(TASKS)
        .where(
            TASKS.c.id == wanted.c.id,
            TASKS.c.user_id == wanted.c.user_id,
            wanted.c.conflict.is_(None),
        )
        .returning(TASKS.c.id, TASKS.c.user_id, wanted.c.now)
        .cte("gone")
    )
    counts = {"counter": OWNERS.c.counter + 1, "task_count": OWNERS.c.task_count - 1}
    uncounted = (
        update(OWNERS)
        .where(OWNERS.c.id == gone.c.user_id)
        .values(**counts, pruned_version=new_pruned_version(prune_tombstones(gone)))
        .returning(gone.c.id, gone.c.user_id, OWNERS.c.counter, gone.c.now)
        .cte("uncounted")
    )
    left = select(
        uncounted.c.id, uncounted.c.user_id, literal("task"), uncounted.c.counter, uncounted.c.now
    )
    shown = select(wanted.c.conflict).add_cte(insert_tombstones(left).cte("left"))
    return shown.execution_options(writes=True)


DELETE_TASK: Final = _delete_task()
"""Delete a task and leave its tombstone, unless there is a `conflict`.

A few tombstones that were `kept` for long enough go, and the owner remembers up to which version. No row when there is
no such task of this owner.
"""
