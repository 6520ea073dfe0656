"""Create a task, with an id of the service or of the client."""

from collections.abc import Sequence
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
    label,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlmodel import col

from tasks.core.conflicts import first_conflict
from tasks.core.idempotency import (
    HAS_STORED_RESPONSE,
    STORED_RESPONSE_COLUMNS,
    as_json_text,
    delete_expired_keys,
    if_key_unused,
    store_response,
)
from tasks.core.owners import SNAPSHOT_CURRENT, find_owner, lock_owner, target_list_exists
from tasks.core.projections import LIST_ID, QUOTA, TARGET_ID, USER_ID, Query
from tasks.core.tombstones import delete_tombstone, is_id_of_other_kind
from tasks.model_base import columns_of
from tasks.models import IdempotencyKey, Label, Owner, Task, TaskList
from tasks.task.columns import EDITABLE_COLUMNS
from tasks.task.projection import task_fields
from tasks.task.queries.parents import (
    PARENT,
    PARENT_ID,
    PARENT_LIST_ID,
    creation_rules,
    is_parent,
)
from tasks.task.queries.task_labels import (
    FOLDED_NAMES,
    LABELS_QUOTA,
    NEW_LABEL_COUNT,
    REQUESTED_NAMES,
    set_labels,
)

_NO_LABELS: ColumnElement[Sequence[str]] = cast(literal("{}"), ARRAY(Text))


def _get_create_conflicts(*, with_parent: bool) -> Query:
    list_exists = exists().where(
        col(TaskList.user_id) == col(Owner.id), col(TaskList.id) == LIST_ID
    )
    stored_labels = select(func.count()).where(
        col(Label.user_id) == col(Owner.id), col(Label.folded_name) == func.any(FOLDED_NAMES)
    )
    requested_label_count = func.cardinality(FOLDED_NAMES)
    label_count = col(Owner.label_count) + requested_label_count - stored_labels.scalar_subquery()
    query = (
        select(
            *STORED_RESPONSE_COLUMNS,
            col(Owner.task_count),
            label_count.label("label_count"),
            label("holder", col(Task.user_id)),
            is_id_of_other_kind("task").label("is_spent"),
            or_(LIST_ID.is_(None), list_exists).label("has_list"),
        )
        .select_from(Owner)
        .outerjoin(IdempotencyKey, HAS_STORED_RESPONSE)
        .outerjoin(Task, col(Task.id) == TARGET_ID)
        .where(col(Owner.id) == USER_ID)
    )
    if with_parent:
        query = query.add_columns(first_conflict(*creation_rules()).label("parent_conflict"))
        query = query.outerjoin(PARENT, is_parent(PARENT_ID))
    return query


GET_CREATE_CONFLICTS: Final = _get_create_conflicts(with_parent=False)
"""Why a task was not created: the stored response of its key, the owner's counts, who has the id.

`label_count` is what the owner would have afterwards. No row for an unknown owner.
"""

GET_SUBTASK_CONFLICTS: Final = _get_create_conflicts(with_parent=True)
"""Why a task with a parent was not created: as above, and `parent_conflict`."""


@cache
def create_task(
    *,
    with_idempotency_key: bool = False,
    with_client_id: bool = False,
    with_labels: bool = False,
    with_parent: bool = False,
) -> Executable:
    """Build the statement that creates a task and returns its `id`, `version` and JSON `response`.

    No row if the owner is unknown or there is a conflict, which `GET_CREATE_CONFLICTS` then reads,
    or with a parent `GET_SUBTASK_CONFLICTS`.

    Stages:
        1. requested_labels: the labels that were sent, stored or new (with labels).
        2. owner: lock the owner, unless a quota is reached, the key is used or the id belongs to
           something of another kind.
        3. task: all columns of the new task; no row if its list does not exist, or its parent
           breaks a rule.
        4. claimed: store the response under the key, unless another request has just done so
           (with a key).
        5. created: insert the task, unless the client's id is taken.
        6. counter_bump: give the owner the new version and counts.
        7. new_labels, linked, unlinked: set the labels (with labels).
        8. Delete expired keys (with a key), or the tombstone of the id (with an id of the client).
    """
    owner = _lock_owner(
        with_idempotency_key=with_idempotency_key,
        with_client_id=with_client_id,
        check_snapshot=with_client_id or with_labels or with_parent,
        with_labels=with_labels,
    )
    task = _compose_task(owner, with_labels=with_labels, with_parent=with_parent)
    label_names = REQUESTED_NAMES if with_labels else _NO_LABELS
    projection = task_fields(task.c, label_names)
    response = as_json_text(select(*projection))
    claimed = None
    if with_idempotency_key:
        claimed = store_response(task, response)
    created = _insert_task(task, claimed, with_client_id=with_client_id)
    counter_bump = _bump_counter(created, with_labels=with_labels)
    statement: Query = select(created.c.id, created.c.version, response.label("response"))
    statement = statement.add_cte(counter_bump)
    if with_labels:
        for cte in set_labels(counter_bump, TARGET_ID):
            statement = statement.add_cte(cte)
    if claimed is not None:
        return statement.add_cte(delete_expired_keys(claimed).cte("expired"))
    if with_client_id:
        statement = statement.add_cte(delete_tombstone("task", created))
    return statement.execution_options(not_idempotent=True)


