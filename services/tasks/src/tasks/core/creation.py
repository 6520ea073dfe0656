"""How tasks and lists come into being, and their owners with them."""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple, cast
from uuid import UUID

from psycopg.errors import LockNotAvailable
from sqlalchemy import Executable
from uuid_utils.compat import uuid7

from common.database import Database, Row, fetch_all, fetch_one
from common.identity import User
from common.problems import SOON, Conflict, PreconditionFailed, Unprocessable
from tasks.clients import UsersClient
from tasks.core.conflicts import raise_conflict, require_matching_id
from tasks.core.context import RequestContext
from tasks.core.owners import ADD_OWNER
from tasks.task.planning import (
    LABELS_MAX,
    LISTS_MAX,
    fingerprint,
    label_params,
    name_params,
    task_params,
)
from tasks.task.queries.create import GET_CREATE_CONFLICTS
from tasks.task.queries.create import create_task as creating
from tasks.task.schemas import TaskCreate, TaskReplace
from tasks.task_list import queries as lists
from tasks.task_list.schemas import ListCreate, ListReplace


class CreationLimits(NamedTuple):
    """What it takes to let a task in: who meets new owners, and how many tasks an owner may have."""

    peer: UsersClient
    tasks_max: int


class StoredResponse(NamedTuple):
    """An answer as it was given first, now or for an earlier request with the same key."""

    id: UUID
    version: int
    body: bytes
    replayed: bool


class Creation(NamedTuple):
    """How one kind of thing is made: by which statement, and what may be in the way of it."""

    statement: Executable
    obstacle: Executable
    values: Row
    require_room: Callable[[Row], None]


async def create_task(
    context: RequestContext, admission: CreationLimits, new: TaskCreate, key: str | None
) -> StoredResponse:
    """Add a task, or with a key that was used for this before, return the task that was made then.

    An owner who was never seen here is introduced to the users service first.

    Raises:
        Unprocessable: The caller has as many tasks or labels as one user may have, its list is not there, or the key
            was used for another task.
        Conflict: A request with this key may still be running.
        Unavailable: The owner is new, and the users service is away.
    """
    values = _content(new)
    claimed = idempotency_params("create-task", key, fingerprint(values))
    statement = creating(with_idempotency_key=key is not None, with_labels=bool(new.labels))
    made = _making_task(
        statement, {"target_id": uuid7(), **values, **claimed}, context.user, admission
    )
    return await _create(context, admission, made)


async def create_task_with_client_id(
    context: RequestContext, admission: CreationLimits, task_id: UUID, whole: TaskReplace
) -> StoredResponse:
    """Add a task under the client's own id, and forget that the caller had deleted it.

    Raises:
        Refusal: As `create_task` does.
        PreconditionFailed: The caller has this task.
        Conflict: Somebody else has this id.
        Unprocessable: The body names another task.
    """
    require_matching_id(task_id, whole.id)
    values = {
        "target_id": task_id,
        **_content(whole),
        **idempotency_params("create-task", None, {}),
    }
    statement = creating(with_client_id=True, with_labels=bool(whole.labels))
    return await _create(
        context, admission, _making_task(statement, values, context.user, admission)
    )


async def create_list(
    context: RequestContext, admission: CreationLimits, new: ListCreate, key: str | None
) -> StoredResponse:
    """Add a list, as `create_task` adds a task.

    Raises:
        Refusal: As `create_task` does.
        Conflict: The caller has a list of this name.
    """
    claimed = idempotency_params("create-list", key, {"name": new.name})
    statement = lists.create_list(with_idempotency_key=key is not None)
    return await _create(
        context, admission, _making_list(statement, uuid7(), new.name, context.user, claimed)
    )


async def create_list_with_client_id(
    context: RequestContext, admission: CreationLimits, list_id: UUID, whole: ListReplace
) -> StoredResponse:
    """Add a list under the client's own id, as `create_named_task` adds a task; raises as `create_list`, too."""
    require_matching_id(list_id, whole.id)
    made = _making_list(
        lists.create_list(with_client_id=True),
        list_id,
        whole.name,
        context.user,
        idempotency_params("create-list", None, {}),
    )
    return await _create(context, admission, made)


