"""Keeping what comes with an import until all of it is there.

Each statement is a transaction of its own, so that nothing is held or locked while a client sends. What is staged goes
with its import, and both go with their owner. An import that broke off is swept a part at a time by later ones.
"""

from typing import Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    Interval,
    Text,
    bindparam,
    cast,
    column,
    delete,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSON, insert

from tasks.core.projections import IMPORTS, NOW, OWNERS, STAGED, USER_ID

IMPORT: Final = bindparam("this_import", type_=IMPORTS.c.id.type)
"""The import that a statement is about."""

CARRIED: Final = (
    "title",
    "description",
    "is_completed",
    "completed_at",
    "created_at",
    "updated_at",
)
"""What a task brings with it, beside its id."""

PLANNED: Final = (
    "list_id",
    "due_date",
    "due_time",
    "due_at",
    "due_time_zone",
    "priority",
    "position",
)
"""What it also brings since there are plans; one that says nothing of a plan keeps what is there."""

_begun = insert(IMPORTS).from_select(
    ["id", "user_id", "begun_at"], select(IMPORT, OWNERS.c.id, NOW).where(OWNERS.c.id == USER_ID)
)

BEGIN_IMPORT: Final = _begun.on_conflict_do_update(
    index_elements=[IMPORTS.c.id], set_={"begun_at": _begun.excluded.begun_at}
).returning(IMPORTS.c.id)
"""Note that an import has begun; no row when the owner is unknown. It can be sent twice."""

_sent_columns = [each for each in STAGED.c if each.name not in ("user_id", "import_id")]
_sent = (
    func.json_to_recordset(cast(bindparam("content", type_=Text), JSON))
    .table_valued(*(column(each.name, each.type) for each in _sent_columns), name="sent")
    .render_derived(with_types=True)
)
_put = insert(STAGED).from_select(
    ["user_id", "import_id", *(each.name for each in _sent_columns)],
    select(USER_ID, IMPORT, *_sent.c),
)


def _is_inserted() -> ColumnElement[bool]:
    """Tell whether a row is new: one that was updated names the transaction that has replaced its former version."""
    return cast(column("xmax"), Text) == literal("0")


_put_down = (
    _put.on_conflict_do_update(
        index_elements=[STAGED.c.user_id, STAGED.c.import_id, STAGED.c.old_id],
        set_={
            each.name: _put.excluded[each.name] for each in _sent_columns if each.name != "old_id"
        },
    )
    .returning(_is_inserted().label("is_new"))
    .cte("put_down")
)

STAGE_TASKS: Final = select(func.count().filter(_put_down.c.is_new).label("added"))
"""Put tasks, as an array of JSON objects, to those of the import, and tell how many of their ids are new to it.

One that is there already is replaced, so it can be sent twice. It fails by a foreign key when the import is gone.
"""

LOCK_IMPORT: Final = (
    select(IMPORTS.c.id)
    .where(IMPORTS.c.user_id == USER_ID, IMPORTS.c.id == IMPORT)
    .with_for_update()
)
"""Keep the import, and with it all that is staged, until the end of the transaction; no row when it is gone."""

END_IMPORT: Final = (
    delete(IMPORTS)
    .where(IMPORTS.c.user_id == USER_ID, IMPORTS.c.id == IMPORT)
    .returning(IMPORTS.c.id)
)
"""Forget an import with all that is staged for it."""

_broken_off = (
    select(IMPORTS.c.id, IMPORTS.c.user_id)
    .where(IMPORTS.c.begun_at < func.now() - bindparam("retention", type_=Interval))
    .order_by(IMPORTS.c.begun_at)
    .limit(literal_column("1", Integer))  # a value would be unknown to a plan for all values
    .with_for_update(skip_locked=True)
    .cte("broken_off")
    .prefix_with("MATERIALIZED")
)
_left = (
    select(STAGED.c.user_id, STAGED.c.import_id, STAGED.c.old_id)
    .join(
        _broken_off,
        (_broken_off.c.user_id == STAGED.c.user_id) & (_broken_off.c.id == STAGED.c.import_id),
    )
    .limit(bindparam("quota", type_=Integer))
    .cte("left_over")
    .prefix_with("MATERIALIZED")
)
_swept = (
    delete(STAGED)
    .where(STAGED.c.user_id == _left.c.user_id, STAGED.c.import_id == _left.c.import_id)
    .where(STAGED.c.old_id == _left.c.old_id)
    .cte("swept")
)
_number_left = select(func.count()).select_from(_left).scalar_subquery()

_emptied = (
    delete(IMPORTS)
    .where(IMPORTS.c.id == _broken_off.c.id, _number_left < bindparam("quota", type_=Integer))
    .cte("emptied")
)

SWEEP: Final = select(_broken_off.c.id).add_cte(_swept, _emptied)
"""Of the oldest import that broke off, take away some of what it staged, and the import itself with the last of it.

No row when there is none.
"""
