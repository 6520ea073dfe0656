"""Lists and labels of an import: which of them are there, and making the others.

The caller must have the owner locked.
"""

from typing import Final

from sqlalchemy import (
    Executable,
    Numeric,
    Table,
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

from tasks.core.projections import LABELS, LISTS, NOW, OWNERS, TOMBSTONES, USER_ID
from tasks.core.tombstones import TABLES_BY_KIND, delete_tombstone
from tasks.models import TIMESTAMPTZ

_IDS = bindparam("ids", type_=ARRAY(Uuid))
_COLUMNS = {
    "name": Text(),
    "folded_name": Text(),
    "position": Numeric(),
    "created_at": TIMESTAMPTZ,
    "updated_at": TIMESTAMPTZ,
}

_sent = (
    func.unnest(
        _IDS, *(bindparam(f"{name}s", type_=ARRAY(type_)) for name, type_ in _COLUMNS.items())
    )
    .table_valued(
        column("id", Uuid),
        *(column(*each) for each in _COLUMNS.items()),
        with_ordinality="number",
        name="sent",
    )
    .render_derived()
)


def _find(table: Table, kind: str) -> Executable:
    others = [TOMBSTONES, *(living for name, living in TABLES_BY_KIND.items() if name != kind)]
    spent = [
        select(other.c.id, false(), cast(literal(None), Text))
        .where(other.c.user_id == USER_ID, other.c.id == any_(_IDS))
        .where(other.c.kind != kind if other is TOMBSTONES else true())
        for other in others
    ]
    is_own = (table.c.user_id == USER_ID).label("is_own")
    there = select(table.c.id, is_own, table.c.folded_name).where(
        or_(table.c.user_id == USER_ID, table.c.id == any_(_IDS))
    )
    return there.union_all(*spent)


FIND_LISTS: Final = _find(LISTS, "list")
FIND_LABELS: Final = _find(LABELS, "label")
"""All of this owner, and which of some ids cannot be had: somebody else's, or of something else."""


def _make(table: Table, kind: str) -> Executable:
    count = f"{kind}_count"
    raised = (
        update(OWNERS)
        .where(OWNERS.c.id == USER_ID)
        .values(
            {
                "counter": OWNERS.c.counter + func.cardinality(_IDS),
                count: OWNERS.c[count] + func.cardinality(_IDS),
            }
        )
        .returning(OWNERS.c.id, OWNERS.c.counter, OWNERS.c[count], NOW.label("now"))
        .cte("raised")
    )
    new = {
        "user_id": raised.c.id,
        "version": raised.c.counter - func.cardinality(_IDS) + _sent.c.number,
        **{name: _sent.c[name] for name in ("id", *_COLUMNS) if name in table.c},
        **{
            name: func.coalesce(_sent.c[name], raised.c.now)
            for name in ("created_at", "updated_at")
        },
    }
    added = insert(table).from_select(list(new), select(*new.values()).join(raised, true()))
    made = (
        added.on_conflict_do_nothing(index_elements=[table.c.id]).returning(table.c.id).cte("made")
    )
    number_made = select(func.count()).select_from(made).scalar_subquery()
    shown = select(raised.c[count].label("held"), number_made.label("made"))
    return shown.add_cte(delete_tombstone(kind, made))


MAKE_LISTS: Final = _make(LISTS, "list")
MAKE_LABELS: Final = _make(LABELS, "label")
"""Make some, of this moment if they come without times, and tell how many the owner has then.

Fewer are `made` than were sent when somebody else took an id at this very moment.
"""
