"""What happened to an owner's tasks since a version: those that there are, and what is left of others."""

from typing import Final

from sqlalchemy import BigInteger, Integer, Text, bindparam, cast, exists, null, select, true, union_all

from tasks.statements.values import OWNERS, TASK_COLUMNS, TASKS, TOMBSTONES, USER

_SINCE = bindparam("since", type_=BigInteger)
_LIMIT = bindparam("limit", type_=Integer)

_changed = select(*TASK_COLUMNS, cast(null(), Text).label("kind")).where(
    TASKS.c.user_id == OWNERS.c.id, TASKS.c.version > _SINCE
)

_shown = {"id": TOMBSTONES.c.id, "version": TOMBSTONES.c.version}

# The tombstone of a task that is there belongs to an undo which could not see it.
_deleted = select(
    *(_shown.get(column.name, cast(null(), column.type)).label(column.name) for column in TASK_COLUMNS),
    TOMBSTONES.c.kind,
).where(
    TOMBSTONES.c.user_id == OWNERS.c.id,
    TOMBSTONES.c.version > _SINCE,
    ~exists().where(TASKS.c.user_id == TOMBSTONES.c.user_id, TASKS.c.id == TOMBSTONES.c.id),
)

# Each side is limited by itself, too, so that the first of many pages does not sort what is on the others.
_sides = [side.correlate(OWNERS).order_by("version").limit(_LIMIT).subquery() for side in (_changed, _deleted)]
_listed = union_all(*map(select, _sides)).order_by("version").limit(_LIMIT).lateral("listed")

GET_CHANGES: Final = (
    select(OWNERS.c.counter, OWNERS.c.pruned_version, _listed)
    .join(_listed, true(), isouter=True)
    .where(OWNERS.c.id == USER)
)
"""What was changed or deleted behind a version, in the order of versions; a deletion is a row with a `kind`.

One row without an id when that is nothing; no row when the owner is unknown.
"""
