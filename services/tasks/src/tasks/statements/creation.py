"""Making tasks, under an id of the service's own or of the client's, and meeting their owners."""

from datetime import timedelta
from typing import Final

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Delete,
    Executable,
    Integer,
    Interval,
    LargeBinary,
    Text,
    and_,
    bindparam,
    case,
    cast,
    delete,
    exists,
    extract,
    func,
    literal,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from tasks.statements.values import (
    DESCRIPTION,
    IS_COMPLETED,
    KEYS,
    NOW,
    OWNERS,
    TASK,
    TASKS,
    TITLE,
    TOMBSTONES,
    USER,
    on_the_wire,
)

KEY_KEPT: Final = timedelta(hours=24)
"""How long the same key gets the same answer."""

KEYS_PRUNED: Final = 2
"""Keys beyond their time that a new one takes away: more than come in, and few enough not to be noticed."""

PATIENCE: Final = "2s"
"""How long a request with a key waits for a lock."""

_KEY = bindparam("given_key", type_=Text)
_OPERATION = literal("create-task", Text)
_KEPT = literal(KEY_KEPT, Interval)
_WRITTEN = [column.name for column in TASKS.c if column.computed is None]

_met = select(NOW.label("now"), cast(extract("epoch", NOW) * 1_000_000, BigInteger).label("counter")).cte("met")

ADD_OWNER: Final = (
    insert(OWNERS)
    .from_select(
        ["id", "counter", "pruned_version", "task_count", "created_at"],
        select(USER, _met.c.counter, _met.c.counter, literal(0), _met.c.now),
    )
    .on_conflict_do_nothing()
    .returning(OWNERS.c.id)
)
"""Meet an owner, of whose past before this moment nothing is known; harmless when somebody was faster."""

_taken = and_(
    KEYS.c.user_id == OWNERS.c.id, KEYS.c.operation == _OPERATION, KEYS.c.key == _KEY, KEYS.c.created_at > NOW - _KEPT
)

GET_OBSTACLE: Final = (
    select(
        *(KEYS.c.digest, KEYS.c.task_id.label("id"), KEYS.c.version, KEYS.c.answer),
        *(OWNERS.c.task_count, TASKS.c.user_id.label("holder")),
    )
    .select_from(OWNERS)
    .join(KEYS, _taken, isouter=True)
    .join(TASKS, TASKS.c.id == TASK, isouter=True)
    .where(OWNERS.c.id == USER)
)
"""What a creation may have met: its own key, a full owner, or whoever holds the id. No row for an unknown owner."""


def _lock_owner(*, keyed: bool) -> CTE:
    """Lock an owner who has room for one more task; with a key only if that is free, and without waiting for long.

    The limit of the wait ends with the statement, because the statement is the transaction.
    """
    owner = select(OWNERS.c.id, OWNERS.c.counter).where(
        OWNERS.c.id == USER, OWNERS.c.task_count < bindparam("tasks_max", type_=Integer)
    )
    if keyed:
        patience = select(func.set_config("lock_timeout", PATIENCE, true()).label("limit")).cte("patience")
        owner = owner.join(patience, true()).where(~exists().where(_taken))
    return owner.with_for_update(of=OWNERS).cte("locked").prefix_with("MATERIALIZED")


def _compose(owner: CTE) -> CTE:
    """Put the task together, before it is written anywhere."""
    # A step of its own, because a clock that is read together with the row is read before the lock is there.
    begun = select(owner, NOW.label("now")).cte("begun")
    return select(
        TASK.label("id"),
        begun.c.id.label("user_id"),
        TITLE.label("title"),
        DESCRIPTION.label("description"),
        IS_COMPLETED.label("is_completed"),
        case((IS_COMPLETED, "completed"), else_="pending").label("status"),
        case((IS_COMPLETED, begun.c.now)).label("completed_at"),
        begun.c.now.label("created_at"),
        begun.c.now.label("updated_at"),
        (begun.c.counter + 1).label("version"),
    ).cte("task")


