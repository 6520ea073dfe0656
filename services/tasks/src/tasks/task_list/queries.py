"""Read, create, rename and delete lists."""

from functools import cache
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Executable,
    Update,
    cast,
    delete,
    exists,
    literal,
    null,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlmodel import col

from tasks.core.idempotency import (
    HAS_STORED_RESPONSE,
    STORED_RESPONSE_COLUMNS,
    as_json_text,
    delete_expired_keys,
    if_key_unused,
    store_response,
)
from tasks.core.owners import (
    NOT_MODIFIED_SINCE,
    SNAPSHOT_CURRENT,
    bump_counter,
    find_owner,
    lock_owner,
)
from tasks.core.projections import (
    FOLDED_NAME,
    LIST_PROJECTION,
    NAME,
    QUOTA,
    TARGET_ID,
    USER_ID,
    Query,
    list_fields,
)
from tasks.core.rename import LockedRow, find_deletable, find_renamable, rename
from tasks.core.task_links import number_linked_tasks, unlink_tasks
from tasks.core.tombstones import (
    delete_tombstone,
    insert_tombstones,
    is_id_of_other_kind,
    new_pruned_version,
    prune_tombstones,
    select_tombstones,
)
from tasks.core.version_cascade import bump_task_versions, count_rows, delete_tasks, number_tasks
from tasks.model_base import columns_of, sort_position
from tasks.models import IdempotencyKey, Owner, Task, TaskList

_lists_of_owner = (
    select(*LIST_PROJECTION)
    .where(col(TaskList.user_id) == col(Owner.id), NOT_MODIFIED_SINCE)
    .order_by(sort_position(columns_of(TaskList)), col(TaskList.id))
    .correlate(Owner)
    .lateral("lists_of_owner")
)

LIST_LISTS: Final = (
    select(col(Owner.counter), _lists_of_owner)
    .join(_lists_of_owner, true(), isouter=True)
    .where(col(Owner.id) == USER_ID)
)
"""The lists of the user in their order, each with the owner's `counter`.

One row without a list if there are none, or if the counter is in `If-None-Match`; no row for an
unknown owner.
"""

GET_LIST: Final = select(*LIST_PROJECTION).where(
    col(TaskList.id) == TARGET_ID, col(TaskList.user_id) == USER_ID
)
"""One list of the user."""

_same_name = aliased(TaskList, name="same_name")
_name_taken = exists().where(
    col(_same_name.user_id) == col(Owner.id), col(_same_name.folded_name) == FOLDED_NAME
)

GET_CREATE_CONFLICTS: Final = (
    select(
        *STORED_RESPONSE_COLUMNS,
        col(Owner.list_count),
        col(TaskList.user_id).label("holder"),
        _name_taken.label("has_name"),
        is_id_of_other_kind("list").label("is_spent"),
    )
    .select_from(Owner)
    .join(IdempotencyKey, HAS_STORED_RESPONSE, isouter=True)
    .join(TaskList, col(TaskList.id) == TARGET_ID, isouter=True)
    .where(col(Owner.id) == USER_ID)
)
"""Why a list was not created: the key is used, the quota is reached, or name or id are taken.

No row for an unknown owner.
"""


def _new_list(owner: CTE) -> CTE:
    """Compute the row of the new list, before it is inserted."""
    values = {
        "id": TARGET_ID,
        "user_id": owner.c.id,
        "name": NAME,
        "folded_name": FOLDED_NAME,
        "position": cast(null(), columns_of(TaskList)["position"].type),
        "created_at": owner.c.now,
        "updated_at": owner.c.now,
        "version": owner.c.counter + 1,
    }
    columns = [value.label(name) for name, value in values.items()]
    return select(*columns, owner.c.now).cte("new_list")


def _insert_list(new_list: CTE) -> CTE:
    names = [column.name for column in columns_of(TaskList)]
    values: list[ColumnElement[Any]] = [new_list.c[name] for name in names]
    return (
        insert(TaskList)
        .from_select(names, select(*values))
        .on_conflict_do_nothing(index_elements=[col(TaskList.id)])
        .returning(col(TaskList.id), col(TaskList.user_id), col(TaskList.version))
        .cte("inserted")
    )


def _count_list(inserted: CTE) -> Update:
    return (
        update(Owner)
        .where(col(Owner.id) == inserted.c.user_id)
        .values(counter=inserted.c.version, list_count=col(Owner.list_count) + 1)
    )


