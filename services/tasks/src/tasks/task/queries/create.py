"""Making tasks, under an id of the service's own or of the client's."""

from functools import cache
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Executable,
    Text,
    Update,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from tasks.core.idempotency import (
    HAS_STORED_RESPONSE,
    STORED_RESPONSE_COLUMNS,
    as_json_text,
    delete_expired_keys,
    if_key_unused,
    store_response,
)
from tasks.core.owners import SNAPSHOT_CURRENT, find_owner, lock_owner, target_list_exists
from tasks.core.projections import (
    KEYS,
    LABELS,
    LIST_ID,
    LISTS,
    OWNERS,
    QUOTA,
    TARGET_ID,
    TASKS,
    USER_ID,
    Query,
)
from tasks.core.tombstones import delete_tombstone, is_id_of_other_kind
from tasks.task.columns import EDITABLE_COLUMNS
from tasks.task.projection import task_json
from tasks.task.queries.task_labels import (
    CHOSEN_NAMES,
    FOLDED_NAMES,
    LABELS_QUOTA,
    NEW_LABELS,
    put_labels,
)

_COMPUTED = {column.name for column in TASKS.c if column.computed is not None}
_NO_LABELS = cast(literal("{}"), ARRAY(Text))

_known = select(func.count()).where(
    LABELS.c.user_id == OWNERS.c.id, LABELS.c.folded_name == func.any(FOLDED_NAMES)
)

GET_CREATE_CONFLICTS: Final = (
    select(
        *STORED_RESPONSE_COLUMNS,
        *(
            OWNERS.c.task_count,
            TASKS.c.user_id.label("holder"),
            is_id_of_other_kind("task").label("is_spent"),
        ),
        or_(
            LIST_ID.is_(None), exists().where(LISTS.c.user_id == OWNERS.c.id, LISTS.c.id == LIST_ID)
        ).label("has_list"),
        (OWNERS.c.label_count + func.cardinality(FOLDED_NAMES) - _known.scalar_subquery()).label(
            "label_count"
        ),
    )
    .select_from(OWNERS)
    .join(KEYS, HAS_STORED_RESPONSE, isouter=True)
    .join(TASKS, TASKS.c.id == TARGET_ID, isouter=True)
    .where(OWNERS.c.id == USER_ID)
)
"""What a creation may have met: its own key, a full owner, a list that is not there, or whoever holds the id.

`label_count` is what the owner would have. No row for an unknown owner.
"""


def _admit(*, with_idempotency_key: bool, with_client_id: bool, with_labels: bool) -> CTE:
    """Lock an owner who has room for one more task, and for the labels that are new."""
    watched = with_client_id or with_labels
    owner = find_owner(check_snapshot=watched).where(OWNERS.c.task_count < QUOTA)
    if watched:
        owner = owner.where(SNAPSHOT_CURRENT)
    if with_client_id:
        owner = owner.where(~is_id_of_other_kind("task"))
    if with_labels:
        owner = owner.where(OWNERS.c.label_count + NEW_LABELS <= LABELS_QUOTA)
    return lock_owner(if_key_unused(owner) if with_idempotency_key else owner)


def _compose(owner: CTE, *, with_labels: bool) -> CTE:
    """Put the task together, before it is written anywhere; there is none if its list is not there."""
    values: dict[str, ColumnElement[Any]] = {"id": TARGET_ID, "user_id": owner.c.id}
    for column in EDITABLE_COLUMNS:
        values[column.name] = column.param
    is_completed = values["is_completed"]
    values["status"] = case((is_completed, "completed"), else_="pending")
    values["completed_at"] = case((is_completed, owner.c.now))
    values["created_at"] = owner.c.now
    values["updated_at"] = owner.c.now
    values["version"] = owner.c.counter + (1 + NEW_LABELS if with_labels else 1)
    values["position"] = cast(null(), TASKS.c.position.type)
    shown = [value.label(name) for name, value in values.items()]
    return (
        select(*shown, owner.c.now)
        .where(or_(LIST_ID.is_(None), target_list_exists(owner)))
        .cte("task")
    )


def _count(made: CTE, *, with_labels: bool) -> Update:
    more = {"label_count": OWNERS.c.label_count + NEW_LABELS} if with_labels else {}
    counted = {"counter": made.c.version, "task_count": OWNERS.c.task_count + 1, **more}
    return update(OWNERS).where(OWNERS.c.id == made.c.user_id).values(counted)


@cache
def create_task(
    *, with_idempotency_key: bool = False, with_client_id: bool = False, with_labels: bool = False
) -> Executable:
    """Build what adds a task: once for each key, or under the name that the client chose, unless somebody has that.

    No row when the owner is unknown, or when something is in the way. With a key it may be sent twice; a name undoes
    the deletion of the task that had it.
    """
    task = _compose(
        _admit(
            with_idempotency_key=with_idempotency_key,
            with_client_id=with_client_id,
            with_labels=with_labels,
        ),
        with_labels=with_labels,
    )
    answer = as_json_text(select(*task_json(task.c, CHOSEN_NAMES if with_labels else _NO_LABELS)))
    claimed = store_response(task, answer) if with_idempotency_key else None
    made = _add(task, claimed, with_client_id=with_client_id)
    counted = _count(made, with_labels=with_labels).returning(OWNERS.c.id, OWNERS.c.counter)
    raised = counted.cte("counted")
    shown: Query = select(made.c.id, made.c.version, answer.label("response")).add_cte(raised)
    if with_labels:
        labelled_for = (
            select(raised.c.id, raised.c.counter, task.c.now).join(task, true()).cte("raised")
        )
        shown = shown.add_cte(*put_labels(labelled_for, TARGET_ID))
    if claimed is not None:
        return shown.add_cte(delete_expired_keys(claimed).cte("pruned"))
    return (
        shown.add_cte(delete_tombstone("task", made)) if with_client_id else shown
    ).execution_options(writes=True)


def _add(task: CTE, claimed: CTE | None, *, with_client_id: bool) -> CTE:
    """Write the task where its key, if it has one, could be taken, and its name, if it has one, is free."""
    columns = [column.name for column in TASKS.c if column.name not in _COMPUTED]
    written = select(*(task.c[name] for name in columns))
    if claimed is not None:
        written = written.join(claimed, claimed.c.user_id == task.c.user_id)
    added = insert(TASKS).from_select(columns, written)
    added = added.on_conflict_do_nothing(index_elements=[TASKS.c.id]) if with_client_id else added
    return added.returning(TASKS.c.id, TASKS.c.user_id, TASKS.c.version).cte("made")
