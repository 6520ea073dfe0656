"""What is done with lists and labels alike: looking at one before it is renamed or deleted, and renaming it."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Executable,
    Table,
    and_,
    case,
    exists,
    func,
    null,
    select,
    union_all,
    update,
)

from tasks.core.owners import find_owner, lock_owner
from tasks.core.projections import FOLDED_NAME, NAME, TARGET_ID, Query, matches_if_match
from tasks.models import Columns


def find_renamable(table: Table) -> tuple[CTE, CTE]:
    """Lock what was named, and tell what keeps it from getting the new name; then the same again if it gets it."""
    owner, other = lock_owner(find_owner(check_snapshot=True)), table.alias("other")
    has_name = and_(
        other.c.user_id == owner.c.id, other.c.folded_name == FOLDED_NAME, other.c.id != table.c.id
    )
    conflict = case(
        (~owner.c.is_current, "stale"),
        (exists().where(has_name), "name-taken"),
        (~matches_if_match(table.c), "version-mismatch"),
    )
    differs = table.c.name != func.coalesce(NAME, table.c.name)
    before = (
        _find(table, owner)
        .add_columns(conflict.label("conflict"), differs.label("differs"))
        .cte("before")
    )
    return before, select(before).where(before.c.differs, before.c.conflict.is_(None)).cte(
        "written"
    )


def rename(
    table: Table,
    found: tuple[CTE, CTE],
    raised: CTE,
    show: Callable[[Columns], list[ColumnElement[Any]]],
    *more: CTE,
) -> Executable:
    """Write the new name with the version that the owner's counter was `raised` to, and more, or show what is there."""
    before, written = found
    changed = (
        update(table)
        .where(table.c.id == TARGET_ID, table.c.user_id == raised.c.id)
        .values(
            name=NAME, folded_name=FOLDED_NAME, updated_at=raised.c.now, version=raised.c.counter
        )
        .returning(*show(table.c), null().label("conflict"))
        .cte("changed")
    )
    unchanged = select(*show(before.c), before.c.conflict).where(~exists(select(written.c.id)))
    return (
        union_all(select(changed), unchanged).add_cte(*more).execution_options(not_idempotent=True)
    )


def find_deletable(table: Table) -> tuple[CTE, CTE]:
    """Lock what was named, and tell what keeps it from being deleted; then the same again if nothing does."""
    owner = lock_owner(find_owner(check_snapshot=True))
    conflict = case(
        (~owner.c.is_current, "stale"), (~matches_if_match(table.c), "version-mismatch")
    )
    wanted = _find(table, owner).add_columns(conflict.label("conflict")).cte("before")
    return wanted, select(wanted).where(wanted.c.conflict.is_(None)).cte("allowed")


def _find(table: Table, owner: CTE) -> Query:
    found = (
        select(table, owner.c.now)
        .join(owner, table.c.user_id == owner.c.id)
        .where(table.c.id == TARGET_ID)
    )
    return found.with_for_update(of=table)
