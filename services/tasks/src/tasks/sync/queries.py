"""What happened to an owner's tasks, lists and labels since a version: what there is now, and what is left."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Table,
    Text,
    bindparam,
    cast,
    exists,
    func,
    literal,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSON

from tasks.core.projections import (
    LABEL_PROJECTION,
    LABELS,
    LIST_PROJECTION,
    LISTS,
    OWNERS,
    TASKS,
    TOMBSTONES,
    USER_ID,
    Query,
)
from tasks.task.projection import TASK_PROJECTION

_SINCE = bindparam("since", type_=BigInteger)
_LIMIT = bindparam("limit", type_=Integer)

_KINDS = {
    "task": (TASKS, TASK_PROJECTION),
    "list": (LISTS, LIST_PROJECTION),
    "label": (LABELS, LABEL_PROJECTION),
}


def _side(table: Table, kind: str, columns: Sequence[ColumnElement[Any]]) -> Query:
    """Take what happened in one table.

    Each side is limited by itself, too, so that the first of many pages does not sort what is on the others.
    """
    behind = select(*columns).where(table.c.user_id == OWNERS.c.id, table.c.version > _SINCE)
    if table is TOMBSTONES:
        behind = behind.where(*(~_is_there(each, living) for each, (living, _) in _KINDS.items()))
    shown = behind.correlate(OWNERS).order_by(table.c.version).limit(_LIMIT).subquery()
    content = cast(func.row_to_json(shown.table_valued(), type_=JSON), Text).label("content")
    return select(shown.c.version, literal(kind).label("kind"), content)


def _is_there(kind: str, living: Table) -> ColumnElement[bool]:
    """Tell whether a tombstone belongs to an undo which could not see it."""
    # The kind stands inside, or the planner would look through the living of all owners.
    same = (
        TOMBSTONES.c.kind == kind,
        living.c.user_id == TOMBSTONES.c.user_id,
        living.c.id == TOMBSTONES.c.id,
    )
    return exists().where(*same)


_deletion = [TOMBSTONES.c.kind, TOMBSTONES.c.id, TOMBSTONES.c.version]
_sides = [_side(table, kind, columns) for kind, (table, columns) in _KINDS.items()]
_listed = (
    union_all(*_sides, _side(TOMBSTONES, "deletion", _deletion))
    .order_by("version")
    .limit(_LIMIT)
    .lateral("listed")
)

GET_CHANGES: Final = (
    select(OWNERS.c.counter, OWNERS.c.pruned_version, _listed)
    .join(_listed, true(), isouter=True)
    .where(OWNERS.c.id == USER_ID)
)
"""What was changed or deleted behind a version, in the order of versions: its kind, or `deletion`, and its JSON.

One row without a kind when that is nothing; no row when the owner is unknown.
"""
