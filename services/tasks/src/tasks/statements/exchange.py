"""Taking tasks in, and forgetting an owner.

An import is one transaction of several statements. What comes is staged first, in a table that nobody else sees: so no
owner is locked while a client sends. Then the owner is locked, and only then merged, so that every statement sees all
that was written before.
"""

from typing import Final

from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    Table,
    Uuid,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.schema import CreateTable

from tasks.statements.values import OWNERS, TASKS, TOMBSTONES, USER

CARRIED: Final = ("title", "description", "is_completed", "completed_at", "created_at", "updated_at")
"""What a task brings with it, beside its id."""

_staged = Table(
    "staged_tasks",
    MetaData(),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("old_id", Uuid),
    Column("own_id", Uuid),
    *(Column(name, TASKS.c[name].type) for name in CARRIED),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)

OPEN_STAGE: Final = CreateTable(_staged)
"""Make room for what comes, until the end of the transaction."""

STAGE_TASKS: Final = insert(_staged)
"""Put lines there: with the id that a task had, and the one that it gets when that belongs to somebody else."""

LOCK_OWNER: Final = select(OWNERS.c.id).where(OWNERS.c.id == USER).with_for_update()
"""Let nobody else write for this owner until the end of the transaction; no row for an unknown one."""

ERASE_OWNER: Final = delete(OWNERS).where(OWNERS.c.id == USER).returning(OWNERS.c.id).execution_options(writes=True)
"""Forget an owner, and by the foreign keys all that is theirs."""

_held = TASKS.alias("held")
_own = TASKS.alias("own")
_standing = TASKS.alias("standing")

# Where the old id is free, somebody else may have had it the last time: the task is then here under the other one.
_is_renumbered = and_(_held.c.user_id.is_distinct_from(USER), or_(_held.c.id.is_not(None), _own.c.id.is_not(None)))
_id = case((_is_renumbered, _staged.c.own_id), else_=_staged.c.old_id)

_chosen = (
    select(_id.label("id"), _is_renumbered.label("renumbered"), _staged.c.line, *(_staged.c[name] for name in CARRIED))
    .join(_held, _held.c.id == _staged.c.old_id, isouter=True)
    .join(_own, and_(_own.c.id == _staged.c.own_id, _own.c.user_id == USER), isouter=True)
    .where(_staged.c.line.between(bindparam("first_line"), bindparam("last_line")))
    .ext(distinct_on(_id))
    .order_by(_id, _staged.c.line.desc())
    .cte("chosen")
)

_compared = (
    select(
        _chosen,
        _standing.c.id.is_(None).label("is_new"),
        tuple_(*(_chosen.c[name] for name in CARRIED))
        .is_distinct_from(tuple_(*(_standing.c[name] for name in CARRIED)))
        .label("differs"),
    )
    .join(_standing, and_(_standing.c.id == _chosen.c.id, _standing.c.user_id == USER), isouter=True)
    .cte("compared")
)

_numbered = (
    select(
        *(_compared.c.id, OWNERS.c.id.label("user_id"), *(_compared.c[name] for name in CARRIED)),
        (OWNERS.c.counter + func.row_number().over(order_by=_compared.c.line)).label("version"),
    )
    .join(OWNERS, OWNERS.c.id == USER)
    .where(_compared.c.differs)
    .order_by(_compared.c.line)
    .cte("numbered")
)

_written = insert(TASKS).from_select([column.name for column in _numbered.c], select(_numbered), include_defaults=False)
_merged = (
    _written.on_conflict_do_update(
        index_elements=[TASKS.c.id],
        set_={name: _written.excluded[name] for name in (*CARRIED, "version")},
        where=TASKS.c.user_id == _written.excluded.user_id,
    )
    .returning(TASKS.c.id)
    .cte("merged")
)

_returned = delete(TOMBSTONES).where(TOMBSTONES.c.user_id == USER, TOMBSTONES.c.id == _merged.c.id).cte("returned")

_differing = func.count().filter(_compared.c.differs)
_made = func.count().filter(_compared.c.is_new)
_counts = select(
    USER.label("owner"),
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

MERGE_TASKS: Final = select(_counts, _counted.c.task_count).join(_counted, true()).add_cte(_returned)
"""Take in the lines from `first_line` to `last_line`, of those with one id the last, and tell how many were what.

Those are `lost` of which the id was taken by somebody else at this very moment. The caller must have the owner locked.
"""
