"""Merging what an import has staged into the tasks of its owner, and forgetting an owner.

Each statement sees all that was written before, because the owner was locked in a statement before it.
"""

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    TableValuedAlias,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, distinct_on, insert
from sqlalchemy.types import TypeEngine

from tasks.core.projections import OWNERS, STAGED, TASK_LABELS, TASKS, USER_ID
from tasks.core.tombstones import delete_tombstone, is_id_of_other_kind
from tasks.transfer.queries.staging import CARRIED, IMPORT, PLANNED

LOCK_OWNER: Final = (
    select(OWNERS.c.id).where(OWNERS.c.id == USER_ID).with_for_update(key_share=True)
)
"""Let nobody else write for this owner until the end of the transaction; no row for an unknown one."""

ERASE_OWNER: Final = (
    delete(OWNERS)
    .where(OWNERS.c.id == USER_ID)
    .returning(OWNERS.c.id)
    .execution_options(writes=True)
)
"""Forget an owner, and by the foreign keys all that is theirs."""


def _pairs(name: str, *columns: tuple[str, str, TypeEngine[Any]]) -> TableValuedAlias:
    sent = func.unnest(*(bindparam(values, type_=ARRAY(type_)) for _, values, type_ in columns))
    return sent.table_valued(
        *(column(each, type_) for each, _, type_ in columns), name=name
    ).render_derived()


_staged = STAGED.alias("staged")
_held = TASKS.alias("held")
_own = TASKS.alias("own")
_standing = TASKS.alias("standing")

# Where the old id is free, somebody else may have had it the last time: the task is then here under the other one.
_is_renumbered = and_(
    _held.c.user_id.is_distinct_from(USER_ID),
    or_(
        _held.c.id.is_not(None),
        _own.c.id.is_not(None),
        is_id_of_other_kind("task", _staged.c.old_id),
    ),
)
_id = case((_is_renumbered, _staged.c.own_id), else_=_staged.c.old_id)

_lists = _pairs("lists", ("old_id", "old_list_ids", Uuid()), ("new_id", "new_list_ids", Uuid()))
_labels = _pairs("named", ("name", "label_names", Text()), ("id", "label_ids", Uuid()))

_brought = [_staged.c[name] for name in (*CARRIED, *PLANNED) if name != "list_id"]
_chosen = (
    select(_id.label("id"), _is_renumbered.label("renumbered"), _staged.c.line, *_brought)
    .add_columns(_staged.c.is_planned, _staged.c.labels, _lists.c.new_id.label("list_id"))
    .join(_lists, _lists.c.old_id == _staged.c.list_id, isouter=True)
    .join(_held, _held.c.id == _staged.c.old_id, isouter=True)
    .join(_own, and_(_own.c.id == _staged.c.own_id, _own.c.user_id == USER_ID), isouter=True)
    .where(_staged.c.user_id == USER_ID, _staged.c.import_id == IMPORT)
    .where(_staged.c.line.between(bindparam("first_line"), bindparam("last_line")))
    .ext(distinct_on(_id))
    .order_by(_id, _staged.c.line.desc())
    .cte("chosen")
)

_each = (
    func.unnest(_chosen.c.labels).table_valued(column("name", Text), name="each").render_derived()
)
_links = (
    select(_chosen.c.id.label("task_id"), _labels.c.id.label("label_id"))
    .join_from(_chosen, _each, true())
    .join(_labels, _labels.c.name == _each.c.name)
    .distinct()
    .cte("links")
)
_wanted = (
    select(
        _links.c.task_id,
        func.array_agg(aggregate_order_by(_links.c.label_id, _links.c.label_id)).label("label_ids"),
    )
    .group_by(_links.c.task_id)
    .cte("wanted")
)
_carried = (
    select(TASK_LABELS.c.label_id)
    .where(TASK_LABELS.c.task_id == _standing.c.id)
    .order_by(TASK_LABELS.c.label_id)
    .scalar_subquery()
)


def _kept(name: str) -> ColumnElement[Any]:
    """Return what the task gets: of a plan what stands there, if the line says nothing of one."""
    is_kept = and_(~_chosen.c.is_planned, _standing.c.id.is_not(None))
    return case((is_kept, _standing.c[name]), else_=_chosen.c[name])


