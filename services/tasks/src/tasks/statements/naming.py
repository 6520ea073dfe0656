"""Looking at a list or a label before it is renamed or deleted."""

from sqlalchemy import CTE, Table, and_, case, exists, func, select

from tasks.statements.owners import find_owner, lock
from tasks.statements.values import FOLDED_NAME, NAME, WANTED, Query, matches


def find_renamable(table: Table) -> tuple[CTE, CTE]:
    """Lock what was named, and tell what keeps it from getting the new name; then the same again if it gets it."""
    owner, other = lock(find_owner(watched=True)), table.alias("other")
    has_name = and_(other.c.user_id == owner.c.id, other.c.folded_name == FOLDED_NAME, other.c.id != table.c.id)
    obstacle = case(
        (~owner.c.is_fresh, "outrun"), (exists().where(has_name), "name-taken"), (~matches(table.c), "version-mismatch")
    )
    differs = table.c.name != func.coalesce(NAME, table.c.name)
    before = _find(table, owner).add_columns(obstacle.label("obstacle"), differs.label("differs")).cte("before")
    return before, select(before).where(before.c.differs, before.c.obstacle.is_(None)).cte("written")


def find_deletable(table: Table) -> tuple[CTE, CTE]:
    """Lock what was named, and tell what keeps it from being deleted; then the same again if nothing does."""
    owner = lock(find_owner(watched=True))
    obstacle = case((~owner.c.is_fresh, "outrun"), (~matches(table.c), "version-mismatch"))
    wanted = _find(table, owner).add_columns(obstacle.label("obstacle")).cte("before")
    return wanted, select(wanted).where(wanted.c.obstacle.is_(None)).cte("allowed")


def _find(table: Table, owner: CTE) -> Query:
    found = select(table, owner.c.now).join(owner, table.c.user_id == owner.c.id).where(table.c.id == WANTED)
    return found.with_for_update(of=table)
