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
    func,
    null,
    select,
    true,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlmodel import col

from tasks.bulk.queries.matching import SELECTIONS, Consequences
from tasks.core.projections import NOW, QUOTA, USER_ID
from tasks.core.tombstones import delete_tombstone
from tasks.core.version_cascade import count_rows
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


READ_SUBTASKS: Final = select(
    col(Task.id),
    col(Task.parent_id),
    col(Task.due_date),
    col(Task.due_time),
    col(Task.due_time_zone),
).where(
    col(Task.user_id) == USER_ID,
    col(Task.parent_id).is_not(None),
    col(Task.parent_id) == any_(_PARENT_IDS),
)
"""The subtasks of the tasks `parent_ids`."""


def make_successors(
    owner: CTE,
    verdict: CTE,
    new_values: dict[str, ColumnElement[Any]],
    versions: ColumnElement[int],
    removed_ids: ColumnElement[Any] | None,
    arriving: Sequence[CTE],
) -> Consequences:
    """Insert the successors that fit into the quota, in the order of position, with their copies.

    Args:
        owner: The locked owner.
        verdict: Its `conflict`; with one, nothing is inserted.
        new_values: What columns of the completed tasks get.
        versions: How many versions the statement gives to other rows; they come first.
        removed_ids: The labels that are removed; None if labels stay as they are.
        arriving: The tasks that go to another list, if some do.
    """
    sent_copies = _sent("copy", _SUBTASK_IDS, "sent_copies")
    order = (sort_position(columns_of(Task)), col(Task.id))
    copies = (
        select(Task, sent_copies, func.row_number().over(order_by=order).label("number"))
        .join(sent_copies, col(Task.id) == sent_copies.c.source_id)
        .where(col(Task.user_id) == USER_ID, is_free(sent_copies.c.new_id))
        .cte("copies")
    )
    sources = func.array_cat(_COMPLETED_IDS, _SUBTASK_IDS, type_=ARRAY(Uuid))
    places = find_places(sources, new_values["list_id"], arriving)
    successors = _compose_successors(owner, verdict, copies, places, new_values, versions)
    made_successors = insert_tasks(successors).cte("made_successors")
    first_copy = owner.c.counter + versions + func.cardinality(_COMPLETED_IDS)
    composed = _compose_copies(owner, successors, made_successors, copies, places, first_copy)
    made_copies = insert_tasks(composed).cte("made_copies")
    made = union_all(select(made_successors.c.id), select(made_copies.c.id)).cte("made")
    labels = _insert_labels(successors, made_successors, composed, made_copies, removed_ids)
    subtask_count = func.cardinality(_SUBTASK_IDS)
    # Versions of tasks that are not made stay unused.
    return Consequences(
        version_count=func.cardinality(_COMPLETED_IDS) + subtask_count,
        owner_columns={"task_count": col(Owner.task_count) + count_rows(made)},
        write=lambda _: [labels, delete_tombstone("task", made)],
    )


def _compose_successors(
    owner: CTE,
    verdict: CTE,
    copies: CTE,
    places: CTE,
    new_values: dict[str, ColumnElement[Any]],
    versions: ColumnElement[int],
) -> CTE:
    sent = _sent("successor", _COMPLETED_IDS, "sent_successors")
    task = columns_of(Task)
    order = (sort_position(task), task["id"])
    copy_count = select(func.count()).where(copies.c.parent_id == task["id"]).scalar_subquery()
    size = func.sum(1 + copy_count).over(order_by=order)
    columns = [new_values.get(name, task[name]).label(name) for name in STORED_COLUMNS]
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


def _insert_labels(
    successors: CTE,
    made_successors: CTE,
    composed: CTE,
    made_copies: CTE,
    removed_ids: ColumnElement[Any] | None,
) -> CTE:
    """Give each successor the labels that its task has afterwards, and each copy its subtask's."""
    stored = (
        select(made_successors.c.user_id, made_successors.c.id, col(TaskLabel.label_id))
        .select_from(made_successors)
        .join(successors, successors.c.id == made_successors.c.id)
        .join(TaskLabel, _has_task(successors))
    )
    queries = [stored]
    if removed_ids is not None:
        is_removed = col(TaskLabel.label_id) == any_(removed_ids)
        queries = [
            stored.where(~is_removed),
            select(made_successors.c.user_id, made_successors.c.id, REQUESTED_LABELS.c.id).join(
                REQUESTED_LABELS, true()
            ),
        ]
    queries.append(
        select(made_copies.c.user_id, made_copies.c.id, col(TaskLabel.label_id))
        .select_from(made_copies)
        .join(composed, composed.c.id == made_copies.c.id)
        .join(TaskLabel, _has_task(composed))
    )
    links = union(*queries)
    insertion = insert(TaskLabel).from_select(["user_id", "task_id", "label_id"], links)
    return insertion.cte("made_labels")


def _has_task(made: CTE) -> ColumnElement[bool]:
    return and_(
        col(TaskLabel.user_id) == made.c.user_id, col(TaskLabel.task_id) == made.c.previous_id
    )