def _lock_owner(
    *, with_idempotency_key: bool, with_client_id: bool, with_labels: bool, check_snapshot: bool
) -> CTE:
    owner = find_owner(check_snapshot=check_snapshot).where(col(Owner.task_count) < QUOTA)
    if check_snapshot:
        owner = owner.where(SNAPSHOT_CURRENT)
    if with_client_id:
        owner = owner.where(~is_id_of_other_kind("task"))
    if with_labels:
        owner = owner.where(col(Owner.label_count) + NEW_LABEL_COUNT <= LABELS_QUOTA)
    if with_idempotency_key:
        owner = if_key_unused(owner)
    return lock_owner(owner)


def _compose_task(owner: CTE, *, with_labels: bool, with_parent: bool) -> CTE:
    """Return all columns of the new task, and the time `now`."""
    version: ColumnElement[int] = owner.c.counter + 1
    if with_labels:
        # The new labels take the versions just below the task's.
        version += NEW_LABEL_COUNT
    values: dict[str, ColumnElement[Any]] = {"id": TARGET_ID, "user_id": owner.c.id}
    for column in EDITABLE_COLUMNS:
        values[column.name] = column.param
    if with_parent:
        values["list_id"] = PARENT_LIST_ID
    is_completed = values["is_completed"]
    values["status"] = case((is_completed, "completed"), else_="pending")
    values["completed_at"] = case((is_completed, owner.c.now))
    values["created_at"] = owner.c.now
    values["updated_at"] = owner.c.now
    values["version"] = version
    for column in columns_of(Task):
        # What is neither edited nor set above has no value in a new task.
        values.setdefault(column.name, cast(null(), column.type))
    columns = [value.label(name) for name, value in values.items()]
    columns.append(owner.c.now.label("now"))
    if with_parent:
        is_allowed = first_conflict(*creation_rules()).is_(None)
        return select(*columns).join(PARENT, is_parent(PARENT_ID)).where(is_allowed).cte("task")
    has_list = or_(LIST_ID.is_(None), target_list_exists(owner))
    return select(*columns).where(has_list).cte("task")


def _insert_task(task: CTE, claimed: CTE | None, *, with_client_id: bool) -> CTE:
    # `status` is in the CTE for the response; in the table the database computes it.
    names = [column.name for column in columns_of(Task) if column.name != "status"]
    columns: list[ColumnElement[Any]] = [task.c[name] for name in names]
    row = select(*columns)
    if claimed is not None:
        row = row.join(claimed, claimed.c.user_id == task.c.user_id)
    statement = insert(Task).from_select(names, row)
    if with_client_id:
        statement = statement.on_conflict_do_nothing(index_elements=[col(Task.id)])
    return statement.returning(
        col(Task.id), col(Task.user_id), col(Task.version), label("now", col(Task.created_at))
    ).cte("created")


def _bump_counter(created: CTE, *, with_labels: bool) -> CTE:
    values: dict[str, ColumnElement[int]] = {
        "counter": created.c.version,
        "task_count": col(Owner.task_count) + 1,
    }
    if with_labels:
        values["label_count"] = col(Owner.label_count) + NEW_LABEL_COUNT
    statement: Update = update(Owner).where(col(Owner.id) == created.c.user_id).values(values)
    return statement.returning(col(Owner.id), col(Owner.counter), created.c.now).cte("counter_bump")
