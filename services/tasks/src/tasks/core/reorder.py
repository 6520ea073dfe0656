"""Moving tasks and lists: one row is written, with the number halfway between its new neighbours.

Neighbours are rows that nobody locks, so a move watches its owner. Where no number is left between two neighbours, all
rows around them are numbered anew, a second apart and none later than now: what is made later comes behind them.
"""

from decimal import Decimal
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    CTE,
    Boolean,
    ColumnElement,
    CompoundSelect,
    Executable,
    Numeric,
    Table,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from tasks.core.idempotency import as_json_text, delete_expired_keys, if_key_unused, store_response
from tasks.core.owners import find_owner, lock_owner, target_list_exists
from tasks.core.projections import (
    LIST_ID,
    LISTS,
    OWNERS,
    SETS_LIST,
    TARGET_ID,
    TASKS,
    USER_ID,
    Query,
    list_json,
    matches_if_match,
    microseconds,
)
from tasks.models import Columns, sort_position
from tasks.task.projection import label_names_of, task_json

DIGITS_MAX: Final = 230
"""Digits behind the point of a number; before it there are 20."""

STEP_MICROSECONDS: Final = 1_000_000
"""How far apart things are that are numbered anew, and how far before the first one something goes."""

_AFTER = bindparam("after", type_=Uuid)
_GOES_FIRST, _GOES_LAST = (
    bindparam("goes_first", type_=Boolean),
    bindparam("goes_last", type_=Boolean),
)
_LARGEST = Decimal(10**20)

Union = CompoundSelect[*tuple[Any, ...]]
"""What reads from several places."""


def _look(table: Table, owner: CTE) -> CTE:
    """Lock what moves, and tell where it goes and what is in the way of that."""
    target = (
        case((SETS_LIST, LIST_ID), else_=table.c.list_id) if table is TASKS else cast(null(), Uuid)
    )
    is_lost = (
        and_(SETS_LIST, LIST_ID.is_not(None), ~target_list_exists(owner))
        if table is TASKS
        else false()
    )
    conflict = case((~owner.c.is_current, "stale"), (is_lost, "list-not-found"))
    return (
        select(table, sort_position(table.c).label("place"), target.label("target"), owner.c.now)
        .add_columns(conflict.label("conflict"), matches_if_match(table.c).label("matches"))
        .join(owner, table.c.user_id == owner.c.id)
        .where(table.c.id == TARGET_ID)
        .with_for_update(of=table)
        .cte("before")
    )


def _siblings(table: Table, before: CTE) -> list[tuple[Query, ColumnElement[bool]]]:
    """Find all others where it goes, and when that holds: no index serves lists and inbox with one condition."""
    others = select(table.c.id, sort_position(table.c).label("place")).where(
        table.c.user_id == before.c.user_id, table.c.id != before.c.id
    )
    if table is not TASKS:
        return [(others, true())]
    return [
        (others.where(table.c.list_id == before.c.target), before.c.target.is_not(None)),
        (others.where(table.c.list_id.is_(None)), before.c.target.is_(None)),
    ]


def _nearest(
    table: Table, before: CTE, asked: ColumnElement[bool], *, last: bool, behind: CTE | None = None
) -> Union:
    """Find the first or the last one where it goes, or the first one behind another."""
    key = sort_position(table.c)
    # That the inbox has no list makes the planner use the index only if it is said here, too.
    keys = [key, table.c.id] if table is LISTS else [table.c.list_id, key, table.c.id]
    order = [each.desc() for each in keys] if last else keys
    found: list[Query] = []
    for others, holds in _siblings(table, before):
        beyond = (
            others
            if behind is None
            else others.where(tuple_(key, table.c.id) > tuple_(behind.c.place, behind.c.id))
        )
        one = beyond.order_by(*order).limit(1).lateral()
        start = select(one.c.id, one.c.place).select_from(
            before if behind is None else before.join(behind, true())
        )
        found.append(start.join(one, true()).where(asked, holds))
    return union_all(*found)


