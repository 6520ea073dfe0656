"""Complete a task that repeats: write it, and insert its successor with copies of its subtasks."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    DateTime,
    Executable,
    SQLColumnExpression,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    exists,
    false,
    func,
    null,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import col

from tasks.core.owners import bump_counter, find_owner, lock_owner
from tasks.core.projections import QUOTA, TARGET_ID, Query
from tasks.core.tombstones import delete_tombstone, is_id_of_other_kind
from tasks.core.version_cascade import count_rows
from tasks.model_base import columns_of, sort_position
from tasks.models import Owner, Task, TaskLabel
from tasks.task.queries.change import (
    find_followers,
    label_count,
    lock_task,
    new_values,
    own_version_count,
    return_task,
    update_task,
)
from tasks.task.queries.occurrences import SUCCESSOR_ID
from tasks.task.queries.places import find_places, place_behind
from tasks.task.queries.task_labels import REQUESTED_LABELS

_TIMESTAMPTZ = DateTime(timezone=True)


_SUCCESSOR_DUE_DATE: Final = bindparam("successor_due_date", type_=Date)
_SUCCESSOR_DUE_AT: Final = bindparam("successor_due_at", type_=_TIMESTAMPTZ)
_SUCCESSOR_RULE: Final = bindparam("successor_rule", type_=Text)

_SUBTASK_IDS: Final = bindparam("subtask_ids", type_=ARRAY(Uuid))
_COPY_IDS: Final = bindparam("copy_ids", type_=ARRAY(Uuid))
_COPY_DUE_DATES: Final = bindparam("copy_due_dates", type_=ARRAY(Date))
_COPY_DUE_ATS: Final = bindparam("copy_due_ats", type_=ARRAY(_TIMESTAMPTZ))

STORED_COLUMNS: Final = [name for name in columns_of(Task).keys() if name != "status"]  # noqa: SIM118
"""The columns of a row that is inserted. The database computes `status`."""


@cache
def complete_task(*, with_labels: bool = False, with_place: bool = False) -> Executable:
    """Build the statement that completes a task and inserts its successor, and returns the task.

    The task was read by `READ_FOR_CHANGE`. Parameters and columns are those of `change_task`. There
    is no `next_id` if the successor was not made: its id is taken, or there is no room for it and
    the copies of the subtasks.

    Stages:
        1. requested_labels: the labels that were sent, stored or new (with labels).
        2. owner: lock the owner.
        3. current: lock the task, and find out whether there is a conflict.
        4. copies: the subtasks to copy, with what differs in the copies.
        5. places: the places behind the task and its subtasks.
        6. successor: all columns of the successor; no row if it is not made.
        7. made_successor, made_copies, made: insert both.
        8. counter_bump: take a version for the task, each new label, the successor and each copy,
           and count what was inserted.
        9. written: the version of the task.
        10. updated: write the task.
        11. made_labels: give the successor and the copies their labels.
        12. deleted_tombstones: delete the tombstones of a successor that had been deleted.
        13. new_labels, linked, unlinked: set the labels (with labels).
        14. Return the task.
    """
    owner = lock_owner(find_owner(check_snapshot=with_labels or with_place))
    current = lock_task(owner, with_labels=with_labels, with_place=with_place, was_read=True)
    followers = find_followers(current, with_labels=with_labels, with_place=with_place)
    own_versions = own_version_count(followers, with_labels=with_labels)
    first_version = owner.c.counter + own_versions + 1
    copies = _find_copies(current)
    places = find_places(
        func.array_append(_SUBTASK_IDS, TARGET_ID, type_=ARRAY(Uuid)),
        select(current.c.new_list_id).scalar_subquery(),
    )
    successor = _compose_successor(owner, current, copies, places, first_version)
    made_successor = insert_tasks(successor).cte("made_successor")
    composed = _compose_copies(owner, current, copies, made_successor, places, first_version)
    made_copies = insert_tasks(composed).cte("made_copies")
    made = union_all(select(made_successor.c.id), select(made_copies.c.id)).cte("made")

    # Versions of rows that were not inserted stay unused.
    made_version_count = 1 + func.cardinality(_SUBTASK_IDS)
    counter_bump = bump_counter(
        current,
        own_versions + made_version_count,
        current.c.is_written,
        task_count=col(Owner.task_count) + count_rows(made),
        **label_count(with_labels=with_labels),
    )
    written = select(
        counter_bump.c.id,
        (counter_bump.c.counter - made_version_count).label("counter"),
        counter_bump.c.now,
    ).cte("written")
    next_id = select(made_successor.c.id).scalar_subquery()
    updated = update_task(current, written, next_id, with_labels=with_labels)
    made_labels = _insert_labels(
        current, copies, made_successor, made_copies, with_labels=with_labels
    )
    return return_task(current, updated, written, followers, with_labels=with_labels).add_cte(
        made_labels, delete_tombstone("task", made)
    )


def _find_copies(current: CTE) -> CTE:
    """Return the subtasks that are copied, numbered in their order; none whose copy's id is taken.

    Beside all columns of the subtask these are `copy_id`, `copy_due_date` and `copy_due_at`.
    """
    sent = (
        func.unnest(_SUBTASK_IDS, _COPY_IDS, _COPY_DUE_DATES, _COPY_DUE_ATS)
        .table_valued(
            column("id", Uuid),
            column("copy_id", Uuid),
            column("copy_due_date", Date),
            column("copy_due_at", _TIMESTAMPTZ),
        )
        .render_derived("sent")
    )
    order = (sort_position(columns_of(Task)), col(Task.id))
    is_sent = and_(col(Task.user_id) == current.c.user_id, col(Task.id) == sent.c.id)
    return (
        select(
            Task,
            sent.c.copy_id,
            sent.c.copy_due_date,
            sent.c.copy_due_at,
            func.row_number().over(order_by=order).label("number"),
        )
        .join(sent, col(Task.id) == sent.c.id)
        .join(current, is_sent)
        .where(is_free(sent.c.copy_id))
        .cte("copies")
    )


def is_free(new_id: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    """Return whether no task of anybody has the id, and nothing else of the owner has or had it."""
    holder = aliased(Task, name="holder")
    is_held = exists().where(col(holder.id) == new_id)
    return and_(~is_held, ~is_id_of_other_kind("task", new_id))


def _compose_successor(
    owner: CTE, current: CTE, copies: CTE, places: CTE, version: ColumnElement[int]
) -> CTE:
    """Return all columns of the successor; no row if there is no room or its id is taken."""
    values = new_values(current.c)
    values["list_id"] = current.c.new_list_id
    values["due_date"] = _SUCCESSOR_DUE_DATE
    values["due_at"] = _SUCCESSOR_DUE_AT
    values["recurrence_rule"] = _SUCCESSOR_RULE
    values["id"] = SUCCESSOR_ID
    values["position"] = place_behind(places, current.c.id)
    values["previous_id"] = current.c.id
    values["parent_id"] = null()
    values["made_subtask_count"] = count_rows(copies)
    has_room = owner.c.task_count + 1 + count_rows(copies) <= QUOTA
    return (
        open_task(owner, current, values, version)
        .where(current.c.is_written, has_room, is_free(SUCCESSOR_ID))
        .cte("successor")
    )


def _compose_copies(
    owner: CTE,
    current: CTE,
    copies: CTE,
    made_successor: CTE,
    places: CTE,
    version: ColumnElement[int],
) -> CTE:
    """Return all columns of the copies of subtasks; none if the successor was not inserted."""
    has_due = copies.c.copy_due_date.is_not(None)
    values: dict[str, ColumnElement[Any]] = {name: copies.c[name] for name in STORED_COLUMNS}
    values["list_id"] = current.c.new_list_id
    values["due_date"] = copies.c.copy_due_date
    values["due_time"] = case((has_due, copies.c.due_time))
    values["due_at"] = copies.c.copy_due_at
    values["due_time_zone"] = case((has_due, copies.c.due_time_zone))
    values["id"] = copies.c.copy_id
    values["position"] = place_behind(places, copies.c.id)
    values["previous_id"] = copies.c.id
    values["parent_id"] = made_successor.c.id
    values["made_subtask_count"] = null()
    return (
        open_task(owner, current, values, version + copies.c.number)
        .join(made_successor, true())
        .join(copies, true())
        .cte("composed_copies")
    )


def open_task(
    owner: CTE, current: CTE, values: Mapping[str, ColumnElement[Any]], version: ColumnElement[int]
) -> Query:
    """Select all stored columns of a task that is open and new."""
    values = dict(values)
    values["user_id"] = owner.c.id
    values["is_completed"] = false()
    values["completed_at"] = null()
    values["created_at"] = owner.c.now
    values["updated_at"] = owner.c.now
    values["version"] = version
    values["made_version"] = version
    columns: list[ColumnElement[Any]] = []
    for name in STORED_COLUMNS:
        columns.append(cast(values[name], columns_of(Task)[name].type).label(name))
    return select(*columns).select_from(owner).join(current, true())


def insert_tasks(rows: CTE) -> ReturningInsert[UUID, UUID]:
    """Insert tasks whose ids are free, and return their `id` and `user_id`."""
    columns = [rows.c[name] for name in STORED_COLUMNS]
    insertion = insert(Task).from_select(STORED_COLUMNS, select(*columns))
    # Another user may insert a task with the id at the same moment.
    return insertion.on_conflict_do_nothing(index_elements=[col(Task.id)]).returning(
        col(Task.id), col(Task.user_id)
    )


def _insert_labels(
    current: CTE, copies: CTE, made_successor: CTE, made_copies: CTE, *, with_labels: bool
) -> CTE:
    """Give the successor the labels that the task has afterwards, and each copy its subtask's."""
    user_id = col(TaskLabel.user_id)
    label_id = col(TaskLabel.label_id)
    if with_labels:
        of_successor = select(
            made_successor.c.user_id, made_successor.c.id, REQUESTED_LABELS.c.id
        ).join(REQUESTED_LABELS, true())
    else:
        has_task = and_(user_id == current.c.user_id, col(TaskLabel.task_id) == current.c.id)
        of_successor = (
            select(made_successor.c.user_id, made_successor.c.id, label_id)
            .select_from(made_successor)
            .join(current, true())
            .join(TaskLabel, has_task)
        )
    has_subtask = and_(user_id == copies.c.user_id, col(TaskLabel.task_id) == copies.c.id)
    of_copies = (
        select(made_copies.c.user_id, made_copies.c.id, label_id)
        .select_from(made_copies)
        .join(copies, copies.c.copy_id == made_copies.c.id)
        .join(TaskLabel, has_subtask)
    )
    links = union_all(of_successor, of_copies)
    insertion = insert(TaskLabel).from_select(["user_id", "task_id", "label_id"], links)
    return insertion.cte("made_labels")
