"""Making tasks, under an id of the service's own or of the client's, and meeting their owners."""

from typing import Final

from sqlalchemy import BigInteger, Executable, Integer, Select, bindparam, case, cast, delete, extract, select, update
from sqlalchemy.dialects.postgresql import insert

from tasks.statements.values import (
    DESCRIPTION,
    IS_COMPLETED,
    NOW,
    OWNERS,
    TASK,
    TASK_COLUMNS,
    TASKS,
    TITLE,
    TOMBSTONES,
    USER,
)

ADD_OWNER: Final = (
    insert(OWNERS)
    .values(id=USER, counter=cast(extract("epoch", NOW) * 1_000_000, BigInteger), task_count=0, created_at=NOW)
    .on_conflict_do_nothing()
    .returning(OWNERS.c.id)
)
"""Meet an owner; harmless when somebody was faster."""

GET_OBSTACLE: Final = (
    select(OWNERS.c.task_count, TASKS.c.user_id.label("holder"))
    .join(TASKS, TASKS.c.id == TASK, isouter=True)
    .where(OWNERS.c.id == USER)
)
"""What a new task may have met: a full owner, or whoever holds its id. No row when the owner is unknown."""

_locked = (
    select(OWNERS.c.id, OWNERS.c.counter)
    .where(OWNERS.c.id == USER, OWNERS.c.task_count < bindparam("tasks_max", type_=Integer))
    .with_for_update()
    .cte("locked")
    .prefix_with("MATERIALIZED")
)

# A step of its own, because a clock that is read together with the row is read before the lock is there.
_begun = select(_locked, NOW.label("now")).cte("begun")

_NEW: Final = {
    "id": TASK,
    "user_id": _begun.c.id,
    "title": TITLE,
    "description": DESCRIPTION,
    "is_completed": IS_COMPLETED,
    "completed_at": case((IS_COMPLETED, _begun.c.now)),
    "created_at": _begun.c.now,
    "updated_at": _begun.c.now,
    "version": _begun.c.counter + 1,
}


def _create_task(*, named: bool) -> Executable:
    """Build what adds a task; one that the client `named` gives way to whoever has the id, and undoes its deletion."""
    added = insert(TASKS).from_select(list(_NEW), select(*_NEW.values()))
    added = added.on_conflict_do_nothing(index_elements=[TASKS.c.id]) if named else added
    made = added.returning(*TASK_COLUMNS).cte("made")
    counted = (
        update(OWNERS)
        .where(OWNERS.c.id == made.c.user_id)
        .values(counter=made.c.version, task_count=OWNERS.c.task_count + 1)
    )
    undone = delete(TOMBSTONES).where(TOMBSTONES.c.user_id == made.c.user_id, TOMBSTONES.c.id == made.c.id)
    shown: Select[tuple[object, ...]] = select(made).add_cte(counted.cte("counted"))
    return (shown.add_cte(undone.cte("undone")) if named else shown).execution_options(writes=True)


CREATE_TASK: Final = _create_task(named=False)
"""Add a task under an id that nobody has; no row when the owner is unknown or has `tasks_max` already."""

CREATE_NAMED_TASK: Final = _create_task(named=True)
"""Add a task under an id that the client chose; no row either when somebody has it."""