async def _create(
    context: RequestContext, admission: CreationLimits, creation: Creation
) -> StoredResponse:
    """Try until it is made, or what stands in its way is no matter of time."""
    while True:
        made = await execute_or_conflict(
            context.database, creation.statement, current_user_id=context.user.id, **creation.values
        )
        if made:
            return answered(made, replayed=False)
        obstacle = await fetch_one(
            context.database, creation.obstacle, current_user_id=context.user.id, **creation.values
        )
        if obstacle is None:
            await admission.peer.ensure_profile(context.user)
            await fetch_all(context.database, ADD_OWNER, current_user_id=context.user.id)
        elif obstacle["answer"]:
            return replay(obstacle, creation.values["fingerprint"])
        else:
            creation.require_room(obstacle)


async def execute_or_conflict(
    session: Database, statement: Executable, **values: object
) -> Row | None:
    """Run a statement that may have to wait for the one that has its key.

    Raises:
        Conflict: That takes too long.
    """
    try:
        return await fetch_one(session, statement, **values)
    except LockNotAvailable:
        raise Conflict(
            "key-in-use", "A request with this key may still be running.", headers=SOON
        ) from None


def replay(kept: Row, meaning: object) -> StoredResponse:
    """Give the answer that is kept under a key once more.

    Raises:
        Unprocessable: The key stands for something else.
    """
    if kept["digest"] != meaning:
        raise Unprocessable("key-reused", "The key was used for another request.")
    return answered(kept, replayed=True)


def answered(made: Row, *, replayed: bool) -> StoredResponse:
    """Take the answer out of what a statement returned."""
    answer = cast("str", made["answer"]).encode()
    return StoredResponse(cast("UUID", made["id"]), cast("int", made["version"]), answer, replayed)


def idempotency_params(operation: str, key: str | None, meaning: object) -> Row:
    """Return what a statement needs to do something once."""
    digest = sha256(json.dumps(meaning).encode()).digest()
    return {"operation_name": operation, "idempotency_key": key, "fingerprint": digest}


def _content(task: TaskCreate | TaskReplace) -> Row:
    written = {
        "new_title": task.title,
        "new_description": task.description,
        "new_is_completed": bool(task.completed),
    }
    planned = task_params(task)
    return {
        **written,
        **planned,
        "new_priority": planned["new_priority"] or 0,
        **label_params(task.labels),
    }


def _making_task(
    statement: Executable, values: Row, user: User, admission: CreationLimits
) -> Creation:
    tasks_max = admission.tasks_max

    def require_room(obstacle: Row) -> None:
        # First of all: whoever sends a request again must learn that it was done, also when its list is gone by now.
        if obstacle["holder"] == user.id:
            raise PreconditionFailed("task-exists", "The caller has this task already.")
        if not obstacle["has_list"]:
            raise_conflict("list-not-found")
        if cast("int", obstacle["task_count"]) >= tasks_max:
            raise Unprocessable("quota-exceeded", f"One user may have {tasks_max} tasks at most.")
        if cast("int", obstacle["label_count"]) > LABELS_MAX:
            raise_conflict("labels-full")
        _require_free_id(obstacle)

    return Creation(statement, GET_CREATE_CONFLICTS, {**values, "quota": tasks_max}, require_room)


def _making_list(
    statement: Executable, list_id: UUID, name: str, user: User, claimed: Row
) -> Creation:
    def require_room(obstacle: Row) -> None:
        if obstacle["holder"] == user.id:
            raise PreconditionFailed("list-exists", "The caller has this list already.")
        if cast("int", obstacle["list_count"]) >= LISTS_MAX:
            raise Unprocessable("quota-exceeded", f"One user may have {LISTS_MAX} lists at most.")
        if obstacle["has_name"]:
            raise_conflict("name-taken")
        _require_free_id(obstacle)

    named = {"target_id": list_id, **name_params(name), "quota": LISTS_MAX}
    return Creation(statement, lists.GET_OBSTACLE, {**named, **claimed}, require_room)


def _require_free_id(obstacle: Row) -> None:
    if obstacle["holder"] or obstacle["is_spent"]:
        raise Conflict("id-taken", "This id cannot be had.")