def _neighbours(table: Table, before: CTE) -> tuple[CTE, CTE]:
    """Find what it comes behind, and what comes behind it."""
    is_behind = and_(~_GOES_FIRST, ~_GOES_LAST)
    inside = table.c.list_id.is_not_distinct_from(before.c.target) if table is TASKS else true()
    anchor = (
        select(table.c.id, sort_position(table.c).label("place"))
        .join(before, and_(table.c.user_id == before.c.user_id, table.c.id != before.c.id))
        .where(table.c.id == _AFTER, is_behind, inside)
        .cte("anchor")
    )
    previous = union_all(_nearest(table, before, _GOES_LAST, last=True), select(anchor))
    first = _nearest(table, before, _GOES_FIRST, last=False)
    following = union_all(first, _nearest(table, before, is_behind, last=False, behind=anchor))
    return previous.cte("previous"), following.cte("following")


def _number(previous: CTE, following: CTE, now: ColumnElement[Any]) -> ColumnElement[Decimal]:
    """Halve the gap, which is two seconds wide before the first one; behind the last one, take the moment."""
    start = func.coalesce(
        previous.c.place, func.greatest(following.c.place - 2 * STEP_MICROSECONDS, 0)
    )
    halfway = (start + following.c.place) * literal_column("0.5")
    return func.trim_scale(func.coalesce(halfway, func.greatest(now, previous.c.place + 1)))


def _gap(table: Table, before: CTE) -> CTE:
    """Look at the place where it goes, and find a number for it."""
    previous, following = _neighbours(table, before)
    now = cast(microseconds(before.c.now), Numeric).label("microseconds")
    neighbours = [previous.c.id.label("previous_id"), previous.c.place.label("previous_place")]
    neighbours += [following.c.id.label("following_id"), following.c.place.label("following_place")]
    return (
        select(before, now, *neighbours, _number(previous, following, now).label("number"))
        .select_from(
            before.join(previous, true(), isouter=True).join(following, true(), isouter=True)
        )
        .cte("gap")
    )


def _spot(table: Table, gap: CTE) -> CTE:
    """Say where it goes, whether it is there already, and whether there is no number for that place."""
    own, previous = tuple_(gap.c.place, gap.c.id), tuple_(gap.c.previous_place, gap.c.previous_id)
    following = tuple_(gap.c.following_place, gap.c.following_id)
    is_home = gap.c.list_id.is_not_distinct_from(gap.c.target) if table is TASKS else true()
    is_between = and_(func.coalesce(own > previous, true()), func.coalesce(own < following, true()))
    stays = and_(is_home, or_(gap.c.id == _AFTER, is_between))
    is_lost = and_(
        ~_GOES_FIRST, ~_GOES_LAST, gap.c.previous_id.is_(None), ~and_(gap.c.id == _AFTER, is_home)
    )
    is_full = or_(
        func.coalesce(gap.c.number <= gap.c.previous_place, false()),
        func.coalesce(gap.c.number >= gap.c.following_place, false()),
        func.scale(gap.c.number) > DIGITS_MAX,
        gap.c.number >= _LARGEST,
    )
    refused = case((is_lost, "after-not-found"), (~gap.c.matches, "version-mismatch"))
    conflict = func.coalesce(gap.c.conflict, refused).label("conflict")
    known = [gap.c[name] for name in ("id", "user_id", "target", "now", "microseconds", "number")]
    decided = [is_full.label("is_full"), func.coalesce(stays, false()).label("stays"), conflict]
    return select(*known, gap.c.previous_id, gap.c.previous_place, *decided).cte("spot")


def _renumber(table: Table, before: CTE, spot: CTE) -> Query:
    """Give everything where it goes a new number, and it one behind its new neighbour."""
    all_others = union_all(
        *(others.join(before, true()).where(holds) for others, holds in _siblings(table, before))
    )
    others = all_others.cte("others")
    follows = func.coalesce(
        tuple_(others.c.place, others.c.id) > tuple_(spot.c.previous_place, spot.c.previous_id),
        true(),
    )
    rank = case((follows, 2), else_=0)
    ranked = union_all(
        select(others.c.id, others.c.place, rank.label("rank")).join(spot, true()),
        select(spot.c.id, spot.c.number, literal(1)),
    ).subquery("ranked")
    order = (ranked.c.rank, ranked.c.place, ranked.c.id)
    numbered = select(
        ranked.c.id,
        func.row_number().over(order_by=order).label("number"),
        func.count().over().label("total"),
    ).subquery("numbered")
    place = spot.c.microseconds - (numbered.c.total - numbered.c.number) * STEP_MICROSECONDS
    return select(numbered.c.id, place.label("position"), numbered.c.number, numbered.c.total).join(
        spot, true()
    )


