"""Statements that find the lists and labels of an import, and insert the missing ones.

The owner must have been locked by an earlier statement of the same transaction (`LOCK_OWNER`).
"""

from typing import Any, Final, TypeAlias

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Numeric,
    TableValuedAlias,
    Text,
    Uuid,
    any_,
    bindparam,
    cast,
    column,
    false,
    func,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Mapped
from sqlmodel import col

from tasks.core.projections import NOW, USER_ID, Query
from tasks.core.tombstones import delete_tombstone
from tasks.model_base import TIMESTAMPTZ
from tasks.models import Label, Owner, Task, TaskList, TaskTombstone

Entity: TypeAlias = type[Task] | type[TaskList] | type[Label]

IDS: Final = bindparam("ids", type_=ARRAY(Uuid))
NAMES: Final = bindparam("names", type_=ARRAY(Text))
FOLDED_NAMES: Final = bindparam("folded_names", type_=ARRAY(Text))
POSITIONS: Final = bindparam("positions", type_=ARRAY(Numeric))
CREATED_ATS: Final = bindparam("created_ats", type_=ARRAY(TIMESTAMPTZ))
UPDATED_ATS: Final = bindparam("updated_ats", type_=ARRAY(TIMESTAMPTZ))
"""Ids to look up, or rows to insert: one array for each column."""


def _owned_or_requested(entity: type[TaskList] | type[Label]) -> Query:
    """Select all of the owner's lists (labels), and other users' that have a requested id."""
    is_owned = col(entity.user_id) == USER_ID
    is_requested = col(entity.id) == any_(IDS)
    return select(col(entity.id), is_owned.label("is_own"), col(entity.folded_name)).where(
        or_(is_owned, is_requested)
    )


def _other_kind(entity: Entity) -> Query:
    """Select the requested ids that something of another kind has."""
    return (
        select(col(entity.id), false(), cast(literal(None), Text))
        .where(col(entity.user_id) == USER_ID)
        .where(col(entity.id) == any_(IDS))
    )


def _tombstone_of_other_kind(kind: str) -> Query:
    """Select the requested ids that something of another kind had before it was deleted."""
    return (
        select(col(TaskTombstone.id), false(), cast(literal(None), Text))
        .where(col(TaskTombstone.user_id) == USER_ID)
        .where(col(TaskTombstone.id) == any_(IDS))
        .where(col(TaskTombstone.kind) != kind)
    )


def _find_lists() -> CompoundSelect[*tuple[Any, ...]]:
    return _owned_or_requested(TaskList).union_all(
        _tombstone_of_other_kind("list"), _other_kind(Task), _other_kind(Label)
    )


def _find_labels() -> CompoundSelect[*tuple[Any, ...]]:
    return _owned_or_requested(Label).union_all(
        _tombstone_of_other_kind("label"), _other_kind(Task), _other_kind(TaskList)
    )


FIND_LISTS: Final = _find_lists()
FIND_LABELS: Final = _find_labels()
"""All lists (labels) of the owner, and those of the requested `ids` that cannot be used.

An id cannot be used (`is_own` is false) if another user's list (label) has it, or if something
else of this owner has or had it.
"""


def _sent_rows() -> TableValuedAlias:
    """Return the rows to insert; `number` counts them from 1."""
    arrays = func.unnest(IDS, NAMES, FOLDED_NAMES, POSITIONS, CREATED_ATS, UPDATED_ATS)
    return arrays.table_valued(
        column("id", Uuid),
        column("name", Text),
        column("folded_name", Text),
        column("position", Numeric),
        column("created_at", TIMESTAMPTZ),
        column("updated_at", TIMESTAMPTZ),
        with_ordinality="number",
    ).render_derived(name="sent")


def _counter_bump(count: Mapped[int]) -> CTE:
    """Take one version for each row, and add the rows to the owner's `count` of lists (labels)."""
    row_count = func.cardinality(IDS)
    total: ColumnElement[int] = count.label("total")
    new_values = {col(Owner.counter): col(Owner.counter) + row_count, count: count + row_count}
    return (
        update(Owner)
        .where(col(Owner.id) == USER_ID)
        .values(new_values)
        .returning(col(Owner.id), col(Owner.counter), total, NOW.label("now"))
        .cte("counter_bump")
    )


def _new_row(sent: TableValuedAlias, counter_bump: CTE) -> dict[str, ColumnElement[Any]]:
    """Return the values of the columns that lists and labels have in common.

    Rows without times, of labels that only tasks name, get the current one.
    """
    last_version_before = counter_bump.c.counter - func.cardinality(IDS)
    return {
        "user_id": counter_bump.c.id,
        "version": last_version_before + sent.c.number,
        "id": sent.c.id,
        "name": sent.c.name,
        "folded_name": sent.c.folded_name,
        "created_at": func.coalesce(sent.c.created_at, counter_bump.c.now),
        "updated_at": func.coalesce(sent.c.updated_at, counter_bump.c.now),
    }


def _insert(
    entity: type[TaskList] | type[Label],
    kind: str,
    new_row: dict[str, ColumnElement[Any]],
    counter_bump: CTE,
) -> Query:
    rows = select(*new_row.values()).join(counter_bump, true())
    inserted = (
        insert(entity)
        .from_select(list(new_row), rows)
        .on_conflict_do_nothing(index_elements=[col(entity.id)])
        .returning(col(entity.id))
        .cte("inserted")
    )
    inserted_count = select(func.count()).select_from(inserted).scalar_subquery()
    return select(counter_bump.c.total, inserted_count.label("inserted")).add_cte(
        delete_tombstone(kind, inserted)
    )


def _insert_lists() -> Query:
    sent = _sent_rows()
    counter_bump = _counter_bump(col(Owner.list_count))
    new_row = _new_row(sent, counter_bump)
    new_row["position"] = sent.c.position
    return _insert(TaskList, "list", new_row, counter_bump)


def _insert_labels() -> Query:
    counter_bump = _counter_bump(col(Owner.label_count))
    new_row = _new_row(_sent_rows(), counter_bump)
    return _insert(Label, "label", new_row, counter_bump)


INSERT_LISTS: Final = _insert_lists()
INSERT_LABELS: Final = _insert_labels()
"""Insert lists (labels); return how many were `inserted`, and the owner's new `total` of them.

Stages: `counter_bump` updates the owner's counter and count, `inserted` writes the rows, and the
tombstones of their ids are deleted. Fewer rows are inserted than were sent if another user took an
id since it was looked up.
"""
