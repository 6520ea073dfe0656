"""Positions of tasks and lists in the order that a user arranges by hand.

A position is a decimal number. A row that was never moved has none, and is ordered by the
microseconds of its creation (`models.sort_position`). A move writes one row: its position becomes
the middle of the gap between its new neighbours. Where no number is left in the gap, all rows of
the list get new positions, one second apart and none later than now: rows that are created later
still come after them.

Neighbours are not locked. A move reads them in the snapshot of its statement, and is rejected with
the conflict `stale` if another write of the owner was committed after that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    CTE,
    Boolean,
    ColumnElement,
    CompoundSelect,
    Numeric,
    Update,
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
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from tasks.core.idempotency import as_json_text, delete_expired_keys, store_response
from tasks.core.projections import TARGET_ID, USER_ID, Query, microseconds
from tasks.model_base import Columns, sort_position
from tasks.models import Owner, Task, TaskList

FRACTION_DIGITS_MAX: Final = 230
"""Digits of a position after the decimal point; before it there are 20."""

STEP_MICROSECONDS: Final = 1_000_000
"""The distance of rows that get new positions, and of a new first row from the former one."""

POSITION_LIMIT: Final = Decimal(10**20)
"""Positions are less than this."""

TO_START: Final = bindparam("to_start", type_=Boolean)
TO_END: Final = bindparam("to_end", type_=Boolean)
AFTER: Final = bindparam("after", type_=Uuid)
"""Where a row moves: to the start of a list, to its end, or after the row with an id."""

Union = CompoundSelect[*tuple[Any, ...]]
"""A UNION ALL of queries with any columns."""


@dataclass(frozen=True, slots=True)
class Siblings:
    """The other rows of the list that the row moves to, if it is a list of one kind.

    No index finds both the tasks of a list and those of the inbox by the same condition, so each
    kind has a query of its own; the one that does not apply returns no row.

    Attributes:
        columns: The columns of the table.
        condition: Selects the rows. It may use the CTE `current`.
        applies: Whether the target is a list of this kind.
        index_prefix: The columns of the index between the owner and `sort_position`.
    """

    columns: Columns
    condition: ColumnElement[bool]
    applies: ColumnElement[bool]
    index_prefix: Sequence[str] = ()

    def rows(self) -> Query:
        """Select the id and the sort position of all siblings."""
        columns = (self.columns["id"], sort_position(self.columns).label("sort_position"))
        return select(*columns).where(self.condition)

    def first(self) -> Query:
        """Select the first sibling."""
        return self.rows().order_by(*self._index_columns()).limit(1)

    def last(self) -> Query:
        """Select the last sibling."""
        descending = [column.desc() for column in self._index_columns()]
        return self.rows().order_by(*descending).limit(1)

    def first_after(self, anchor: CTE) -> Query:
        """Select the first sibling after the anchor."""
        own_key = tuple_(sort_position(self.columns), self.columns["id"])
        anchor_key = tuple_(anchor.c.sort_position, anchor.c.id)
        return self.first().where(own_key > anchor_key)

    def next_position(self, position: ColumnElement[Decimal]) -> ColumnElement[Decimal]:
        """Return the next greater position; NULL if there is none, or for a list of other kind."""
        own_position = sort_position(self.columns)
        first = self.first().where(own_position > position, self.applies)
        return first.with_only_columns(own_position).scalar_subquery()

    def _index_columns(self) -> list[ColumnElement[Any]]:
        # All columns of the index: otherwise the planner does not see that the index has the order.
        columns: list[ColumnElement[Any]] = [self.columns[name] for name in self.index_prefix]
        columns.append(sort_position(self.columns))
        columns.append(self.columns["id"])
        return columns


def find_gap(
    current: CTE,
    siblings: Sequence[Siblings],
    columns: Columns,
    is_in_target_list: ColumnElement[bool],
) -> CTE:
    """Find the two rows between which the row goes, and the position in the middle.

    Adds to `current`: `preceding_id`, `preceding_position`, `following_id`, `following_position`
    (NULL where there is no such row), `now_microseconds` and `new_position`.

    Args:
        current: The row that moves, locked: all its columns, `sort_position`, `target_list_id` and
            `now`.
        siblings: The other rows of the target list.
        columns: The columns of the table.
        is_in_target_list: Whether a row of the table is in the target list.
    """
    anchor = _find_anchor(current, columns, is_in_target_list)
    last = [_select_lateral(current, each, each.last(), TO_END) for each in siblings]
    preceding = union_all(*last, select(anchor)).cte("preceding")
    first = [_select_lateral(current, each, each.first(), TO_START) for each in siblings]
    next_rows = [_select_after(current, each, anchor) for each in siblings]
    following = union_all(*first, *next_rows).cte("following")

    now_microseconds = cast(microseconds(current.c.now), Numeric)
    new_position = _middle(preceding, following, now_microseconds)
    return (
        select(
            current,
            now_microseconds.label("now_microseconds"),
            preceding.c.id.label("preceding_id"),
            preceding.c.sort_position.label("preceding_position"),
            following.c.id.label("following_id"),
            following.c.sort_position.label("following_position"),
            new_position.label("new_position"),
        )
        .select_from(current)
        .join(preceding, true(), isouter=True)
        .join(following, true(), isouter=True)
        .cte("gap")
    )


def find_slot(gap: CTE) -> CTE:
    """Decide whether the row moves, and whether it fits into the gap.

    Its columns beside those of `gap`: `is_full` (no position is left in the gap), `is_unchanged`
    (the row is there already) and `conflict`, the reason why the row cannot be moved.
    """
    own_key = tuple_(gap.c.sort_position, gap.c.id)
    preceding_key = tuple_(gap.c.preceding_position, gap.c.preceding_id)
    following_key = tuple_(gap.c.following_position, gap.c.following_id)
    is_after_preceding = func.coalesce(own_key > preceding_key, true())
    is_before_following = func.coalesce(own_key < following_key, true())
    is_anchor = gap.c.id == AFTER
    is_in_gap = or_(is_anchor, and_(is_after_preceding, is_before_following))
    is_unchanged = and_(gap.c.unchanged_list, is_in_gap)

    is_anchor_missing = and_(
        ~TO_START,
        ~TO_END,
        gap.c.preceding_id.is_(None),
        ~and_(is_anchor, gap.c.unchanged_list),
    )
    gap_conflict = case(
        (is_anchor_missing, "after-not-found"), (~gap.c.matches_if_match, "version-mismatch")
    )
    is_full = or_(
        func.coalesce(gap.c.new_position <= gap.c.preceding_position, false()),
        func.coalesce(gap.c.new_position >= gap.c.following_position, false()),
        func.scale(gap.c.new_position) > FRACTION_DIGITS_MAX,
        gap.c.new_position >= POSITION_LIMIT,
    )
    return select(
        gap.c.id,
        gap.c.user_id,
        gap.c.target_list_id,
        gap.c.now,
        gap.c.now_microseconds,
        gap.c.new_position,
        gap.c.preceding_id,
        gap.c.preceding_position,
        is_full.label("is_full"),
        func.coalesce(is_unchanged, false()).label("is_unchanged"),
        func.coalesce(gap.c.conflict, gap_conflict).label("conflict"),
    ).cte("slot")


def find_placements(current: CTE, siblings: Sequence[Siblings], slot: CTE) -> CTE:
    """Find the rows to write: the row that moves, or all rows of the list if the gap is full.

    Returns `id`, the new `position`, `number` (from 1 on) and `total`: their versions follow from
    the last two.
    """
    is_written = and_(slot.c.conflict.is_(None), ~slot.c.is_unchanged)
    one_row = select(
        slot.c.id,
        slot.c.new_position.label("position"),
        literal(1).label("number"),
        literal(1).label("total"),
    )
    all_rows = _spread(current, siblings, slot)
    return union_all(
        one_row.where(is_written, ~slot.c.is_full), all_rows.where(is_written, slot.c.is_full)
    ).cte("placements")


def take_versions(
    slot: CTE,
    placements: CTE,
    other_version_count: ColumnElement[int] | None = None,
    *,
    with_idempotency_key: bool,
) -> CTE:
    """Take one version of the owner's counter for each row that is written, and others below these.

    With an idempotency key a version is taken even if no row is written: another request that waits
    for the owner with the same key then finds that its snapshot is stale, and that the key is used.
    """
    version_count: ColumnElement[int] = func.greatest(
        select(func.count()).select_from(placements).scalar_subquery(), 1
    )
    if other_version_count is not None:
        version_count += other_version_count
    is_written: ColumnElement[bool] = exists(select(placements.c.id))
    if with_idempotency_key:
        is_written = slot.c.conflict.is_(None)
    return (
        update(Owner)
        .where(col(Owner.id) == USER_ID, col(Owner.id) == slot.c.user_id, is_written)
        .values(counter=col(Owner.counter) + version_count)
        .returning(col(Owner.id), col(Owner.counter), slot.c.now, slot.c.target_list_id)
        .cte("counter_bump")
    )


def write_positions(
    table: type[Task] | type[TaskList], placements: CTE, counter_bump: CTE
) -> Update:
    """Write the new positions with the versions that were taken."""
    # An array of ids: the planner would take the one row of `placements` for many, and read the
    # rows of all owners.
    ids = func.array(select(placements.c.id).scalar_subquery(), type_=ARRAY(Uuid))
    return (
        update(table)
        .where(
            col(table.id) == any_(ids),
            col(table.id) == placements.c.id,
            col(table.user_id) == counter_bump.c.id,
        )
        .values(
            position=placements.c.position,
            updated_at=counter_bump.c.now,
            version=counter_bump.c.counter - placements.c.total + placements.c.number,
        )
    )


def return_moved_row(
    slot: CTE, updated: CTE, unchanged: Query, *, with_idempotency_key: bool
) -> Query:
    """Return `id`, `version` and JSON `response` of the row, and `conflict`, NULL if there is none.

    Args:
        slot: What was decided.
        updated: The rows that were written, as clients see them, and `now`.
        unchanged: The row that moves as it was before, in the same columns.
        with_idempotency_key: Whether the response is stored under the key of the request.
    """
    written = select(updated).where(updated.c.id == TARGET_ID)
    not_written = unchanged.where(~exists(select(updated.c.id)))
    moved = union_all(written, not_written).cte("moved")
    fields = [column for column in moved.c if column.name != "now"]
    response = as_json_text(select(*fields))
    result = select(moved.c.id, moved.c.version, response.label("response"), slot.c.conflict).join(
        slot, true()
    )
    if not with_idempotency_key:
        return result.execution_options(not_idempotent=True)
    accepted = select(moved).join(slot, true()).where(slot.c.conflict.is_(None)).cte("accepted")
    stored = store_response(accepted, response)
    return result.add_cte(stored, delete_expired_keys(stored).cte("expired"))


def _find_anchor(current: CTE, columns: Columns, is_in_target_list: ColumnElement[bool]) -> CTE:
    is_other_row = and_(columns["user_id"] == current.c.user_id, columns["id"] != current.c.id)
    return (
        select(columns["id"], sort_position(columns).label("sort_position"))
        .join(current, is_other_row)
        .where(columns["id"] == AFTER, ~TO_START, ~TO_END, is_in_target_list)
        .cte("anchor")
    )


def _select_lateral(
    current: CTE, siblings: Siblings, row: Query, condition: ColumnElement[bool]
) -> Query:
    sibling = row.lateral("sibling")
    return (
        select(sibling.c.id, sibling.c.sort_position)
        .select_from(current)
        .join(sibling, true())
        .where(condition, siblings.applies)
    )


def _select_after(current: CTE, siblings: Siblings, anchor: CTE) -> Query:
    sibling = siblings.first_after(anchor).lateral("sibling")
    return (
        select(sibling.c.id, sibling.c.sort_position)
        .select_from(current)
        .join(anchor, true())
        .join(sibling, true())
        .where(~TO_START, ~TO_END, siblings.applies)
    )


def _middle(
    preceding: CTE, following: CTE, now_microseconds: ColumnElement[Any]
) -> ColumnElement[Decimal]:
    """Return the middle of the gap.

    Before the first row the gap begins two steps earlier; after the last row the position is the
    present time.
    """
    two_steps_before = following.c.sort_position - 2 * STEP_MICROSECONDS
    start = func.coalesce(preceding.c.sort_position, func.greatest(two_steps_before, 0))
    middle = (start + following.c.sort_position) * literal_column("0.5")
    at_end = func.greatest(now_microseconds, preceding.c.sort_position + 1)
    return func.trim_scale(func.coalesce(middle, at_end))


def _spread(current: CTE, siblings: Sequence[Siblings], slot: CTE) -> Query:
    """Give all rows of the target list new positions, the row that moves after `preceding`."""
    queries = [each.rows().join(current, true()).where(each.applies) for each in siblings]
    others = union_all(*queries).cte("siblings")
    sibling_key = tuple_(others.c.sort_position, others.c.id)
    preceding_key = tuple_(slot.c.preceding_position, slot.c.preceding_id)
    follows = func.coalesce(sibling_key > preceding_key, true())
    # Rank 0 is before the row that moves, rank 1 the row itself, rank 2 after it.
    rank = case((follows, 2), else_=0)
    ranked = union_all(
        select(others.c.id, others.c.sort_position, rank.label("rank")).join(slot, true()),
        select(slot.c.id, slot.c.new_position, literal(1)),
    ).subquery("ranked")
    order = (ranked.c.rank, ranked.c.sort_position, ranked.c.id)
    numbered = select(
        ranked.c.id,
        func.row_number().over(order_by=order).label("number"),
        func.count().over().label("total"),
    ).subquery("numbered")
    steps_before_now = numbered.c.total - numbered.c.number
    position = slot.c.now_microseconds - steps_before_now * STEP_MICROSECONDS
    return select(
        numbered.c.id, position.label("position"), numbered.c.number, numbered.c.total
    ).join(slot, true())