def _render(task: CTE) -> ColumnElement[str]:
    """Write down the answer, so that it can be given once more."""
    shown = select(*on_the_wire(task.c)).subquery("shown")
    return cast(select(func.row_to_json(shown.table_valued())).scalar_subquery(), Text)


def _claim(task: CTE) -> CTE:
    """Take the key for this task, unless it was taken and is not beyond its time."""
    values = {
        "user_id": task.c.user_id,
        "operation": _OPERATION,
        "key": _KEY,
        "digest": bindparam("meaning", type_=LargeBinary),
        "task_id": task.c.id,
        "version": task.c.version,
        "answer": _render(task),
        "created_at": task.c.created_at,
    }
    taken = insert(KEYS).from_select(list(values), select(*values.values()))
    renewed = taken.on_conflict_do_update(
        constraint=KEYS.primary_key,
        set_={name: taken.excluded[name] for name in ("digest", "task_id", "version", "answer", "created_at")},
        where=KEYS.c.created_at <= taken.excluded.created_at - _KEPT,
    )
    return renewed.returning(KEYS.c.user_id, KEYS.c.created_at).cte("claimed")


def _prune(claimed: CTE) -> Delete:
    """Forget some keys beyond their time, but not the one that is just being taken again, or was while this waited.

    Source: PostgreSQL, 7.8.4: which of two changes of one row takes place cannot be told.
    """
    names = ("user_id", "operation", "key", "created_at")
    # By the owner's own id, and not by that of what is claimed, or all old keys would be sorted.
    old = (
        select(*(KEYS.c[name] for name in names))
        .where(KEYS.c.user_id == USER, KEYS.c.created_at <= select(claimed.c.created_at - _KEPT).scalar_subquery())
        .where(tuple_(KEYS.c.operation, KEYS.c.key) != tuple_(_OPERATION, _KEY))
        .order_by(KEYS.c.created_at)
        .limit(KEYS_PRUNED)
    ).cte("old")
    return delete(KEYS).where(*(KEYS.c[name] == old.c[name] for name in names))


def _create_task(*, keyed: bool = False, named: bool = False) -> Executable:
    """Build what adds a task: once for each key, or under the name that the client chose, unless somebody has that."""
    task = _compose(_lock_owner(keyed=keyed))
    written = select(*(task.c[name] for name in _WRITTEN))
    claimed = _claim(task) if keyed else None
    if claimed is not None:
        written = written.join(claimed, claimed.c.user_id == task.c.user_id)
    added = insert(TASKS).from_select(_WRITTEN, written)
    added = added.on_conflict_do_nothing(index_elements=[TASKS.c.id]) if named else added
    made = added.returning(TASKS.c.id, TASKS.c.user_id, TASKS.c.version).cte("made")
    counted = (
        update(OWNERS)
        .where(OWNERS.c.id == made.c.user_id)
        .values(counter=made.c.version, task_count=OWNERS.c.task_count + 1)
    )
    shown = select(made.c.id, made.c.version, _render(task).label("answer")).add_cte(counted.cte("counted"))
    if claimed is not None:
        return shown.add_cte(_prune(claimed).cte("pruned"))
    undone = delete(TOMBSTONES).where(TOMBSTONES.c.user_id == made.c.user_id, TOMBSTONES.c.id == made.c.id)
    return (shown.add_cte(undone.cte("undone")) if named else shown).execution_options(writes=True)


CREATE_TASK: Final = _create_task()
"""Add a task under an id that nobody has; no row when the owner is unknown or has `tasks_max` already."""

CREATE_TASK_ONCE: Final = _create_task(keyed=True)
"""Add a task and keep the answer under the key; no row either when the key is in use. It may be sent twice."""

CREATE_NAMED_TASK: Final = _create_task(named=True)
"""Add a task under an id that the client chose, and undo its deletion; no row either when somebody has the id."""
