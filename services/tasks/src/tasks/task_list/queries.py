"""Reading, making, renaming and deleting lists."""

from functools import cache
from typing import Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Executable,
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
    KEYS,
    LIST_PROJECTION,
    LISTS,
    NAME,
    OWNERS,
    QUOTA,
    TARGET_ID,
    TASKS,
    USER_ID,
    list_json,
)
from tasks.core.rename import find_deletable, find_renamable, rename
from tasks.core.tombstones import (
    delete_tombstone,
    insert_tombstones,
    is_id_of_other_kind,
    new_pruned_version,
    prune_tombstones,
)
from tasks.core.version_cascade import bump_task_versions, count_rows, number_tasks
from tasks.models import sort_position

_listed = (
    select(*LIST_PROJECTION)
    .where(LISTS.c.user_id == OWNERS.c.id, NOT_MODIFIED_SINCE)
    .order_by(sort_position(LISTS.c), LISTS.c.id)
    .correlate(OWNERS)
    .lateral("listed")
)

LIST_LISTS: Final = (
    select(OWNERS.c.counter, _listed)
    .join(_listed, true(), isouter=True)
    .where(OWNERS.c.id == USER_ID)
)
"""All lists of this owner in their order, each with the owner's `counter`.

One row without a list when there are none, or the counter was `seen`; no row when the owner is unknown.
"""

GET_LIST: Final = select(*LIST_PROJECTION).where(
    LISTS.c.id == TARGET_ID, LISTS.c.user_id == USER_ID
)
"""One list of this owner."""

_namesakes = LISTS.alias("namesakes")
_named = exists().where(
    _namesakes.c.user_id == OWNERS.c.id, _namesakes.c.folded_name == FOLDED_NAME
)

GET_CREATE_CONFLICTS: Final = (
    select(
        *STORED_RESPONSE_COLUMNS,
        OWNERS.c.list_count,
        LISTS.c.user_id.label("holder"),
        _named.label("has_name"),
    )
    .add_columns(is_id_of_other_kind("list").label("is_spent"))
    .select_from(OWNERS)
    .join(KEYS, HAS_STORED_RESPONSE, isouter=True)
    .join(LISTS, LISTS.c.id == TARGET_ID, isouter=True)
    .where(OWNERS.c.id == USER_ID)
)
"""What the making of a list may have met: its own key, a full owner, its name, or whoever holds the id."""


def _compose(owner: CTE) -> CTE:
    """Put the list together, before it is written anywhere."""
    values = {
        "id": TARGET_ID,
        "user_id": owner.c.id,
        "name": NAME,
        "folded_name": FOLDED_NAME,
        "position": cast(null(), LISTS.c.position.type),
        "created_at": owner.c.now,
        "updated_at": owner.c.now,
        "version": owner.c.counter + 1,
    }
    return select(*(value.label(name) for name, value in values.items()), owner.c.now).cte("list")


@cache
def create_list(*, with_idempotency_key: bool = False, with_client_id: bool = False) -> Executable:
    """Build what adds a list, as `create_task` does for a task; no row either when its name is taken."""
    owner = find_owner(check_snapshot=True).where(
        OWNERS.c.list_count < QUOTA, SNAPSHOT_CURRENT, ~_named
    )
    owner = owner.where(~is_id_of_other_kind("list")) if with_client_id else owner
    composed = _compose(lock_owner(if_key_unused(owner) if with_idempotency_key else owner))
    written = select(*(composed.c[column.name] for column in LISTS.c))
    added = (
        insert(LISTS)
        .from_select(list(LISTS.c), written)
        .on_conflict_do_nothing(index_elements=[LISTS.c.id])
    )
    made = added.returning(LISTS.c.id, LISTS.c.user_id, LISTS.c.version).cte("made")
    counted = (
        update(OWNERS)
        .where(OWNERS.c.id == made.c.user_id)
        .values(counter=made.c.version, list_count=OWNERS.c.list_count + 1)
    )
    answer = as_json_text(select(*list_json(composed.c)))
    shown = select(made.c.id, made.c.version, answer.label("response")).add_cte(
        counted.cte("counted")
    )
    if with_idempotency_key:
        claimed = store_response(composed, answer)
        return shown.add_cte(claimed, delete_expired_keys(claimed).cte("pruned"))
    return (
        shown.add_cte(delete_tombstone("list", made)) if with_client_id else shown
    ).execution_options(not_idempotent=True)


_found = find_renamable(LISTS)

CHANGE_LIST: Final = rename(LISTS, _found, bump_counter(_found[1], 1), list_json)
"""Rename a list, unless there is a `conflict`; a null name keeps it.

No row when there is no such list of this owner.
"""


@cache
def delete_list(*, with_tasks: bool) -> Executable:
    """Build what deletes a list, unless there is a `conflict`, and leaves tombstones.

    Its tasks go to the inbox, or with it; each takes a version of its own. No row when there is no such list of this
    owner.
    """
    wanted, allowed = find_deletable(LISTS)
    inside = number_tasks(TASKS.c.list_id == allowed.c.id, allowed)
    raised = _uncount(allowed, count_rows(inside), with_tasks=with_tasks)
    dead = select(
        allowed.c.id, raised.c.id.label("user_id"), literal("list"), raised.c.counter, raised.c.now
    )
    dead = dead.join(raised, true())
    gone = delete(LISTS).where(LISTS.c.id == allowed.c.id, LISTS.c.user_id == raised.c.id)
    if with_tasks:
        numbered = select(
            inside.c.id,
            raised.c.id,
            literal("task"),
            raised.c.counter - inside.c.number,
            raised.c.now,
        )
        left = insert_tombstones(union_all(dead, numbered.join(raised, true())))
        done = delete(TASKS).where(TASKS.c.id == inside.c.id, TASKS.c.user_id == raised.c.id)
    else:
        left, done = insert_tombstones(dead), bump_task_versions(inside, raised, list_id=None)
    return (
        select(wanted.c.conflict)
        .add_cte(gone.cte("gone"), done.cte("done"), left.cte("left"))
        .execution_options(not_idempotent=True)
    )


def _uncount(allowed: CTE, inside: ColumnElement[int], *, with_tasks: bool) -> CTE:
    deleted = inside if with_tasks else 0
    counts = {"list_count": OWNERS.c.list_count - 1, "task_count": OWNERS.c.task_count - deleted}
    known = new_pruned_version(prune_tombstones(allowed, deleted))
    return bump_counter(allowed, 1 + inside, **counts, pruned_version=known)
