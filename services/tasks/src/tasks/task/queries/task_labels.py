"""Parts of statements that set the labels of a task: stored labels, and new ones for new names.

Which names are new is read before the owner is locked. A statement with these parts must therefore
check that its snapshot is current (`core.owners`).
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Delete,
    Integer,
    Text,
    Uuid,
    and_,
    bindparam,
    column,
    delete,
    func,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert
from sqlmodel import col

from tasks.core.projections import USER_ID
from tasks.model_base import Columns
from tasks.models import Label, TaskLabel

LABELS_QUOTA: Final = bindparam("labels_quota", type_=Integer)
"""How many labels the owner may have."""

FOLDED_NAMES: Final = bindparam("folded_names", type_=ARRAY(Text))
"""The names of the requested labels as they are compared, each once."""

_LABEL_IDS = bindparam("label_ids", type_=ARRAY(Uuid))
_LABEL_NAMES = bindparam("label_names", type_=ARRAY(Text))


def _requested_labels() -> CTE:
    """Return the requested labels: stored ones as they are, and new ones, numbered from 1."""
    sent = (
        func.unnest(_LABEL_IDS, _LABEL_NAMES, FOLDED_NAMES)
        .table_valued(column("id", Uuid), column("name", Text), column("folded_name", Text))
        .render_derived("sent")
    )
    folded_name = sent.c.folded_name.collate("C")
    is_new = col(Label.id).is_(None)
    is_stored = and_(col(Label.user_id) == USER_ID, col(Label.folded_name) == folded_name)
    number = func.row_number().over(partition_by=is_new, order_by=folded_name)
    return (
        select(
            func.coalesce(col(Label.id), sent.c.id).label("id"),
            func.coalesce(col(Label.name), sent.c.name).label("name"),
            folded_name.label("folded_name"),
            is_new.label("is_new"),
            number.label("number"),
        )
        .select_from(sent)
        .outerjoin(Label, is_stored)
        .cte("requested_labels")
    )


REQUESTED_LABELS: Final = _requested_labels()
"""The requested labels, with their `id`."""

NEW_LABEL_COUNT: Final[ColumnElement[int]] = (
    select(func.count())
    .select_from(REQUESTED_LABELS)
    .where(REQUESTED_LABELS.c.is_new)
    .scalar_subquery()
)
"""How many of the requested labels are new."""

REQUESTED_NAMES: Final[ColumnElement[Sequence[str]]] = func.array(
    select(REQUESTED_LABELS.c.name).order_by(REQUESTED_LABELS.c.folded_name).scalar_subquery(),
    type_=ARRAY(Text),
)
"""The names of the requested labels as they are stored, in alphabetical order."""


def has_other_labels(task: Columns) -> ColumnElement[bool]:
    """Return whether the task has other labels than the requested ones."""
    stored_ids = (
        select(col(TaskLabel.label_id))
        .where(col(TaskLabel.user_id) == task["user_id"], col(TaskLabel.task_id) == task["id"])
        .order_by(col(TaskLabel.label_id))
        .scalar_subquery()
    )
    requested_ids = select(REQUESTED_LABELS.c.id).order_by(REQUESTED_LABELS.c.id).scalar_subquery()
    stored = func.array(stored_ids, type_=ARRAY(Uuid))
    requested = func.array(requested_ids, type_=ARRAY(Uuid))
    return stored.is_distinct_from(requested)


def set_labels(counter_bump: CTE, task_id: ColumnElement[Any]) -> list[CTE]:
    """Insert the new labels, and make the requested labels those of the task.

    Args:
        counter_bump: The `id` and the raised `counter` of the owner, and the time `now`. The new
            labels take the versions just below the counter. Without a row nothing is written.
        task_id: The task.
    """
    return [
        insert_new_labels(counter_bump).cte("new_labels"),
        _insert_links(counter_bump, task_id).cte("linked"),
        _delete_other_links(counter_bump, task_id).cte("unlinked"),
    ]


def insert_new_labels(counter_bump: CTE) -> Insert:
    """Insert the requested labels that are new, with the versions just below the counter."""
    values = {
        "id": REQUESTED_LABELS.c.id,
        "user_id": counter_bump.c.id,
        "name": REQUESTED_LABELS.c.name,
        "folded_name": REQUESTED_LABELS.c.folded_name,
        "created_at": counter_bump.c.now,
        "updated_at": counter_bump.c.now,
        "version": counter_bump.c.counter - REQUESTED_LABELS.c.number,
    }
    new_labels = (
        select(*values.values())
        .select_from(REQUESTED_LABELS)
        .join(counter_bump, true())
        .where(REQUESTED_LABELS.c.is_new)
    )
    return insert(Label).from_select(list(values), new_labels)


def _insert_links(counter_bump: CTE, task_id: ColumnElement[Any]) -> Insert:
    links = (
        select(counter_bump.c.id, task_id, REQUESTED_LABELS.c.id)
        .select_from(counter_bump)
        .join(REQUESTED_LABELS, true())
    )
    statement = insert(TaskLabel).from_select(["user_id", "task_id", "label_id"], links)
    return statement.on_conflict_do_nothing()


def _delete_other_links(counter_bump: CTE, task_id: ColumnElement[Any]) -> Delete:
    return delete(TaskLabel).where(
        col(TaskLabel.user_id) == counter_bump.c.id,
        col(TaskLabel.task_id) == task_id,
        col(TaskLabel.label_id).not_in(select(REQUESTED_LABELS.c.id)),
    )
