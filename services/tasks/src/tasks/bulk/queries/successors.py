"""The successors of many completed tasks: what is read for them, and how they are inserted."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    DateTime,
    Executable,
    TableValuedAlias,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    column,
    false,
    func,
    null,
    select,
    true,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlmodel import col

from tasks.bulk.queries.matching import NEW_VALUES, SELECTIONS, Consequences
from tasks.core.projections import NOW, QUOTA, USER_ID, Query
from tasks.core.tombstones import delete_tombstone
from tasks.core.version_cascade import count_rows, is_among
from tasks.model_base import columns_of, sort_position
from tasks.models import Owner, Task, TaskLabel
from tasks.task.queries.complete import STORED_COLUMNS, insert_tasks, is_free, open_task
from tasks.task.queries.listing import STATEMENTS_CACHED_MAX
from tasks.task.queries.occurrences import has_successor
from tasks.task.queries.places import find_places, place_behind
from tasks.task.queries.task_labels import REQUESTED_LABELS

_TIMESTAMPTZ = DateTime(timezone=True)

_COMPLETED_IDS: Final = bindparam("completed_ids", type_=ARRAY(Uuid))
_SUBTASK_IDS: Final = bindparam("subtask_ids", type_=ARRAY(Uuid))
_PARENT_IDS: Final = bindparam("parent_ids", type_=ARRAY(Uuid))


def _sent(prefix: str, source_ids: ColumnElement[Any], name: str) -> TableValuedAlias:
    arrays = [
        source_ids,
        bindparam(f"{prefix}_ids", type_=ARRAY(Uuid)),
        bindparam(f"{prefix}_due_dates", type_=ARRAY(Date)),
        bindparam(f"{prefix}_due_ats", type_=ARRAY(_TIMESTAMPTZ)),
        bindparam(f"{prefix}_rules", type_=ARRAY(Text)),
    ]
    columns = [
        column("source_id", Uuid),
        column("new_id", Uuid),
        column("new_due_date", Date),
        column("new_due_at", _TIMESTAMPTZ),
        column("new_rule", Text),
    ]
    return func.unnest(*arrays).table_valued(*columns).render_derived(name)


@lru_cache(maxsize=STATEMENTS_CACHED_MAX)
def read_recurring(filters: frozenset[str]) -> Executable:
    """Read the open tasks that match, repeat and have no successor, in the order of position.

    Each row has the owner's `counter` and the time `now`. One row without a task if there are none;
    no row for an unknown owner.
    """
    tasks = select(
        col(Task.id),
        col(Task.due_date),
        col(Task.due_time),
        col(Task.due_time_zone),
        col(Task.recurrence_rule),
        col(Task.recurrence_from),
        sort_position(columns_of(Task)).label("sort_position"),
    ).where(
        col(Task.user_id) == col(Owner.id),
        ~col(Task.is_completed),
        col(Task.recurrence_rule).is_not(None),
        ~has_successor(),
    )
    for name in sorted(filters):
        tasks = tasks.where(SELECTIONS[name])
    recurring = tasks.correlate(Owner).lateral("recurring")
    return (
        select(col(Owner.counter), NOW.label("now"), recurring)
        .join(recurring, true(), isouter=True)
        .where(col(Owner.id) == USER_ID)
        .order_by(recurring.c.sort_position, recurring.c.id)
    )


@lru_cache(maxsize=STATEMENTS_CACHED_MAX)
def read_subtasks(filters: frozenset[str]) -> Executable:
    """Read the subtasks of the tasks `parent_ids`, and whether each of them `is_matched`."""
    is_matched = and_(true(), *[SELECTIONS[name] for name in sorted(filters)])
    return select(
        col(Task.id),
        col(Task.parent_id),
        col(Task.due_date),
        col(Task.due_time),
        col(Task.due_time_zone),
        func.coalesce(is_matched, false()).label("is_matched"),
    ).where(
        col(Task.user_id) == USER_ID,
        col(Task.parent_id).is_not(None),
        col(Task.parent_id) == any_(_PARENT_IDS),
    )


def make_successors(
    owner: CTE,
    matched: CTE,
    verdict: CTE,
    versions: ColumnElement[int],
    removed_ids: ColumnElement[Any] | None,
    arriving: Sequence[CTE],
) -> Consequences:
    """Insert the successors that fit into the quota, in the order of position, with their copies.

    Args:
        owner: The locked owner.
        matched: The tasks that match. Subtasks among them are copied as they are afterwards.
        verdict: Its `conflict`; with one, nothing is inserted.
        versions: How many versions the statement gives to other rows; they come first.
        removed_ids: The labels that are removed; None if labels stay as they are.
        arriving: The tasks that go to another list, if some do.
    """
    copies = _find_copies(matched)
    sources = func.array_cat(_COMPLETED_IDS, _SUBTASK_IDS, type_=ARRAY(Uuid))
    places = find_places(sources, NEW_VALUES["list_id"], arriving)
    successors = _compose_successors(owner, verdict, copies, places, versions)
    made_successors = insert_tasks(successors).cte("made_successors")
    first_copy = owner.c.counter + versions + func.cardinality(_COMPLETED_IDS)
    composed = _compose_copies(owner, successors, made_successors, copies, places, first_copy)
    made_copies = insert_tasks(composed).cte("made_copies")
    made = union_all(select(made_successors.c.id), select(made_copies.c.id)).cte("made")
    queries = [
        *_labels_of_made(successors, made_successors, removed_ids),
        *_labels_of_made(composed, made_copies, removed_ids, matched),
    ]
    insertion = insert(TaskLabel).from_select(["user_id", "task_id", "label_id"], union(*queries))
    labels = insertion.cte("made_labels")
    subtask_count = func.cardinality(_SUBTASK_IDS)
    # Versions of tasks that are not made stay unused.
    return Consequences(
        version_count=func.cardinality(_COMPLETED_IDS) + subtask_count,
        owner_columns={"task_count": col(Owner.task_count) + count_rows(made)},
        write=lambda _: [labels, delete_tombstone("task", made)],
    )


def _find_copies(matched: CTE) -> CTE:
    """Return the subtasks that are copied, as they are afterwards, numbered in their order."""
    sent = _sent("copy", _SUBTASK_IDS, "sent_copies")
    task = columns_of(Task)
    is_matched = is_among(task["id"], matched)
    columns: list[ColumnElement[Any]] = []
    for name in STORED_COLUMNS:
        value: ColumnElement[Any] = task[name]
        if name in NEW_VALUES:
            value = case((is_matched, NEW_VALUES[name]), else_=value)
        columns.append(value.label(name))
    order = (sort_position(task), task["id"])
    return (
        select(*columns, sent, func.row_number().over(order_by=order).label("number"))
        .join(sent, task["id"] == sent.c.source_id)
        .where(task["user_id"] == USER_ID, is_free(sent.c.new_id))
        .cte("copies")
    )


def _compose_successors(
    owner: CTE,
    verdict: CTE,
    copies: CTE,
    places: CTE,
    versions: ColumnElement[int],
) -> CTE:
    sent = _sent("successor", _COMPLETED_IDS, "sent_successors")
    task = columns_of(Task)
    order = (sort_position(task), task["id"])
    copy_count = select(func.count()).where(copies.c.parent_id == task["id"]).scalar_subquery()
    size = func.sum(1 + copy_count).over(order_by=order)
    columns = [NEW_VALUES.get(name, task[name]).label(name) for name in STORED_COLUMNS]
    candidates = (
        select(
            *columns,
            sent.c.new_id,
            sent.c.new_due_date,
            sent.c.new_due_at,
            sent.c.new_rule,
            copy_count.label("copy_count"),
            size.label("total_size"),
            func.row_number().over(order_by=order).label("number"),
        )
        .join(sent, task["id"] == sent.c.source_id)
        .join(verdict, verdict.c.conflict.is_(None))
        .where(task["user_id"] == USER_ID, is_free(sent.c.new_id))
        .cte("candidates")
    )
    values: dict[str, ColumnElement[Any]] = {name: candidates.c[name] for name in STORED_COLUMNS}
    values["id"] = candidates.c.new_id
    values["due_date"] = candidates.c.new_due_date
    values["due_at"] = candidates.c.new_due_at
    values["recurrence_rule"] = candidates.c.new_rule
    values["position"] = place_behind(places, candidates.c.id)
    values["previous_id"] = candidates.c.id
    values["parent_id"] = null()
    values["made_subtask_count"] = candidates.c.copy_count
    version = owner.c.counter + versions + candidates.c.number
    return (
        open_task(owner, candidates, values, version)
        .where(owner.c.task_count + candidates.c.total_size <= QUOTA)
        .cte("successors")
    )


def _compose_copies(
    owner: CTE,
    successors: CTE,
    made_successors: CTE,
    copies: CTE,
    places: CTE,
    first: ColumnElement[int],
) -> CTE:
    of_made = (
        select(
            copies,
            successors.c.id.label("new_parent_id"),
            successors.c.list_id.label("new_list_id"),
        )
        .join(successors, successors.c.previous_id == copies.c.parent_id)
        .join(made_successors, made_successors.c.id == successors.c.id)
        .cte("copies_to_make")
    )
    has_due = of_made.c.new_due_date.is_not(None)
    values: dict[str, ColumnElement[Any]] = {name: of_made.c[name] for name in STORED_COLUMNS}
    values["id"] = of_made.c.new_id
    values["list_id"] = of_made.c.new_list_id
    values["due_date"] = of_made.c.new_due_date
    values["due_time"] = case((has_due, of_made.c.due_time))
    values["due_at"] = of_made.c.new_due_at
    values["due_time_zone"] = case((has_due, of_made.c.due_time_zone))
    values["position"] = place_behind(places, of_made.c.id)
    values["previous_id"] = of_made.c.id
    values["parent_id"] = of_made.c.new_parent_id
    values["made_subtask_count"] = null()
    return open_task(owner, of_made, values, first + of_made.c.number).cte("composed_copies")


def _labels_of_made(
    composed: CTE, made: CTE, removed_ids: ColumnElement[Any] | None, matched: CTE | None = None
) -> list[Query]:
    """Return the labels that new tasks get: those that their sources have afterwards.

    Args:
        composed: All columns of the new tasks.
        made: Those of them that were inserted.
        removed_ids: The labels that are removed; None if labels stay as they are.
        matched: The tasks that match, if sources may be others: their labels stay as they are.
    """
    new_tasks = (
        select(made.c.user_id, made.c.id)
        .select_from(made)
        .join(composed, composed.c.id == made.c.id)
    )
    has_source = and_(
        col(TaskLabel.user_id) == composed.c.user_id,
        col(TaskLabel.task_id) == composed.c.previous_id,
    )
    stored = new_tasks.add_columns(col(TaskLabel.label_id)).join(TaskLabel, has_source)
    if removed_ids is None:
        return [stored]
    is_changed = true() if matched is None else is_among(composed.c.previous_id, matched)
    is_removed = and_(is_changed, col(TaskLabel.label_id) == any_(removed_ids))
    added = new_tasks.add_columns(REQUESTED_LABELS.c.id).join(REQUESTED_LABELS, is_changed)
    return [stored.where(~is_removed), added]