def _place(table: Table, before: CTE, spot: CTE) -> CTE:
    """Say which rows are written: the one that moves, or all where it goes."""
    is_written = and_(spot.c.conflict.is_(None), ~spot.c.stays)
    alone = select(
        spot.c.id,
        spot.c.number.label("position"),
        literal(1).label("number"),
        literal(1).label("total"),
    )
    renumbered = _renumber(table, before, spot)
    return union_all(
        alone.where(is_written, ~spot.c.is_full), renumbered.where(is_written, spot.c.is_full)
    ).cte("placed")


def _show(table: Table, row: Columns) -> list[ColumnElement[Any]]:
    return task_json(row, label_names_of(row)) if table is TASKS else list_json(row)


def _move(table: Table, spot: CTE, placed: CTE, *, with_idempotency_key: bool) -> CTE:
    """Write what was placed, the one that moves with the rest.

    A key takes a version even if nothing moves: that is how whoever waits with the same key learns that it is taken.
    """
    count = func.greatest(select(func.count()).select_from(placed).scalar_subquery(), 1)
    is_written = spot.c.conflict.is_(None) if with_idempotency_key else exists(select(placed.c.id))
    raised = (
        update(OWNERS)
        .where(OWNERS.c.id == USER_ID, OWNERS.c.id == spot.c.user_id, is_written)
        .values(counter=OWNERS.c.counter + count)
        .returning(OWNERS.c.id, OWNERS.c.counter, spot.c.now, spot.c.target)
        .cte("raised")
    )
    # As an array, or the planner takes the one row for many and reads everybody's.
    ids = func.array(select(placed.c.id).scalar_subquery(), type_=ARRAY(Uuid))
    target = {"list_id": raised.c.target} if table is TASKS else {}
    version = raised.c.counter - placed.c.total + placed.c.number
    return (
        update(table)
        .where(table.c.id == any_(ids), table.c.id == placed.c.id, table.c.user_id == raised.c.id)
        .values(**target, position=placed.c.position, updated_at=raised.c.now, version=version)
        .returning(*_show(table, table.c), raised.c.now)
        .cte("moved")
    )


@cache
def move(kind: str, *, with_idempotency_key: bool = False) -> Executable:
    """Build what moves a `task` or a `list`, unless there is a `conflict`: first, last, or `after` another one.

    It returns the whole answer. What is there already stays as it is. No row when there is no such row of this owner,
    or when the key is in use.
    """
    table = TASKS if kind == "task" else LISTS
    owner = find_owner(check_snapshot=True)
    before = _look(table, lock_owner(if_key_unused(owner) if with_idempotency_key else owner))
    spot = _spot(table, _gap(table, before))
    moved = _move(
        table, spot, _place(table, before, spot), with_idempotency_key=with_idempotency_key
    )
    unmoved = select(*_show(table, before.c), before.c.now).where(~exists(select(moved.c.id)))
    done = union_all(select(moved).where(moved.c.id == TARGET_ID), unmoved).cte("done")
    shown = [column for column in done.c if column.name != "now"]
    answer = as_json_text(select(*shown))
    found = select(done.c.id, done.c.version, answer.label("response"), spot.c.conflict).join(
        spot, true()
    )
    if not with_idempotency_key:
        return found.execution_options(writes=True)
    claimed = store_response(
        select(done).join(spot, true()).where(spot.c.conflict.is_(None)).cte("allowed"), answer
    )
    return found.add_cte(claimed, delete_expired_keys(claimed).cte("pruned"))
