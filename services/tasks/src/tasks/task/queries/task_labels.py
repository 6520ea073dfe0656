"""Putting labels on a task: those that the owner has already, and new ones for names that are new.

Which ones are new is seen when the statement begins, so a statement with these parts watches its owner.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
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
from sqlalchemy.dialects.postgresql import ARRAY, insert

from tasks.core.projections import LABELS, TASK_LABELS, USER_ID
from tasks.models import Columns

LABELS_QUOTA = bindparam("labels_quota", type_=Integer)
FOLDED_NAMES = bindparam("folded_names", type_=ARRAY(Text))

_sent = (
    func.unnest(
        bindparam("label_ids", type_=ARRAY(Uuid)),
        bindparam("label_names", type_=ARRAY(Text)),
        FOLDED_NAMES,
    )
    .table_valued(column("id", Uuid), column("name", Text), column("folded_name", Text))
    .render_derived("sent")
)

_is_new = LABELS.c.id.is_(None)
_folded_name = _sent.c.folded_name.collate("C")

_chosen = (
    select(
        func.coalesce(LABELS.c.id, _sent.c.id).label("id"),
        func.coalesce(LABELS.c.name, _sent.c.name).label("name"),
        _folded_name.label("folded_name"),
        _is_new.label("is_new"),
        func.row_number().over(partition_by=_is_new, order_by=_folded_name).label("number"),
    )
    .join_from(
        _sent,
        LABELS,
        and_(LABELS.c.user_id == USER_ID, LABELS.c.folded_name == _folded_name),
        isouter=True,
    )
    .cte("chosen")
)

NEW_LABELS: Final[ColumnElement[int]] = (
    select(func.count()).select_from(_chosen).where(_chosen.c.is_new).scalar_subquery()
)
"""How many of the names that were sent are new."""

CHOSEN_NAMES: Final[ColumnElement[Sequence[str]]] = func.array(
    select(_chosen.c.name).order_by(_chosen.c.folded_name).scalar_subquery(), type_=ARRAY(Text)
)
"""The names that were sent, as they were first spelled."""


def are_others_chosen(task: Columns) -> ColumnElement[bool]:
    """Tell whether the task has other labels than those that were sent."""
    on_it = select(TASK_LABELS.c.label_id).where(TASK_LABELS.c.task_id == task["id"])
    chosen = select(_chosen.c.id)
    return func.array(
        on_it.order_by(TASK_LABELS.c.label_id).scalar_subquery(), type_=ARRAY(Uuid)
    ).is_distinct_from(
        func.array(chosen.order_by(_chosen.c.id).scalar_subquery(), type_=ARRAY(Uuid))
    )


def put_labels(raised: CTE, task_id: ColumnElement[Any]) -> list[CTE]:
    """Make what is new, with the versions below the one that the owner's counter was `raised` to, and link them all."""
    new = {
        "id": _chosen.c.id,
        "user_id": raised.c.id,
        "name": _chosen.c.name,
        "folded_name": _chosen.c.folded_name,
        "created_at": raised.c.now,
        "updated_at": raised.c.now,
        "version": raised.c.counter - _chosen.c.number,
    }
    made = insert(LABELS).from_select(
        list(new), select(*new.values()).join(raised, true()).where(_chosen.c.is_new)
    )
    links = select(raised.c.id, task_id, _chosen.c.id).join_from(raised, _chosen, true())
    linked = (
        insert(TASK_LABELS)
        .from_select(["user_id", "task_id", "label_id"], links)
        .on_conflict_do_nothing()
    )
    others = TASK_LABELS.c.label_id.not_in(select(_chosen.c.id))
    unlinked = delete(TASK_LABELS).where(
        TASK_LABELS.c.user_id == raised.c.id, TASK_LABELS.c.task_id == task_id, others
    )
    return [made.cte("labelled"), linked.cte("linked"), unlinked.cte("unlinked")]
