"""The places of new tasks that follow others: successors, and copies of subtasks.

A new task stands directly behind its source, at a position of its own. If two tasks had the same
position, a move between them would have to write the whole list (`core.ordering`).
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Numeric,
    SQLColumnExpression,
    Uuid,
    and_,
    any_,
    case,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from tasks.core.ordering import FRACTION_DIGITS_MAX, POSITION_LIMIT, Siblings
from tasks.core.projections import LIST_ID, USER_ID
from tasks.model_base import columns_of, sort_position
from tasks.models import Task

_SPAN_MAX: Final = literal_column("2", Numeric)
"""Microseconds behind a task in which new ones are put. A single one goes to the middle."""

_HALF: Final = literal_column("0.5", Numeric)

# 1 / 16384: one statement makes fewer tasks, 100 with 100 copies each. A power of two has an end.
_PART: Final = literal_column("0.00006103515625", Numeric)


def siblings_in(
    user_id: ColumnElement[Any], list_id: ColumnElement[Any], *conditions: ColumnElement[bool]
) -> Sequence[Siblings]:
    """Return the tasks of a list, and those of the inbox, of which one applies."""
    is_own = and_(col(Task.user_id) == user_id, *conditions)
    in_list = Siblings(
        columns=columns_of(Task),
        condition=and_(is_own, col(Task.list_id) == list_id),
        applies=list_id.is_not(None),
        index_prefix=["list_id"],
    )
    in_inbox = Siblings(
        columns=columns_of(Task),
        condition=and_(is_own, col(Task.list_id).is_(None)),
        applies=list_id.is_(None),
        index_prefix=["list_id"],
    )
    return [in_list, in_inbox]


def find_places(
    source_ids: ColumnElement[Any],
    list_id: ColumnElement[Any],
    arriving: Sequence[CTE] = (),
) -> CTE:
    """Find the place of the new task behind each source, for `place_behind`.

    It is one microsecond behind, or in the middle of the gap to the next greater position in the
    list if that is nearer. Behind sources at one position there are as many places in that gap, in
    the same order. A place that would have too many digits is that of the source.

    Args:
        source_ids: The tasks that get a new one behind them: an array.
        list_id: The list of a row of `tasks` as the statement leaves it.
        arriving: Tasks that the statement puts into that list, with their `sort_position`. Sources
            may be among them, or may not.
    """
    position = sort_position(columns_of(Task)).label("sort_position")
    new_list_id = list_id.label("list_id")
    sources = select(col(Task.id), new_list_id, position, true().label("is_source")).where(
        col(Task.user_id) == USER_ID, col(Task.id) == any_(source_ids)
    )
    others = [
        select(rows.c.id, LIST_ID.label("list_id"), rows.c.sort_position, false())
        for rows in arriving
    ]
    numbered = _number(union_all(sources, *others).cte("sources_and_arriving"))
    siblings = siblings_in(USER_ID, numbered.c.list_id)
    next_positions = [each.next_position(numbered.c.sort_position) for each in siblings]
    end = func.least(numbered.c.next_position, *next_positions)
    # Materialized, as the result: otherwise PostgreSQL may compute both several times.
    gaps = (
        select(numbered, end.label("end"))
        .where(numbered.c.is_source)
        .cte("gaps")
        .prefix_with("MATERIALIZED")
    )
    span = func.least(_SPAN_MAX, gaps.c.end - gaps.c.sort_position)
    share = case((gaps.c.total == 1, _HALF), else_=gaps.c.number * _PART)
    placed = select(
        gaps.c.id,
        func.trim_scale(gaps.c.sort_position).label("former"),
        func.trim_scale(gaps.c.sort_position + span * share).label("new"),
    ).subquery("placed")
    is_full = or_(func.scale(placed.c.new) > FRACTION_DIGITS_MAX, placed.c.new >= POSITION_LIMIT)
    place = case((is_full, placed.c.former), else_=placed.c.new)
    by_id = select(placed.c.id, place.label("place")).order_by(placed.c.id).subquery("by_id")
    return (
        select(
            func.array_agg(by_id.c.id, type_=ARRAY(Uuid)).label("ids"),
            func.array_agg(by_id.c.place, type_=ARRAY(Numeric)).label("places"),
        )
        .cte("places")
        .prefix_with("MATERIALIZED")
    )


def place_behind(places: CTE, source_id: SQLColumnExpression[Any]) -> ColumnElement[Decimal]:
    """Return the place of the new task behind a source. A binary search finds it.

    A join may compare each of 10,000 new tasks with each of the places (`core.version_cascade`).
    """
    index = func.width_bucket(source_id, places.c.ids)
    return select(places.c.places[index]).scalar_subquery()


def _number(rows: CTE) -> CTE:
    """Give the sources at each position of a list a `number`, and their `total`.

    The next greater position among `rows` is `next_position`.
    """
    tied = (rows.c.list_id, rows.c.sort_position, rows.c.is_source)
    next_position = func.min(rows.c.sort_position).over(
        partition_by=rows.c.list_id, order_by=rows.c.sort_position, groups=(1, 1)
    )
    return select(
        rows,
        func.row_number().over(partition_by=tied, order_by=rows.c.id).label("number"),
        func.count().over(partition_by=tied).label("total"),
        next_position.label("next_position"),
    ).cte("numbered_sources")