_merging = {
    name: _kept(name) if name in PLANNED else _chosen.c[name] for name in (*CARRIED, *PLANNED)
}
_no_labels = cast(literal("{}"), ARRAY(Uuid))
_relabelled = and_(
    _chosen.c.is_planned,
    func.coalesce(_wanted.c.label_ids, _no_labels).is_distinct_from(
        func.array(_carried, type_=ARRAY(Uuid))
    ),
)

_compared = (
    select(_chosen.c.id, _chosen.c.line, _chosen.c.renumbered, _chosen.c.is_planned)
    .add_columns(
        *(value.label(name) for name, value in _merging.items()),
        _standing.c.id.is_(None).label("is_new"),
        or_(
            tuple_(*_merging.values()).is_distinct_from(
                tuple_(*(_standing.c[name] for name in _merging))
            ),
            _relabelled,
        ).label("differs"),
    )
    .join(
        _standing,
        and_(_standing.c.id == _chosen.c.id, _standing.c.user_id == USER_ID),
        isouter=True,
    )
    .join(_wanted, _wanted.c.task_id == _chosen.c.id, isouter=True)
    .cte("compared")
)

_numbered = (
    select(
        *(_compared.c.id, OWNERS.c.id.label("user_id"), *(_compared.c[name] for name in _merging)),
        (OWNERS.c.counter + func.row_number().over(order_by=_compared.c.line)).label("version"),
    )
    .join(OWNERS, OWNERS.c.id == USER_ID)
    .where(_compared.c.differs)
    .order_by(_compared.c.line)
    .cte("numbered")
)

_written = insert(TASKS).from_select([each.name for each in _numbered.c], select(_numbered))
_merged = (
    _written.on_conflict_do_update(
        index_elements=[TASKS.c.id],
        set_={name: _written.excluded[name] for name in (*_merging, "version")},
        where=TASKS.c.user_id == _written.excluded.user_id,
    )
    .returning(TASKS.c.id)
    .cte("merged")
)

_linked = insert(TASK_LABELS).from_select(
    ["user_id", "task_id", "label_id"],
    select(USER_ID, _links.c.task_id, _links.c.label_id).join(
        _merged, _merged.c.id == _links.c.task_id
    ),
)
_replaced = (
    select(_compared.c.id)
    .join(_merged, _merged.c.id == _compared.c.id)
    .where(_compared.c.is_planned)
)
_still = and_(
    _links.c.task_id == TASK_LABELS.c.task_id, _links.c.label_id == TASK_LABELS.c.label_id
)
_unlinked = delete(TASK_LABELS).where(
    TASK_LABELS.c.user_id == USER_ID, TASK_LABELS.c.task_id.in_(_replaced), ~exists().where(_still)
)


_differing = func.count().filter(_compared.c.differs)
_made = func.count().filter(_compared.c.is_new)
_counts = select(
    USER_ID.label("owner"),
    _made.label("created"),
    (_differing - _made).label("updated"),
    (func.count() - _differing).label("unchanged"),
    func.count().filter(_compared.c.renumbered).label("renumbered"),
    (_differing - select(func.count()).select_from(_merged).scalar_subquery()).label("lost"),
).cte("counts")

_counted = (
    update(OWNERS)
    .where(OWNERS.c.id == _counts.c.owner)
    .values(
        counter=OWNERS.c.counter + _counts.c.created + _counts.c.updated,
        task_count=OWNERS.c.task_count + _counts.c.created,
    )
    .returning(OWNERS.c.task_count)
    .cte("counted")
)

MERGE_TASKS: Final = (
    select(_counts, _counted.c.task_count)
    .join(_counted, true())
    .add_cte(
        delete_tombstone("task", _merged),
        _linked.on_conflict_do_nothing().cte("linked"),
        _unlinked.cte("unlinked"),
    )
)
"""Take in the staged lines from `first_line` to `last_line`, and tell how many were what. Of those with one id
the last one counts.

Those are `lost` of which the id was taken by somebody else at this very moment. The caller must have the owner locked.
"""