@cache
def create_list(*, with_idempotency_key: bool = False, with_client_id: bool = False) -> Executable:
    """Build the statement that creates a list and returns the response.

    No row if the owner is unknown, or if `GET_CREATE_CONFLICTS` shows a conflict.

    Stages:
        snapshot, locked, owner: the owner's counter before the lock, the lock, and the time.
        new_list: the row to insert.
        inserted: the inserted row; none if the id is taken.
        updated_owner: the owner's counter and number of lists.
        stored_response, old_keys, pruned_keys: with a key, its response, and old keys.
        deleted_tombstones: with a client id, the tombstone that the list may have left.

    Args:
        with_idempotency_key: Create the list once for each key.
        with_client_id: `TARGET_ID` comes from the client. This undoes the deletion of that list.
    """
    owner: Query = find_owner(check_snapshot=True).where(
        col(Owner.list_count) < QUOTA, SNAPSHOT_CURRENT, ~_name_taken
    )
    if with_client_id:
        owner = owner.where(~is_id_of_other_kind("list"))
    if with_idempotency_key:
        owner = if_key_unused(owner)
    new_list = _new_list(lock_owner(owner))
    inserted = _insert_list(new_list)
    response = as_json_text(select(*list_fields(new_list.c)))
    statement: Query = select(inserted.c.id, inserted.c.version, response.label("response"))
    statement = statement.add_cte(_count_list(inserted).cte("updated_owner"))
    if with_idempotency_key:
        stored_response = store_response(new_list, response)
        pruned_keys = delete_expired_keys(stored_response).cte("pruned_keys")
        return statement.add_cte(stored_response, pruned_keys)
    if with_client_id:
        statement = statement.add_cte(delete_tombstone("list", inserted))
    return statement.execution_options(not_idempotent=True)


def _change_list() -> Executable:
    task_list = find_renamable(TaskList)
    counter_bump = bump_counter(task_list.writable, 1)
    return rename(TaskList, task_list, counter_bump, list_fields)


CHANGE_LIST: Final = _change_list()
"""Rename a list, unless there is a `conflict`; a null name leaves the stored one.

No row if the user has no such list.

Stages:
    snapshot, locked, owner: the owner's counter before the lock, the lock, and the time.
    current: the list, locked, with its `conflict`.
    writable: the same row if the name changes and there is no conflict.
    counter_bump: the owner's counter, raised by one.
    updated: the list with its new name and version.
"""


@cache
def delete_list(*, with_tasks: bool) -> Executable:
    """Build the statement that deletes a list, unless there is a `conflict`.

    Each of its tasks takes a new version. No row if the user has no such list.

    Stages:
        snapshot, locked, owner: the owner's counter before the lock, the lock, and the time.
        current: the list, locked, with its `conflict`.
        writable: the same row if there is no conflict.
        affected_tasks: the tasks of the list, numbered.
        linked_tasks: the tasks elsewhere that point to deleted ones, numbered after them.
        oldest, pruned: the owner's oldest tombstones; those that have expired are deleted.
        counter_bump: the owner's counter, raised by one and by the number of these tasks.
        deleted: the list.
        deleted_tasks or updated_tasks: its tasks.
        unlinked_tasks: the linked tasks.
        tombstones: of the list, and of the deleted tasks.

    Args:
        with_tasks: Delete the tasks of the list, too. Otherwise they move to the inbox.
    """
    task_list = find_deletable(TaskList)
    writable = task_list.writable
    tasks = number_tasks(col(Task.list_id) == writable.c.id, writable)
    if with_tasks:
        return _delete_list_with_tasks(task_list, tasks)
    return _delete_list_only(task_list, tasks)


def _delete_list_with_tasks(task_list: LockedRow, tasks: CTE) -> Executable:
    writable = task_list.writable
    task_count = count_rows(tasks)
    linked_tasks = number_linked_tasks(tasks, versions_taken=task_count)
    counter_bump = bump_counter(
        writable,
        1 + task_count + count_rows(linked_tasks),
        list_count=col(Owner.list_count) - 1,
        task_count=col(Owner.task_count) - task_count,
        pruned_version=new_pruned_version(prune_tombstones(writable, task_count)),
    )
    task_tombstones = select_tombstones(tasks, counter_bump)
    tombstones = union_all(_list_tombstone(writable, counter_bump), task_tombstones)
    statement = select(task_list.current.c.conflict).add_cte(
        _delete_row(writable, counter_bump),
        delete_tasks(tasks, counter_bump).cte("deleted_tasks"),
        unlink_tasks(linked_tasks, counter_bump),
        insert_tombstones(tombstones).cte("tombstones"),
    )
    return statement.execution_options(not_idempotent=True)


def _delete_list_only(task_list: LockedRow, tasks: CTE) -> Executable:
    writable = task_list.writable
    counter_bump = bump_counter(
        writable,
        1 + count_rows(tasks),
        list_count=col(Owner.list_count) - 1,
        pruned_version=new_pruned_version(prune_tombstones(writable)),
    )
    tombstone = _list_tombstone(writable, counter_bump)
    statement = select(task_list.current.c.conflict).add_cte(
        _delete_row(writable, counter_bump),
        bump_task_versions(tasks, counter_bump, list_id=None).cte("updated_tasks"),
        insert_tombstones(tombstone).cte("tombstones"),
    )
    return statement.execution_options(not_idempotent=True)


def _delete_row(writable: CTE, counter_bump: CTE) -> CTE:
    return (
        delete(TaskList)
        .where(col(TaskList.id) == writable.c.id, col(TaskList.user_id) == counter_bump.c.id)
        .cte("deleted")
    )


def _list_tombstone(writable: CTE, counter_bump: CTE) -> Query:
    return select(
        writable.c.id,
        counter_bump.c.id.label("user_id"),
        literal("list"),
        counter_bump.c.counter,
        counter_bump.c.now,
    ).join(counter_bump, true())
